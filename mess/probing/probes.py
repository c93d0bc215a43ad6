"""One layer's probes, cross-validated: predictions, penalties, and what chance would give.

Task: for one layer and the targets that are defined on the same rows, predict every row by probes
that saw no row of its fold. Everything that is chosen (the standardisation, the penalty) is chosen
on the training rows. One eigendecomposition per fold serves all targets, penalties, inner
predictions and shuffles.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from mess.probing.ridge import Array, RidgePath

_WORTH_THREADS = 400  # side of a matrix
_SHUFFLED_VALUES = 4_000_000  # targets of shuffled works that are held at a time


class OutOfFold(NamedTuple):
    """What the probes of one layer predict.

    Attributes
    ----------
    predicted : ndarray [shape=(n, t)]
        Each row by the probe that did not see it.
    alphas : ndarray [shape=(folds, t)]
        The penalty that each training fold chose.
    inner : ndarray [shape=(folds, n, t)]
        Training rows by the fold's own leave-one-group-out; NaN in the rows that are held out.
    null : ndarray [shape=(shuffles, t)]
        R² of the same probes on shuffled groups.
    """

    predicted: Array
    alphas: Array
    inner: NDArray[np.float32]
    null: Array


def out_of_fold(
    x: Array,
    y: Array,
    groups: NDArray[Any],
    *,
    fold: NDArray[np.int64],
    alphas: Sequence[float],
    shuffled: NDArray[np.int64] | None = None,
) -> OutOfFold:
    """Predict every row by a probe that saw no row of its fold.

    Parameters
    ----------
    x : ndarray [shape=(n, d)]
    y : ndarray [shape=(n, t)]
    groups : ndarray [shape=(n,)]
        What the choice of the penalty leaves out at a time.
    fold : ndarray [shape=(n,), dtype=int]
    alphas : sequence of float
        Where there are several, each training fold chooses one per target.
    shuffled : ndarray [shape=(shuffles, n), dtype=int], optional
        From `mess.probing.shuffles.shuffled_rows`. A shuffle keeps the penalties of the true
        targets: under the null they say nothing about the rows that are held out.
    """
    folds = np.unique(fold)
    predicted = np.empty_like(y)
    chosen = np.empty((len(folds), y.shape[1]))
    inner = np.full((len(folds), *y.shape), np.nan, dtype=np.float32)
    shuffled = np.empty((0, len(y)), dtype=np.int64) if shuffled is None else shuffled
    sums = np.zeros((2, len(shuffled), y.shape[1]))  # squared errors: of the probe, of the mean
    # Threads that share a small matrix spend their time waiting for each other.
    with threadpool_limits(limits=1 if min(x.shape) < _WORTH_THREADS else None):
        for number, held_out in enumerate(folds):
            test = fold == held_out
            path = RidgePath(x[~test], y[~test])
            best, inner[number, ~test] = choose_alpha(path, y[~test], groups[~test], alphas=alphas)
            chosen[number] = best
            for alpha in np.unique(best):
                columns = np.flatnonzero(best == alpha)
                predicted[np.ix_(test, columns)] = path.predict(x[test], alphas=[alpha])[0][
                    :, columns
                ]
                if len(shuffled):
                    smoother = path.smoother(x[test], alpha=alpha).astype(np.float32)
                    _add_shuffled_errors(
                        sums, smoother, y, test=test, columns=columns, shuffled=shuffled
                    )
    null = 1.0 - np.divide(sums[0], sums[1], out=np.full_like(sums[0], np.nan), where=sums[1] > 0)
    return OutOfFold(predicted, chosen, inner, null)


def _add_shuffled_errors(
    sums: Array,
    smoother: NDArray[np.float32],
    y: Array,
    *,
    test: NDArray[np.bool_],
    columns: NDArray[np.int64],
    shuffled: NDArray[np.int64],
) -> None:
    """Add one fold's squared errors on shuffled targets to ``sums`` [2, shuffles, t]."""
    values = (y[:, columns] - y[:, columns].mean(axis=0)).astype(np.float32)
    step = max(1, _SHUFFLED_VALUES // values.size)
    for first in range(0, len(shuffled), step):
        rows = shuffled[first : first + step]
        train = values[rows[:, ~test]].transpose(1, 0, 2)  # [rows, shuffles, targets]
        mean = train.mean(axis=0)
        fitted = smoother @ (train - mean).reshape(len(train), -1)
        deviation = values[rows[:, test]].transpose(1, 0, 2) - mean
        error = deviation - fitted.reshape(deviation.shape)
        part = np.s_[first : first + step]
        sums[0, part, columns] += np.square(error).sum(axis=0).T
        sums[1, part, columns] += np.square(deviation).sum(axis=0).T


def choose_alpha(
    path: RidgePath, y: Array, groups: NDArray[Any], *, alphas: Sequence[float]
) -> tuple[Array, Array]:
    """Choose each target's penalty by leaving one group out at a time.

    Returns
    -------
    alphas : ndarray [shape=(t,)]
        The penalties with the least squared error.
    left_out : ndarray [shape=(n, t)]
        The predictions that decided it; the mean where there is one group only.
    """
    if len(np.unique(groups)) < 2:
        middle = np.full(y.shape[1], alphas[len(alphas) // 2])
        return middle, np.broadcast_to(y.mean(axis=0), y.shape)
    left_out = path.leave_group_out(groups, alphas=alphas)
    best = np.argmin(np.square(left_out - y).sum(axis=1), axis=0)
    return np.asarray(alphas, dtype=np.float64)[best], left_out[best, :, np.arange(y.shape[1])].T
