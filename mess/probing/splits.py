"""Probes over explicit splits, whose rows may be changed by what the training rows tell.

Task: score probes where a fold alone does not say which rows train. Something may be erased from
the layer first, a confound may be regressed out, or the rows of a level may be held apart. Whatever
changes the rows is fitted on the training rows of each split.

Conventions: as of `mess.probing.discovery`. Each split chooses penalty and layer on its training
rows, by leaving out one work at a time. R² is pooled over all splits against the training mean. The
interval moves each work through the whole experiment, but what changed the rows stays as all
training rows fitted it.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> features, works = rng.standard_normal((60, 2, 4)), np.repeat(np.arange(20), 3)
>>> fold = works % 5
>>> found = probe_splits(features, features[:, 1, :1], works, splits=splits_of(fold))
>>> bool(found.r2[0] > 0.9), found.layers[0].tolist()
(True, [0.0, 1.0])
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mess.probing import statistics
from mess.probing.differences import Scores
from mess.probing.folds import MIN_ROWS, MIN_WORKS
from mess.probing.probes import ErrorOf, choose_alpha, errors_without_groups
from mess.probing.ridge import DEFAULT_ALPHAS, Array, RidgePath
from mess.probing.threads import side_by_side

_DRAWS = 1000


class Split(NamedTuple):
    """Which rows train and which are held out; a row may do neither.

    Attributes
    ----------
    train, test : ndarray [shape=(n,), dtype=bool]
    """

    train: NDArray[np.bool_]
    test: NDArray[np.bool_]


# (rows of one layer, targets, split, numbers of the rows) → the same rows as the probe sees them.
Change = Callable[[Array, Array, Split, NDArray[np.int64]], tuple[Array, Array]]


@dataclass(frozen=True)
class SplitScores:
    """The scores of probes over splits.

    Attributes
    ----------
    r2 : ndarray [shape=(t,)]
        NaN where a target could not be probed.
    influence : ndarray [shape=(works, t)]
        Of each work on log(1 − R²), in the order of ``np.unique``.
    low, high : ndarray [shape=(t,)]
        95 % interval; NaN under ten works.
    layers : ndarray [shape=(t, layers)]
        The share of the splits that chose each layer.
    """

    r2: Array
    influence: Array
    low: Array
    high: Array
    layers: Array

    @property
    def scores(self) -> Scores:
        """What `mess.probing.differences.compare` takes."""
        return Scores(self.r2, self.influence)


def splits_of(fold: NDArray[np.int64]) -> list[Split]:
    """Return a split for each fold: it is held out, and all other rows train."""
    return [Split(fold != held_out, fold == held_out) for held_out in np.unique(fold)]


def same(x: Array, y: Array, _split: Split, _rows: NDArray[np.int64]) -> tuple[Array, Array]:
    """Change nothing."""
    return x, y


def probe_splits(
    features: NDArray[np.floating[Any]],
    targets: ArrayLike,
    works: ArrayLike,
    *,
    splits: Sequence[Split],
    change: Change = same,
    alphas: Sequence[float] = DEFAULT_ALPHAS,
    seed: int = 0,
) -> SplitScores:
    """Score the probes of every target over some splits, the layer chosen in each split.

    Parameters
    ----------
    features : ndarray [shape=(n, layers, d)]
    targets : array_like [shape=(n, t)]
        NaN where a target is undefined: such rows are left out for it.
    works : array_like [shape=(n,)]
    splits : sequence of Split
    change : callable
        From some rows [m, d] of one layer, their targets [m, t], the split of these rows and their
        numbers [m] to the rows and targets that the probe sees.
    alphas : sequence of float
        From which each split chooses.
    seed : int
        Of the draws behind the interval.

    Returns
    -------
    SplitScores
    """
    y = np.asarray(targets, dtype=np.float64)
    _, group = np.unique(np.asarray(works), return_inverse=True)
    count, layers = int(group.max()) + 1, features.shape[1]
    # The errors of the nested probe: [whose, targets], and without each work [whose, works, ...].
    errors = np.zeros((len(ErrorOf), y.shape[1]))
    without = np.zeros((len(ErrorOf), count, y.shape[1]))
    chosen = np.zeros((y.shape[1], layers))
    known = np.zeros((count, y.shape[1]), dtype=bool)
    jobs = [
        (columns, rows, split)
        for columns, rows in patterns_of(y)
        for split in splits
        if _enough(split, rows, group)
    ]

    def probe(job: tuple[NDArray[np.int64], NDArray[np.int64], Split]) -> "_OneSplit":
        columns, rows, split = job
        here = Split(split.train[rows], split.test[rows])
        return _nested(
            [np.asarray(features[rows, layer], dtype=np.float64) for layer in range(layers)],
            y[np.ix_(rows, columns)],
            group[rows],
            rows=rows,
            split=here,
            change=change,
            alphas=alphas,
            works=count,
        )

    size = min(len(y), features.shape[2])
    for (columns, rows, split), one in zip(jobs, side_by_side(probe, jobs, size=size), strict=True):
        errors[:, columns] += one.errors
        without[:, :, columns] += one.without
        chosen[columns, one.layer] += 1
        taking_part = np.unique(group[rows][(split.train | split.test)[rows]])
        known[np.ix_(taking_part, columns)] = True
    return _scored(errors, without, known, chosen, seed=seed)


class _OneSplit(NamedTuple):
    """Sums of squared errors of one split: [whose, t], without each work, and the layers [t]."""

    errors: Array
    without: Array
    layer: NDArray[np.int64]


def _nested(
    layers: Sequence[Array],
    y: Array,
    group: NDArray[np.int64],
    *,
    rows: NDArray[np.int64],
    split: Split,
    change: Change,
    alphas: Sequence[float],
    works: int,
) -> _OneSplit:
    """Probe every layer in one split and keep, of each target, the layer that training chose."""
    train, test = split
    names = np.arange(works)
    inner, found, lost = [], [], []
    for layer in layers:
        x, seen = change(layer, y, split, rows)
        path = RidgePath(x[train], seen[train])
        best, left_out = choose_alpha(path, seen[train], group[train], alphas=alphas)
        predicted = path.predict_each(x[test], alphas=best)
        by_group = path.errors_without(
            x[test], seen[test], groups=group[train], alphas=best, left_out=left_out
        )
        inner.append(np.square(left_out - seen[train]).sum(axis=0))
        mean = seen[train].mean(axis=0)
        found.append(
            [
                np.square(seen[test] - predicted).sum(axis=0),
                np.square(seen[test] - mean).sum(axis=0),
            ]
        )
        lost.append(
            errors_without_groups(
                (seen[train], group[train]),
                (seen[test], group[test]),
                predicted=predicted,
                by_group=by_group,
                names=names,
            )
        )
    choice = np.argmin(np.array(inner), axis=0)
    columns = np.arange(y.shape[1])
    return _OneSplit(
        np.array(found)[choice, :, columns].T,
        np.moveaxis(np.array(lost)[choice, :, :, columns], 0, -1),
        choice,
    )


def _scored(
    errors: Array, without: Array, known: NDArray[np.bool_], chosen: Array, *, seed: int
) -> SplitScores:
    error, total = errors
    told = (total > 0) & (error > 0)
    r2 = np.where(told, 1.0 - np.divide(error, total, where=told, out=np.ones_like(error)), np.nan)
    left, whole = without
    usable = known & (left > 0) & (whole > 0)
    shares = np.log(
        np.divide(left, whole, where=usable, out=np.ones_like(left)),
        where=usable,
        out=np.full_like(left, np.nan),
    )
    moves = statistics.influence(_log_error(r2), shares)
    low, high = _interval(_log_error(r2), moves, works=usable.sum(axis=0), seed=seed)
    share = chosen / np.maximum(chosen.sum(axis=1, keepdims=True), 1)
    return SplitScores(r2, moves, low, high, share)


def partial_scores(together: SplitScores, alone: SplitScores, *, seed: int = 0) -> SplitScores:
    """Return the partial R²: the share of what one reading leaves untold that more columns tell.

    Parameters
    ----------
    together : SplitScores
        Of probes on both.
    alone : SplitScores
        Of probes on what is given, on the same rows and splits.
    seed : int
        Of the draws behind the interval.
    """
    share = _log_error(together.r2) - _log_error(alone.r2)
    moves = together.influence - alone.influence
    works = np.full(share.shape, len(moves))
    works[~np.isfinite(together.low)] = 0
    low, high = _interval(share, moves, works=works, seed=seed)
    return SplitScores(1.0 - np.exp(share), moves, low, high, together.layers)


def _log_error(r2: Array) -> Array:
    return np.log(np.maximum(1.0 - r2, np.finfo(float).tiny))


def _interval(
    log_error: Array, moves: Array, *, works: NDArray[np.int64], seed: int
) -> tuple[Array, Array]:
    draws = statistics.works_drawn(len(moves), bootstrap=_DRAWS, seed=seed)
    bounds = statistics.interval(statistics.resampled_r2(log_error, moves, draws=draws))
    bounds[:, works < statistics.FEWEST_WORKS] = np.nan
    return bounds[0], bounds[1]


def patterns_of(y: Array) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return (columns, rows) of the targets that are defined on the same rows."""
    of: dict[bytes, list[int]] = {}
    defined = np.isfinite(y)
    for column in range(y.shape[1]):
        of.setdefault(defined[:, column].tobytes(), []).append(column)
    return [
        (np.asarray(columns), np.flatnonzero(defined[:, columns[0]])) for columns in of.values()
    ]


def _enough(split: Split, rows: NDArray[np.int64], group: NDArray[np.int64]) -> bool:
    """Tell whether a split leaves rows to fit on and rows to test."""
    train, test = split.train[rows], split.test[rows]
    works = len(np.unique(group[rows][train]))
    return bool(test.any()) and int(train.sum()) >= MIN_ROWS and works >= MIN_WORKS
