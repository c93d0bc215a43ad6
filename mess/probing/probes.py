"""The probes of one layer, cross-validated: predictions, penalties, and scores on shuffled works.

Task: predict every row, for one layer and the targets that are defined on the same rows, by probes
that were fitted without the rows of its fold. Everything that is chosen (the standardisation, the
penalty) is chosen on the training rows. One eigendecomposition per fold serves all targets,
penalties, inner predictions and shuffles (`mess.probing.shuffled`).
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from mess.probing.ridge import Array, RidgePath
from mess.probing.shuffled import ShuffledProbes, ShuffledScores
from mess.probing.standardising import ProductsByFold

_WORTH_THREADS = 400  # rows or columns from which several threads are faster


class ErrorOf(IntEnum):
    """Whose squared errors stand where in an array with one axis for both."""

    PROBE = 0
    MEAN = 1  # of the training rows


class OutOfFold(NamedTuple):
    """Out-of-fold predictions of the probes of one layer, and what was computed with them.

    Attributes
    ----------
    predicted : ndarray [shape=(n, t)]
        Each row is predicted by the probe that was fitted without it.
    alphas : ndarray [shape=(folds, t)]
        The penalty that each training fold chose.
    inner : ndarray [shape=(folds, n, t)]
        Leave-one-group-out predictions of each fold's training rows; NaN in its test rows.
    shuffled : ShuffledScores
        R² of the same probes on shuffled groups, and on the true ones.
    without : ndarray [shape=(2, folds, groups, t)]
        The squared errors of each fold, first by `ErrorOf`, if one group is
        removed from both training and test rows. Groups are in the order of ``np.unique``.
    elsewhere : ndarray [shape=(folds, m, t)]
        Predictions of the rows without targets by the probe of each fold.
    weights : ndarray [shape=(folds, d, t)]
        The weights of each fold's probe, on the scale of ``x``; empty unless asked for.
    intercepts : ndarray [shape=(folds, t)]
    """

    predicted: Array
    alphas: Array
    inner: NDArray[np.float32]
    shuffled: ShuffledScores
    without: Array
    elsewhere: Array
    weights: Array
    intercepts: Array


def out_of_fold(
    x: Array,
    y: Array,
    groups: NDArray[Any],
    *,
    fold: NDArray[np.int64],
    alphas: Sequence[float],
    shuffled: NDArray[np.integer[Any]] | None = None,
    elsewhere: Array | None = None,
    jackknife: bool = True,
    coefficients: bool = False,
) -> OutOfFold:
    """Predict every row by a probe that saw no row of its fold.

    Parameters
    ----------
    x : ndarray [shape=(n, d)]
    y : ndarray [shape=(n, t)]
    groups : ndarray [shape=(n,)]
        The choice of the penalty leaves out one group at a time.
    fold : ndarray [shape=(n,), dtype=int]
    alphas : sequence of float
        If there are several, each training fold chooses one for each target.
    shuffled : ndarray [shape=(permutations, n), dtype=int], optional
        From `mess.probing.max_t.shuffled_rows`. Each shuffle chooses its own penalties. With the
        penalties of the true targets, p values would be too small.
    elsewhere : ndarray [shape=(m, d)], optional
        Rows without targets, to be predicted too.
    jackknife : bool
        Whether to compute ``without``; otherwise it is NaN.
    coefficients : bool
        Whether to return ``weights`` and ``intercepts``.
    """
    folds = np.unique(fold)
    predicted = np.empty_like(y)
    chosen = np.empty((len(folds), y.shape[1]))
    inner = np.full((len(folds), *y.shape), np.nan, dtype=np.float32)
    elsewhere = x[:0] if elsewhere is None else elsewhere
    beyond = np.empty((len(folds), len(elsewhere), y.shape[1]))
    names = np.unique(groups)
    weights = np.empty((len(folds) if coefficients else 0, x.shape[1], y.shape[1]))
    intercepts = np.empty((len(weights), y.shape[1]))
    without = np.full((len(ErrorOf), len(folds), len(names), y.shape[1]), np.nan)
    probes = None
    if shuffled is not None and len(shuffled):
        probes = ShuffledProbes(x, fold, alphas=alphas)
    scores = ShuffledScores(np.empty((0, y.shape[1])), np.full(y.shape[1], np.nan))
    # On a small matrix, several threads are slower than one.
    with threadpool_limits(limits=1 if min(x.shape) < _WORTH_THREADS else None):
        products = ProductsByFold(x, fold) if len(x) > x.shape[1] else None
        for number, held_out in enumerate(folds):
            test = fold == held_out
            known = None if products is None else products.without(held_out)
            path = RidgePath(x[~test], y[~test], products=known)
            best, left_out = choose_alpha(path, y[~test], groups[~test], alphas=alphas)
            chosen[number], inner[number, ~test] = best, left_out
            predicted[test] = path.predict_each(x[test], alphas=best)
            beyond[number] = path.predict_each(elsewhere, alphas=best)
            if coefficients:
                weights[number], intercepts[number] = path.coefficients(alphas=best)
            if jackknife:
                by_group = path.errors_without(
                    x[test], y[test], groups=groups[~test], alphas=best, left_out=left_out
                )
                without[:, number] = errors_without_groups(
                    (y[~test], groups[~test]),
                    (y[test], groups[test]),
                    predicted=predicted[test],
                    by_group=by_group,
                    names=names,
                )
            if probes is not None:
                probes.add(path, x[test])
            del path  # large
        if probes is not None and shuffled is not None:
            scores = probes.scores(y, shuffled)
    return OutOfFold(predicted, chosen, inner, scores, without, beyond, weights, intercepts)


def errors_without_groups(
    training: tuple[Array, NDArray[Any]],
    held_out: tuple[Array, NDArray[Any]],
    *,
    predicted: Array,
    by_group: Array,
    names: NDArray[Any],
) -> Array:
    """Return the squared errors on held-out rows with each group removed in turn.

    Parameters
    ----------
    training, held_out : (ndarray [shape=(n, t)], ndarray [shape=(n,)])
        Targets and groups of the rows.
    predicted : ndarray [shape=(m, t)]
        Of the held-out rows.
    by_group : ndarray [shape=(groups of the training rows, t)]
        From `RidgePath.errors_without`.
    names : ndarray [shape=(groups,)]
        All groups, sorted.

    Returns
    -------
    ndarray [shape=(2, groups, t)]
        First by `ErrorOf`. A group without rows removes nothing.
    """
    (fitted, its_groups), (truth, own_groups) = training, held_out
    mean = fitted.mean(axis=0)
    errors = np.square(np.stack([truth - predicted, truth - mean]))
    out = np.repeat(errors.sum(axis=1)[:, None], len(names), axis=1)
    removed, membership = np.unique(its_groups, return_inverse=True)
    places = np.searchsorted(names, removed)
    out[ErrorOf.PROBE, places] = by_group
    # The mean without each group: m μ² more than the squared deviations from the own mean.
    sums = np.zeros((len(removed), truth.shape[1]))
    np.add.at(sums, membership, fitted - mean)
    left = (len(fitted) - np.bincount(membership))[:, None]
    less = np.where(left > 0, -sums / np.maximum(left, 1), 0.0)
    centre = truth.mean(axis=0)
    spread = np.square(truth - centre).sum(axis=0)
    out[ErrorOf.MEAN, places] = spread + len(truth) * np.square(centre - mean - less)
    for index in np.searchsorted(names, np.unique(own_groups)):
        out[:, index] -= errors[:, own_groups == names[index]].sum(axis=1)
    return out


def choose_alpha(
    path: RidgePath, y: Array, groups: NDArray[Any], *, alphas: Sequence[float]
) -> tuple[Array, Array]:
    """Choose each target's penalty by leaving one group out at a time.

    Returns
    -------
    alphas : ndarray [shape=(t,)]
        The penalties with the least squared error.
    left_out : ndarray [shape=(n, t)]
        The predictions of the rows left out, at these penalties; the mean if there is one group.
    """
    if len(np.unique(groups)) < 2:
        middle = np.full(y.shape[1], alphas[len(alphas) // 2])
        return middle, np.broadcast_to(y.mean(axis=0), y.shape)
    left_out = path.leave_group_out(groups, alphas=alphas)
    best = np.argmin(np.square(left_out - y).sum(axis=1), axis=0)
    return np.asarray(alphas, dtype=np.float64)[best], left_out[best, :, np.arange(y.shape[1])].T
