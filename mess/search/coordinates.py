"""From features and targets to the coordinates that search ranks by.

`mess.search.coordinate_index` says what a coordinate is and how it is searched.

Examples
--------
>>> import numpy as np
>>> import pandas as pd
>>> features = np.random.default_rng(0).standard_normal((30, 2, 8))
>>> course = pd.DataFrame(index=range(30))
>>> made = make_coordinates(
...     features, features[:, 0, :1], np.arange(30), names=["tempo"], course=course
... )
>>> [(column.name, column.kind) for column in made.columns]
[('tempo', 'probe'), ('tempo', 'direct'), ('tempo', 'probe_octaves'), ('tempo', 'probe_octaves'), \
('tempo', 'direct_octaves'), ('tempo', 'direct_octaves')]
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mess.probing.ridge import Array
from mess.probing.stacking import SegmentProbes, Segments, Stacked, stack
from mess.search.aspects import ASPECTS
from mess.search.coordinate_index import Column
from mess.search.coordinate_map import CoordinateMap, combine
from mess.search.layer_index import unit_layers
from mess.search.spaces import Reduction, fit_reduction, fit_whitening, standardise
from mess.search.tempo import ON_CIRCLE, TEMPO, circle_r2, octave_targets, scale_of


@dataclass(frozen=True)
class Coordinates:
    """What is indexed of every track.

    Attributes
    ----------
    columns : list of Column
    values : ndarray [shape=(n, columns)]
        NaN where a value is not known.
    overall : ndarray [shape=(n, m)]
        Unit vectors.
    projection : CoordinateMap
        From the features of a recording that is not among them to the same coordinates; NaN in
        the columns "direct".
    fold : ndarray [shape=(n,), dtype=int]
        Which fit never saw a track's work; −1 where none did.
    of_segments : SegmentProbes or None
        What predicts the targets of segments, if there were segments: the targets in the order of
        ``names``, then what is known of whole tracks only.
    names : list of str
    """

    columns: list[Column]
    values: Array
    overall: Array
    projection: CoordinateMap
    fold: NDArray[np.int64]
    of_segments: SegmentProbes | None
    names: list[str]


def make_coordinates(
    features: NDArray[np.floating[Any]],
    targets: ArrayLike,
    works: ArrayLike,
    *,
    names: Sequence[str],
    course: pd.DataFrame,
    segments: Segments | None = None,
    folds: int = 10,
    seed: int = 0,
) -> Coordinates:
    """Predict, standardise and reduce.

    Parameters
    ----------
    features : ndarray [shape=(n, layers, 2 · dim)]
        Means and standard deviations over time; each layer is a predictor with the means alone
        and one with both, and a probe mixes what serves it.
    targets : array_like [shape=(n, t)]
        NaN where a value is not known.
    works : array_like [shape=(n,)]
    names : sequence of str, length t
    course : DataFrame [shape=(n, c)]
        From `describe_course`; its columns join the subspaces.
    segments : Segments, optional
        With the targets ``names``: probes of segments join the mixture.
    folds, seed : int
        See `mess.probing.folds.assign_folds`.

    Raises
    ------
    MessError
        If the tracks with a target are of fewer than three works.
    """
    y = np.asarray(targets, dtype=np.float64)
    octaves = octave_targets(y, names)
    beside = np.hstack([octaves, course.to_numpy(dtype=np.float64)])  # known of whole tracks only
    every = np.hstack([y, beside])
    half = features.shape[2] // 2
    predictors = [
        features[:, layer, :width]
        for layer in range(features.shape[1])
        for width in (half, 2 * half)
    ]
    if segments is not None:
        unknown = np.full((len(segments.owner), beside.shape[1]), np.nan)
        segments = replace(segments, targets=np.hstack([segments.targets, unknown]))
    stacked = stack(predictors, every, works, segments=segments, folds=folds, seed=seed)
    weights, intercepts = combine(stacked.weights, stacked.intercepts, shape=features.shape[1:])
    columns: list[Column] = []
    values: list[Array] = []
    maps: list[tuple[NDArray[np.float32], float]] = []

    def add(column: Column, x: Array, *, place: int) -> None:
        """Keep one standardised coordinate, and how the features give it."""
        columns.append(column)
        values.append(x)
        own, shift = weights[:, place] / column.deviation, intercepts[place] - column.mean
        if column.kind in ("direct", "direct_octaves"):
            own, shift = np.zeros_like(own), np.nan
        maps.append((own, shift / column.deviation))

    both: tuple[tuple[Literal["probe", "direct"], Array], ...] = (
        ("probe", stacked.predicted),
        ("direct", every),
    )
    for kind, table in both:
        x, mean, deviation = standardise(table[:, : len(names)])
        for number, name in enumerate(names):
            known = x[np.isfinite(x[:, number]), number]
            if not known.size or np.ptp(known) == 0:
                continue
            r2 = stacked.r2[number] if kind == "probe" else np.nan
            column = Column(name, kind, float(mean[number]), float(deviation[number]), _known(r2))
            add(column, x[:, number], place=number)
    for kind, table in both:
        for place, column in _octave_columns(
            table, stacked.r2, kind=kind, first=len(names), count=octaves.shape[1]
        ):
            x = (table[:, place] - column.mean) / column.deviation
            add(column, x, place=place)
    for aspect, places in _subspaces(names, octaves.shape[1], list(course.columns)).items():
        kept, reduction = _reduce(stacked, every, places)
        reduced = reduction.apply(stacked.predicted[:, kept])
        columns += [Column(aspect, "subspace") for _ in range(reduced.shape[1])]
        values += list(reduced.T)
        shifts = reduction.apply(intercepts[None, kept])[0]
        maps += list(zip((weights[:, kept] @ reduction.directions).T, shifts, strict=True))
    centres = features[:, :, :half].mean(axis=0, dtype=np.float64)
    vectors = unit_layers(features[:, :, :half], centres).reshape(len(y), -1)
    whitening = fit_whitening(vectors.astype(np.float64))
    projection = CoordinateMap(
        weights=np.array([own for own, _ in maps], dtype=np.float32).reshape(-1, len(weights)).T,
        intercepts=np.array([shift for _, shift in maps]),
        centres=centres,
        whitening=whitening,
    )
    return Coordinates(
        columns,
        np.array(values).reshape(-1, len(y)).T,
        whitening.apply(vectors),
        projection,
        stacked.fold,
        stacked.of_segments,
        list(names),
    )


def describe_course(segments: pd.DataFrame, tracks: Sequence[str]) -> pd.DataFrame:
    """Return how each target moves within each track.

    Parameters
    ----------
    segments : DataFrame
        Targets of segments, with the index (track, segment).
    tracks : sequence of str, length n

    Returns
    -------
    DataFrame [shape=(n, 2 · targets)]
        ``<target>:spread``, the standard deviation over segments, and ``<target>:drift``, the mean
        of the second half minus that of the first.
    """
    if segments.empty:
        return pd.DataFrame(index=list(tracks))
    number = segments.index.get_level_values(1).to_numpy()
    by_track = segments.groupby(level=0)
    last = by_track.transform("size").to_numpy()
    late = number >= last / 2
    spread = by_track.std(ddof=0).add_suffix(":spread")
    drift = segments[late].groupby(level=0).mean() - segments[~late].groupby(level=0).mean()
    return spread.join(drift.add_suffix(":drift")).reindex(list(tracks))


def _octave_columns(
    table: Array, r2: Array, *, kind: Literal["probe", "direct"], first: int, count: int
) -> list[tuple[int, Column]]:
    """Return the places of what tempo is compared by, and the column of each.

    Both of the circle, or none where a tempo is not known or does not vary; then the density.
    """
    places = list(range(first, first + count))
    _, mean, deviation = standardise(table[:, places])
    if not count or not np.isfinite(table[:, places[:ON_CIRCLE]]).any():
        return []
    scale = scale_of(deviation)
    if not scale[0] > 0:
        return []
    of_circle = circle_r2(r2[places], np.nan_to_num(deviation))
    found = []
    for number, place in enumerate(places):
        if not scale[number] > 0:
            continue
        own = of_circle if number < ON_CIRCLE else r2[place]
        found.append(
            (
                place,
                Column(
                    TEMPO,
                    "probe_octaves" if kind == "probe" else "direct_octaves",
                    mean=float(mean[number]),
                    deviation=float(scale[number]),
                    r2=_known(own) if kind == "probe" else None,
                ),
            )
        )
    return found


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _subspaces(names: Sequence[str], octaves: int, courses: Sequence[str]) -> dict[str, list[int]]:
    """Return the columns of targets and courses that stand for each aspect.

    Tempo is its circle: density alone would rank by something else.
    """
    found = {}
    for aspect, targets in ASPECTS.items():
        own = [place for place, name in enumerate(names) if name in targets and name != TEMPO]
        if TEMPO in targets and octaves:
            own += [len(names) + place for place in range(ON_CIRCLE)]
        own += [
            len(names) + octaves + place
            for place, name in enumerate(courses)
            if name.partition(":")[0] in targets
        ]
        if own:
            found[aspect] = own
    return found


def _reduce(stacked: Stacked, targets: Array, place: Sequence[int]) -> tuple[list[int], Reduction]:
    """Return what can be predicted at all of an aspect, and the subspace over that."""
    kept = [column for column in place if np.nan_to_num(stacked.r2[column], nan=-1.0) > 0]
    return kept, fit_reduction(stacked.predicted[:, kept], targets[:, kept])
