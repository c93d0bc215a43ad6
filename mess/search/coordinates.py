"""From features and targets to the coordinates that steering ranks by (see `mess.search.steering`).

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
[('tempo', 'probe'), ('tempo', 'direct'), ('tempo', 'subspace')]
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mess.probing.ridge import Array
from mess.probing.stacking import Segments, Stacked, stack
from mess.search.aspects import ASPECTS
from mess.search.index import normalise_layers
from mess.search.steering import Column, reduce_rank, standardise, whiten


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
    """

    columns: list[Column]
    values: Array
    overall: Array


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
    every = np.hstack([y, course.to_numpy(dtype=np.float64)])
    half = features.shape[2] // 2
    predictors = [
        features[:, layer, :width]
        for layer in range(features.shape[1])
        for width in (half, 2 * half)
    ]
    if segments is not None:
        unknown = np.full((len(segments.owner), course.shape[1]), np.nan)
        segments = replace(segments, targets=np.hstack([segments.targets, unknown]))
    stacked = stack(predictors, every, works, segments=segments, folds=folds, seed=seed)
    columns, values = [], []
    for kind, table in (("probe", stacked.predicted[:, : len(names)]), ("direct", y)):
        x, mean, deviation = standardise(table)
        for number, name in enumerate(names):
            known = x[np.isfinite(x[:, number]), number]
            if not known.size or np.ptp(known) == 0:
                continue
            r2 = stacked.r2[number] if kind == "probe" else np.nan
            columns.append(
                Column(
                    name,
                    kind,  # type: ignore[arg-type]
                    mean=float(mean[number]),
                    deviation=float(deviation[number]),
                    r2=float(r2) if np.isfinite(r2) else None,
                )
            )
            values.append(x[:, number])
    for aspect, place in _subspaces(names, list(course.columns)).items():
        reduced = _reduce(stacked, every, place)
        columns += [Column(aspect, "subspace") for _ in range(reduced.shape[1])]
        values += list(reduced.T)
    vectors = normalise_layers(features[:, :, :half])
    overall = whiten(vectors.reshape(len(vectors), -1).astype(np.float64))
    return Coordinates(columns, np.array(values).reshape(-1, len(y)).T, overall)


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


def _subspaces(names: Sequence[str], courses: Sequence[str]) -> dict[str, list[int]]:
    """Return the columns of targets and courses that stand for each aspect."""
    found = {}
    for aspect, targets in ASPECTS.items():
        own = [place for place, name in enumerate(names) if name in targets]
        own += [
            len(names) + place
            for place, name in enumerate(courses)
            if name.partition(":")[0] in targets
        ]
        if own:
            found[aspect] = own
    return found


def _reduce(stacked: Stacked, targets: Array, place: Sequence[int]) -> Array:
    """Return an aspect's subspace over what can be predicted at all."""
    kept = [column for column in place if np.nan_to_num(stacked.r2[column], nan=-1.0) > 0]
    return reduce_rank(stacked.predicted[:, kept], targets[:, kept])
