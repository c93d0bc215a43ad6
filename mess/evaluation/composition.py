"""Composition: do sliders still do what they say when several are moved?

Task: give one aspect a positive weight and another a negative one, and look at the ten best tracks:
how near are they in the liked aspect, how far in the disliked one, and are they different ones for
different queries? Then give all sliders the same weight: does the mix follow each of them?

Conventions: distances are true ones, in the measured targets of an aspect, as shares of the mean
distance to all tracks of other works: 0 is equal, 1 is chance. Only aspects without a common target
are paired. The same is measured with similarities that are a parabola without end (1 − d²/2), as
they were before `mess.search.similarity`.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.evaluation.rankings import TOP
from mess.probing.metrics import defined
from mess.records.evaluation import Composed, Composition
from mess.search.tempo import octaves_apart

Array = NDArray[np.float64]
LIKED = 0.6
DISLIKED = (-0.4, -1.0)
Similarities = Callable[[int], Mapping[str, NDArray[np.floating[Any]]]]


def measure_composition(
    similarities: Similarities,
    targets: Mapping[str, Sequence[int]],
    values: Array,
    works: NDArray[Any],
    *,
    queries: NDArray[np.int64],
    octaves: Sequence[int] = (),
) -> Composition:
    """Measure how sliders compose.

    Parameters
    ----------
    similarities : callable
        Row of a query → by slider, the similarities of all tracks [n].
    targets : mapping of str to sequence of int
        Of each aspect, its columns in ``values``; a slider without any only takes part in the mix.
    values : ndarray [shape=(n, t)]
        Measured targets, NaN where unknown.
    works : ndarray [shape=(n,)]
    queries : ndarray [dtype=int]
    octaves : sequence of int
        The columns that hold tempi.
    """
    judged = [name for name, columns in targets.items() if columns]
    pairs = [
        (liked, disliked)
        for liked, disliked in permutations(judged, 2)
        if not set(targets[liked]) & set(targets[disliked])
    ]
    near: dict[tuple[int, str, str], list[tuple[float, float]]] = {}
    tops: dict[tuple[int, str, str], set[int]] = {}
    mixes: dict[str, list[float]] = {}
    for query in queries.tolist():
        others = np.flatnonzero(works != works[query])
        similar = {name: one[others] for name, one in similarities(query).items()}
        true = {
            name: _apart(values[others], values[query], targets[name], octaves) for name in judged
        }
        for number, weight in enumerate(DISLIKED):
            for liked, disliked in pairs:
                scores = LIKED * similar[liked] + weight * similar[disliked]
                best = np.argsort(-scores, kind="stable")[:TOP]
                key = number, liked, disliked
                near.setdefault(key, []).append(
                    (float(true[liked][best].mean()), float(true[disliked][best].mean()))
                )
                tops.setdefault(key, set()).add(int(others[best[0]]))
        total = np.sum(list(similar.values()), axis=0)
        for name, one in similar.items():
            mixes.setdefault(name, []).append(_spearman(total, one))
    composed = []
    for number, weight in enumerate(DISLIKED):
        found = [near[number, *pair] for pair in pairs if (number, *pair) in near]
        if not found:
            continue
        liked_apart, disliked_apart = np.nanmean(np.concatenate(found), axis=0)
        shares = [len(tops[number, *pair]) / max(len(queries), 1) for pair in pairs]
        composed.append(
            Composed(
                weight=weight,
                liked=defined(liked_apart),
                disliked=defined(disliked_apart),
                top_hits=float(np.mean(shares)),
            )
        )
    return Composition(composed=composed, mix={name: _mean(one) for name, one in mixes.items()})


def _mean(shares: Sequence[float]) -> float | None:
    """Return the mean of what is defined; None where nothing is, as with three recordings."""
    known = [share for share in shares if np.isfinite(share)]
    return defined(np.mean(known)) if known else None


def _apart(others: Array, own: Array, columns: Sequence[int], octaves: Sequence[int]) -> Array:
    """Return the true distances of tracks, each target's as a share of its mean [n]."""
    apart = np.abs(others[:, columns] - own[list(columns)])
    for place, column in enumerate(columns):
        if column in octaves:
            apart[:, place] = octaves_apart(others[:, column], own[column])
    usual = np.array(
        [one[np.isfinite(one)].mean() if np.isfinite(one).any() else np.nan for one in apart.T]
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = apart / usual
    known = np.isfinite(shares)
    total = np.where(known, shares, 0.0).sum(axis=1)
    # An unknown distance is as large as chance.
    return np.divide(total, known.sum(axis=1), out=np.ones(len(total)), where=known.any(axis=1))


def _spearman(a: NDArray[np.floating[Any]], b: NDArray[np.floating[Any]]) -> float:
    from scipy.stats import rankdata

    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])
