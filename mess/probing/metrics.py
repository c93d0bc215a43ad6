"""Metrics of predictions: R² against the training mean, and rank correlation."""

from typing import SupportsFloat

import numpy as np
from numpy.typing import NDArray

from mess.probing.ridge import Array


def defined(value: SupportsFloat) -> float | None:
    """Return a number as a record keeps it: None where it is undefined.

    >>> defined(0.5), defined(float("nan"))
    (0.5, None)
    """
    number = float(value)
    return number if np.isfinite(number) else None


def r2_score(y: Array, predicted: Array, baseline: Array) -> float | None:
    """Return 1 − Σ(y − ŷ)² / Σ(y − baseline)², or None if the target does not vary."""
    total = float(np.square(y - baseline).sum())
    if total <= 1e-20 * max(float(np.square(y).sum()), 1e-300) or np.ptp(y) == 0:
        return None
    return 1.0 - float(np.square(y - predicted).sum()) / total


def share_told(error: Array, total: Array) -> Array:
    """Return 1 − error / total; NaN where the total is 0."""
    return 1.0 - np.divide(error, total, out=np.full_like(total, np.nan), where=total > 0)


def spearman(a: Array, b: Array) -> float | None:
    """Return the rank correlation, ties averaged, or None if one of the two does not vary."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(np.corrcoef(average_ranks(a), average_ranks(b))[0, 1])


def average_ranks(values: Array) -> Array:
    """Return the ranks of finite numbers, from 1; equal numbers share the mean of their ranks.

    This is `scipy.stats.rankdata`, which takes several times as long for some dozens.

    >>> average_ranks(np.array([0.5, 0.1, 0.5]))
    array([2.5, 1. , 2.5])
    """
    order = np.argsort(values)
    ascending = values[order]
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1.0, len(values) + 1)
    differs = ascending[1:] != ascending[:-1]
    if not differs.all():
        first = np.flatnonzero(np.append(True, differs))
        last = np.append(first[1:], len(values))
        ranks[order] = np.repeat((first + last + 1) / 2, last - first)
    return ranks


_HARDLY = 0.05  # share of the deviation of the truth


def is_only_mean(y: Array, predicted: Array, baseline: Array) -> bool:
    """Tell whether a probe predicts no more than the mean of its training rows.

    This is the case if the probe's deviations from that mean are not larger than the differences of
    the mean between folds, or hardly there: under 5 % of the deviation of the target. The training
    mean of a fold is low if the fold's own rows are high. So the ranks of such predictions are
    opposite to the truth (a Spearman near −0.5) and carry no information.

    Parameters
    ----------
    y, predicted, baseline : ndarray [shape=(n,)]
        The truth, out-of-fold predictions, and the mean of the rows that each probe was fitted on.
    """
    beyond = float(np.square(predicted - baseline).mean())
    return beyond <= max(float(baseline.var()), _HARDLY**2 * float(y.var()))


def spearman_beyond_mean(y: Array, predicted: Array, baseline: Array) -> float | None:
    """Return `spearman`, or None where `is_only_mean`."""
    return None if is_only_mean(y, predicted, baseline) else spearman(y, predicted)


def training_means(y: Array, predicted: Array, fold: NDArray[np.int64]) -> Array:
    """Return, for every row and target, the mean of the rows that its probe was fitted on."""
    baseline = np.full_like(y, np.nan)
    for column in range(y.shape[1]):
        rows = np.isfinite(predicted[0, :, column])
        for held_out in np.unique(fold[rows]):
            training = y[rows & (fold != held_out), column]
            baseline[rows & (fold == held_out), column] = training.mean()
    return baseline
