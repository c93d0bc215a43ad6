"""Stacking: predict each target from all layers together, out of fold.

Task: give every track one predicted value for each target, so that search can rank by it. A probe
is fitted on every predictor (a layer, pooled in one way). The predictions are mixed by a convex
combination that each training fold learns. If a target is also known for segments, there is a
second kind of predictor: a probe fitted on segments, whose predictions are averaged over a track.
There are many more segments than tracks to fit it on.

A row with a known target is predicted by the fold that was fitted without its work. A row without a
known target is predicted by the mean over all folds.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> x = rng.standard_normal((30, 4))
>>> stacked = stack([x, x[:, :2]], x[:, :1], np.arange(30))
>>> stacked.r2[0] > 0.9
np.True_
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from mess.probing.folds import NO_PARTS, assign_folds, by_missing_rows
from mess.probing.layers import weigh_layers
from mess.probing.metrics import r2_score, training_means
from mess.probing.probes import out_of_fold
from mess.probing.ridge import DEFAULT_ALPHAS, Array, predict_at


@dataclass(frozen=True)
class Stacked:
    """Predicted targets.

    Attributes
    ----------
    predicted : ndarray [shape=(n, t)]
        Predicted values, in the targets' units; NaN in the columns that could not be probed.
    r2 : ndarray [shape=(t,)]
        R² over the rows with a known target, against the training mean; NaN where undefined.
    shares : ndarray [shape=(t, predictors)]
        Mean weight of each predictor over the folds: predictors of tracks, then of segments, then
        the others.
    weights : list of ndarray [shape=(d, t)]
        The linear map of each predictor, averaged over the folds: it predicts a row that no fold
        was fitted on. A predictor of segments is applied to the mean over a row's segments.
    intercepts : ndarray [shape=(t,)]
    fold : ndarray [shape=(n,), dtype=int]
        The fold of each row; −1 if the row has no target.
    of_segments : SegmentProbes or None
    """

    predicted: Array
    r2: Array
    shares: Array
    weights: list[NDArray[np.float32]]
    intercepts: Array
    fold: NDArray[np.int64]
    of_segments: "SegmentProbes | None" = None


@dataclass(frozen=True)
class SegmentProbes:
    """The linear maps that predict the targets of segments, one for each fold.

    Attributes
    ----------
    weights : ndarray [shape=(folds, predictors, d, t)]
        The weights of the mixture; 0 in the columns that could not be probed.
    intercepts : ndarray [shape=(folds, t)]
        NaN in those columns.
    r2 : ndarray [shape=(t,)]
        Out-of-fold R² over the given segments, against the training mean.
    """

    weights: NDArray[np.float32]
    intercepts: Array
    r2: Array


@dataclass(frozen=True)
class Segments:
    """The segments of some rows.

    Attributes
    ----------
    predictors : sequence of ndarray [shape=(s, d)]
    targets : ndarray [shape=(s, t)]
        The same targets as those of the rows; NaN where a segment has no value.
    owner : ndarray [shape=(s,), dtype=int]
        The row that each segment belongs to.
    """

    predictors: Sequence[NDArray[np.floating[Any]]]
    targets: Array
    owner: NDArray[np.int64]


class Table(NamedTuple):
    """The predictions of one predictor for every row; NaN where it has none.

    Attributes
    ----------
    predicted : ndarray [shape=(n, t)]
        Rows with a target, out of fold.
    inner : ndarray [shape=(folds, n, t)]
        Training rows of each fold, by a fit that saw neither that fold nor the row's own work.
    elsewhere : ndarray [shape=(folds, n, t)]
        Rows without the target.
    weights : ndarray [shape=(folds, d, t)]
        The linear map; d is 0 for a predictor that is not linear in the features.
    intercepts : ndarray [shape=(folds, t)]
    """

    predicted: Array
    inner: NDArray[np.float32]
    elsewhere: NDArray[np.float32]
    weights: NDArray[np.float32]
    intercepts: Array


def stack(
    predictors: Sequence[NDArray[np.floating[Any]]],
    targets: ArrayLike,
    groups: ArrayLike,
    *,
    segments: Segments | None = None,
    more: Sequence[Table] = (),
    folds: int = 10,
    seed: int = 0,
    part_of: Mapping[str, str] = NO_PARTS,
    alphas: Sequence[float] = DEFAULT_ALPHAS,
) -> Stacked:
    """Predict every target of every row, out of fold.

    Parameters
    ----------
    predictors : sequence of ndarray [shape=(n, d)]
        The dimensions may differ.
    targets : array_like [shape=(n, t)]
        NaN where a target is not known.
    groups : array_like [shape=(n,)]
        The work of each row.
    segments : Segments, optional
    more : sequence of Table
        Predictions that were made in another way, by the folds of `folds_of`; they are mixed in.
    folds, seed, part_of
        See `assign_folds`.
    alphas : sequence of float
        The grid from which each training fold chooses.

    Raises
    ------
    MessError
        If rows with a target come from fewer than three works.
    """
    y = np.asarray(targets, dtype=np.float64)
    _, works = np.unique(np.asarray(groups), return_inverse=True)
    fold = folds_of(y, np.asarray(groups), folds=folds, seed=seed, part_of=part_of)
    # What is mixed must be tested alike: curves are predicted with pairs of folds left out.
    paired = bool(more)
    tables = [_predict(x, y, works, fold, alphas=alphas, paired=paired) for x in predictors]
    of_segments = None
    if segments is not None:
        # A segment is used for fitting only if its track's target is known: no hidden target leaks.
        taught = np.where(np.isfinite(y[segments.owner]), segments.targets, np.nan)
        owner = segments.owner
        probed = [
            _predict(x, taught, works[owner], fold[owner], alphas=alphas, paired=paired)
            for x in segments.predictors
        ]
        tables += [_average_over_rows(table, y, fold, taught, owner) for table in probed]
        of_segments = _mix_segments(probed, taught, fold[owner])
    tables += more
    predicted, shares = np.full(y.shape, np.nan), np.full((y.shape[1], len(tables)), np.nan)
    maps = [np.zeros((table.weights.shape[1], y.shape[1]), dtype=np.float32) for table in tables]
    intercepts = np.full(y.shape[1], np.nan)
    for column in range(y.shape[1]):
        usable = [n for n, table in enumerate(tables) if _is_whole(table, y[:, column], column)]
        if not usable:
            continue
        rows = np.isfinite(y[:, column])
        present, of_fold = np.unique(fold[rows], return_inverse=True)
        inner = np.stack([tables[n].inner[present][:, rows, column] for n in usable])
        weights = weigh_layers(y[rows, column], inner)
        by_each = np.stack([tables[n].predicted[rows, column] for n in usable])
        predicted[rows, column] = (weights[of_fold] * by_each.T).sum(axis=1)
        beyond = np.stack([tables[n].elsewhere[present][:, ~rows, column] for n in usable])
        predicted[~rows, column] = np.einsum("fp,pfm->fm", weights, beyond).mean(axis=0)
        shares[column] = 0.0
        shares[column, usable] = weights.mean(axis=0)
        intercepts[column] = 0.0
        for share, n in zip(weights.T, usable, strict=True):
            maps[n][:, column] = share @ tables[n].weights[present, :, column] / len(present)
            intercepts[column] += share @ tables[n].intercepts[present, column] / len(present)
    return Stacked(
        predicted, _score(y, predicted, fold), shares, maps, intercepts, fold, of_segments
    )


def folds_of(
    targets: Array,
    works: NDArray[Any],
    *,
    folds: int = 10,
    seed: int = 0,
    part_of: Mapping[str, str] = NO_PARTS,
) -> NDArray[np.int64]:
    """Return the fold of each row [n], by its work; −1 if the row has no target.

    See `assign_folds`; ``part_of`` goes by the names in ``works``.
    """
    labelled = np.isfinite(targets).any(axis=1)
    fold = np.full(len(targets), -1, dtype=np.int64)
    fold[labelled] = assign_folds(works[labelled], folds=folds, seed=seed, part_of=part_of)
    return fold


def _mix_segments(probed: Sequence[Table], taught: Array, fold: NDArray[np.int64]) -> SegmentProbes:
    """Mix the predictors of segments; each fold learns the weights on its training segments."""
    folds, dimensions, t = probed[0].weights.shape
    out = np.zeros((folds, len(probed), dimensions, t), dtype=np.float32)
    intercepts, predicted = np.full((folds, t), np.nan), np.full(taught.shape, np.nan)
    for column in range(t):
        rows = np.isfinite(taught[:, column])
        if not rows.any() or not all(np.isfinite(p.predicted[rows, column]).all() for p in probed):
            continue
        present, of_fold = np.unique(fold[rows], return_inverse=True)
        inner = np.stack([table.inner[present][:, rows, column] for table in probed])
        weights = weigh_layers(taught[rows, column], inner)
        by_each = np.stack([table.predicted[rows, column] for table in probed])
        predicted[rows, column] = (weights[of_fold] * by_each.T).sum(axis=1)
        for number, table in enumerate(probed):
            out[present, number, :, column] = (
                weights[:, number, None] * table.weights[present, :, column]
            )
        own = np.stack([table.intercepts[present, column] for table in probed], axis=1)
        intercepts[present, column] = (weights * own).sum(axis=1)
    return SegmentProbes(out, intercepts, _score(taught, predicted, fold))


def _score(y: Array, predicted: Array, fold: NDArray[np.int64]) -> Array:
    known = np.where(np.isfinite(y), predicted, np.nan)
    baseline = training_means(y, known[None], fold)
    r2 = np.full(y.shape[1], np.nan)
    for column in range(y.shape[1]):
        rows = np.isfinite(known[:, column])
        if rows.any():
            score = r2_score(y[rows, column], known[rows, column], baseline[rows, column])
            r2[column] = np.nan if score is None else score
    return r2


def _is_whole(table: Table, y: Array, column: int) -> bool:
    """Tell whether a predictor has a prediction for every row of a target."""
    rows = np.isfinite(y)
    if not rows.any() or not np.isfinite(table.predicted[rows, column]).all():
        return False
    return bool(np.isfinite(table.elsewhere[:, ~rows, column]).any(axis=0).all())


def _nothing(shape: tuple[int, ...], folds: int, dimensions: int) -> Table:
    inner = np.full((folds, *shape), np.nan, dtype=np.float32)
    weights = np.zeros((folds, dimensions, shape[1]), dtype=np.float32)
    intercepts = np.full((folds, shape[1]), np.nan)
    return Table(np.full(shape, np.nan), inner, inner.copy(), weights, intercepts)


def _predict(
    x: NDArray[np.floating[Any]],
    y: Array,
    works: NDArray[Any],
    fold: NDArray[np.int64],
    *,
    alphas: Sequence[float],
    paired: bool = False,
) -> Table:
    """Probe one predictor for all targets; ``paired``: inner predictions leave out two folds."""
    out = _nothing(y.shape, int(fold.max()) + 1, x.shape[1])
    for columns, rows in by_missing_rows(y, works, fold):
        others = np.setdiff1d(np.arange(len(y)), rows)
        probes = out_of_fold(
            np.asarray(x[rows], dtype=np.float64),
            y[np.ix_(rows, columns)],
            works[rows],
            fold=fold[rows],
            alphas=alphas,
            elsewhere=np.asarray(x[others], dtype=np.float64),
            jackknife=False,
            coefficients=True,
        )
        present = np.unique(fold[rows])
        out.predicted[np.ix_(rows, columns)] = probes.predicted
        inner = probes.inner
        if paired and len(present) > 2:
            inner = _leave_pairs_out(
                np.asarray(x[rows], dtype=np.float64),
                y[np.ix_(rows, columns)],
                np.searchsorted(present, fold[rows]),
                alphas=probes.alphas,
            )
        out.inner[np.ix_(present, rows, columns)] = inner
        out.elsewhere[np.ix_(present, others, columns)] = probes.elsewhere
        out.weights[np.ix_(present, np.arange(x.shape[1]), columns)] = probes.weights
        out.intercepts[np.ix_(present, columns)] = probes.intercepts
    return out


def _leave_pairs_out(
    x: Array, y: Array, fold: NDArray[np.int64], *, alphas: Array
) -> NDArray[np.float32]:
    """Predict the training rows of each fold without their own fold, too.

    Parameters
    ----------
    x : ndarray [shape=(n, d)]
    y : ndarray [shape=(n, t)]
    fold : ndarray [shape=(n,), dtype=int]
        Numbers without a gap.
    alphas : ndarray [shape=(folds, t)]
        The penalties of each fold.

    Returns
    -------
    ndarray [shape=(folds, n, t)]
        NaN in the rows that a fold holds out.
    """
    out = np.full((len(alphas), *y.shape), np.nan, dtype=np.float32)
    # Matrices of some hundred rows: several threads are slower than one.
    with threadpool_limits(limits=1, user_api="blas"):
        for a, b in combinations(range(len(alphas)), 2):
            train = (fold != a) & (fold != b)
            held = [(x[fold == b], alphas[a]), (x[fold == a], alphas[b])]
            of_b, of_a = predict_at(x[train], y[train], held)
            out[a, fold == b], out[b, fold == a] = of_b, of_a
    return out


def _average_over_rows(
    table: Table,
    y: Array,
    fold: NDArray[np.int64],
    taught: Array,
    owner: NDArray[np.int64],
) -> Table:
    """Average the predictions of segments over their tracks.

    The target of a track need not be the mean of its segments' targets. So each training fold fits
    a line from the averages to the target.
    """
    out = _nothing(y.shape, len(table.weights), table.weights.shape[1])
    for column in range(y.shape[1]):
        rows, known = np.isfinite(y[:, column]), np.isfinite(taught[:, column])
        if not known.any():
            continue
        of_known = _average(table.predicted[known, column], owner[known], len(y))
        for number in np.unique(fold[rows]):
            inner = _average(table.inner[number, known, column], owner[known], len(y))
            train = rows & (fold != number) & np.isfinite(inner)
            if train.sum() < 2 or np.ptp(inner[train]) == 0:
                continue
            slope, intercept = np.polyfit(inner[train], y[train, column], 1)
            test = rows & (fold == number)
            out.inner[number, train, column] = slope * inner[train] + intercept
            out.predicted[test, column] = slope * of_known[test] + intercept
            others = ~rows[owner]
            beyond = _average(table.elsewhere[number, others, column], owner[others], len(y))
            out.elsewhere[number, ~rows, column] = slope * beyond[~rows] + intercept
            out.weights[number, :, column] = slope * table.weights[number, :, column]
            out.intercepts[number, column] = slope * table.intercepts[number, column] + intercept
    return out


def _average(values: NDArray[np.floating[Any]], owner: NDArray[np.int64], n: int) -> Array:
    """Return the mean of each owner's finite values, NaN where there is none."""
    finite = np.isfinite(values)
    count = np.bincount(owner[finite], minlength=n)
    total = np.bincount(owner[finite], weights=values[finite].astype(np.float64), minlength=n)
    return np.divide(total, count, out=np.full(n, np.nan), where=count > 0)
