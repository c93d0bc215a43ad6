"""The factor table: which similarity follows which factor, by triplets that differ in one thing.

Task: three recordings are given. The first and the second share one factor (the same notes, say)
and nothing else; the third shares nothing with the first. The second and the third are alike in all
other factors. So a similarity that follows the factor finds the second nearer, and one that is
blind to it finds them equally near: it is right by chance, 0.5. (The 3 × 3 table of MERIT, Roy et
al. 2026, for more kinds of rows and more factors.)

Conventions: `mess.datasets.factor_music` names the recordings of a pair by corners. Equal distances
count as half right. All triplets of a pair of works stand or fall together, so the unit of the
interval is the pair.

Examples
--------
>>> import numpy as np
>>> places = [0, 3, 1, 2]  # corners of the factors ("notes", "timbre"): bit 0 is notes
>>> notes = np.array([corner & 1 for corner in places], dtype=float)
>>> apart = np.abs(notes[:, None] - notes)
>>> score_pairs(apart[None], ("notes", "timbre"))["notes"].accuracy
1.0
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.datasets.factor_music import corners
from mess.probing.statistics import CONFIDENCE, FEWEST_WORKS, interval, works_drawn
from mess.records.factors import FactorRow, FactorScore, RowKind
from mess.search.aspects import ASPECTS, OVERALL
from mess.search.coordinate_index import ColumnWeights, Point
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.placing import point_vector
from mess.search.through_time import States

BOOTSTRAP = 1000
_TIE = 1e-6  # of the larger distance: what rounding alone makes
# The factor that each name promises. A name that is not here promises none of them.
OWN_FACTOR = {
    "melody": "notes",
    "harmony": "notes",
    "notes": "notes",
    "harmonic_richness": "notes",
    "rhythm": "rhythm",
    "tempo": "tempo",
    "rhythmic_energy": "tempo",
    "timbre": "timbre",
    "instrument": "timbre",
    "brightness": "timbre",
    "texture": "timbre",
    "warmth": "timbre",
    "dynamics": "dynamics",
    "crescendo": "dynamics",
    "articulation": "articulation",
}
Distances = NDArray[np.floating[Any]]
RowName = tuple[RowKind, str]


def triplets(factors: Sequence[str]) -> dict[str, list[tuple[int, int, int]]]:
    """Return the triplets of one pair by factor: corner of the first, the second, the third.

    Examples
    --------
    >>> triplets(("notes", "timbre"))["notes"]
    [(0, 2, 3), (3, 1, 0), (1, 3, 2), (2, 0, 1)]
    """
    every = (1 << len(factors)) - 1
    found = {}
    for place, factor in enumerate(factors):
        bit = 1 << place
        rest = every ^ bit
        found[factor] = [(0, rest, every), (every, bit, 0), (bit, every, rest), (rest, 0, bit)]
    return found


def score_pairs(
    distances: Distances, factors: Sequence[str], *, seed: int = 0
) -> dict[str, FactorScore]:
    """Return how well one similarity follows each factor.

    Parameters
    ----------
    distances : ndarray [shape=(pairs, corners, corners)]
        Between the recordings of each pair, in the order of `corners`.
    factors : sequence of str
    seed : int
        Of the draws of pairs.

    Returns
    -------
    dict of str to FactorScore
        By factor.
    """
    place = {corner: number for number, corner in enumerate(corners(factors))}
    found = {}
    draws = works_drawn(len(distances), bootstrap=BOOTSTRAP, seed=seed)
    for factor, own in triplets(factors).items():
        first, second, third = np.array([[place[c] for c in one] for one in own]).T
        near, far = distances[:, first, second], distances[:, first, third]
        tied = np.abs(near - far) <= _TIE * np.maximum(np.abs(near), np.abs(far))
        right = np.where(tied, 0.5, near < far).mean(axis=1)
        low, high = _bounds(right, draws=draws)
        found[factor] = FactorScore(accuracy=float(right.mean()), low=low, high=high)
    return found


def _bounds(
    right: NDArray[np.float64], *, draws: NDArray[np.int64]
) -> tuple[float | None, float | None]:
    """Return the interval of a mean over pairs, by a bootstrap.

    If all pairs are wholly right (or wrong), drawing them again says nothing. Then the bound is
    that of Clopper and Pearson (1934) for as many trials as there are pairs.
    """
    pairs = len(right)
    if pairs < FEWEST_WORKS:
        return None, None
    low, high = interval((draws @ right / pairs)[:, None])[:, 0].tolist()
    least = ((1 - CONFIDENCE) / 2) ** (1 / pairs)
    if (right == 1).all():
        return float(least), 1.0
    if (right == 0).all():
        return 0.0, float(1 - least)
    return low, high


def measure_pair(
    recommender: LayerBasedRecommender, points: Sequence[Point], states: Sequence[States]
) -> dict[RowName, Distances]:
    """Return the distances between the recordings of a pair by every similarity of an index.

    Parameters
    ----------
    recommender : LayerBasedRecommender
    points : sequence of Point, length corners
        The coordinates of each recording.
    states : sequence of callable, length corners
        Of each recording what returns the states of a layer [moments, dim].

    Returns
    -------
    dict of (kind, name) to ndarray [shape=(corners, corners)]
    """
    found: dict[RowName, Distances] = {}
    for name in recommender.heads:
        if all(name in point.heads for point in points):
            found["head", name] = _cosine_distances(np.stack([p.heads[name] for p in points]))
    block = recommender.terms.coordinates.block_of(
        np.stack([point_vector(point) for point in points])
    )
    coordinates = recommender.terms.coordinates
    for name, part in _probe_parts(recommender):
        found["probe", name] = np.stack([block.distances(part, point) for point in points])
    for name, told in _in_time(recommender, states):
        found["in time", name] = np.square(told[:, None] - told[None]).mean(axis=2)
    layers = [point.layers for point in points if point.layers is not None]
    if len(layers) == len(points):
        for layer in range(len(layers[0])):
            vectors = np.stack([own[layer] for own in layers])
            found["layer", f"layer {layer}"] = _cosine_distances(vectors)
    found["layer", OVERALL] = np.stack(
        [block.distances(coordinates.overall, point) for point in points]
    )
    return found


def _cosine_distances(vectors: NDArray[np.floating[Any]]) -> Distances:
    wide = vectors.astype(np.float64)
    return 1 - wide @ wide.T


def _probe_parts(recommender: LayerBasedRecommender) -> Iterator[tuple[str, ColumnWeights]]:
    """Yield the columns of each aspect that is validated, by the method "probe"."""
    for name in ASPECTS:
        aspect = recommender.aspects[name]
        if not aspect.validated or not aspect.steered:
            continue
        columns, shares = recommender.terms.columns(aspect.steered, "probe")
        if len(columns):
            yield name, ColumnWeights(name, columns, shares)


def _in_time(
    recommender: LayerBasedRecommender, states: Sequence[States]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield what is read through time of each validated aspect [corners, targets], standardised."""
    course = recommender.projection.course
    if not course.lines:
        return
    said = np.stack([course.read(own) for own in states])
    deviation = {
        column.name: column.deviation
        for column in recommender.terms.coordinates.columns
        if column.kind == "probe"
    }
    for name in ASPECTS:
        aspect = recommender.aspects[name]
        told = []
        for target in aspect.steered if aspect.validated else ():
            own = [n for n, line in enumerate(course.lines) if line.target == target]
            share = np.array([course.lines[number].share for number in own])
            if own and share.sum() > 0:
                told.append(said[:, own] @ share / share.sum() / deviation[target])
        if told:
            yield name, np.stack(told, axis=1)


def rows_of(
    measured: Mapping[RowName, Distances],
    factors: Sequence[str],
    *,
    heads: Mapping[str, tuple[str, str]],
    seed: int = 0,
) -> list[FactorRow]:
    """Return the rows of a factor table.

    Parameters
    ----------
    measured : mapping of (kind, name) to ndarray [shape=(pairs, corners, corners)]
    factors : sequence of str
    heads : mapping of str to (str, str)
        Of each head what it was trained to tell, and its digest.
    seed : int
    """
    rows = []
    for (kind, name), distances in measured.items():
        says, digest = heads.get(name, (name, "")) if kind == "head" else (name, "")
        rows.append(
            FactorRow(
                kind=kind,
                name=name,
                own=None if kind == "layer" else OWN_FACTOR.get(says.lower()),
                digest=digest,
                scores=score_pairs(distances, factors, seed=seed),
            )
        )
    return rows
