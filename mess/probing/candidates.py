"""Several ways to predict the same targets, one chosen inside each training fold.

Task: a target can be read from many candidates: layers, poolings, predicted curves. Each gives its
predictions of held-out rows, and of training rows by fits that lacked them. Every training fold
chooses the candidate with the least error on its own rows, as it chooses a layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.probing.folds import by_missing_rows
from mess.probing.layers import choose_layers, weigh_layers
from mess.probing.metrics import r2_score, spearman_beyond_mean, training_means
from mess.probing.ridge import DEFAULT_ALPHAS, RidgePath

Array = NDArray[np.float64]
_FEWEST_FOLDS = 3  # with fewer, a pair leaves nothing to fit on


@dataclass(frozen=True)
class Candidates:
    """What some candidates predict.

    Attributes
    ----------
    predicted : ndarray [shape=(candidates, n, t)]
        NaN where a candidate does not know a target.
    inner : ndarray [shape=(candidates, folds, n, t), dtype=float32]
    """

    predicted: Array
    inner: NDArray[np.float32]


@dataclass(frozen=True)
class Chosen:
    """What the candidates that the training folds chose reach on one target.

    Attributes
    ----------
    r2, spearman : float or None
    shares : ndarray [shape=(candidates,)]
        The share of the folds that chose each.
    predicted : ndarray [shape=(n,)]
    mixed_r2 : float or None
        Of the convex combination of all candidates that each training fold learned.
    """

    r2: float | None
    spearman: float | None
    shares: Array
    predicted: Array
    mixed_r2: float | None


def probe_candidates(
    layers: Sequence[NDArray[np.floating[Any]]],
    y: Array,
    works: NDArray[np.int64],
    fold: NDArray[np.int64],
    *,
    alphas: Sequence[float] = DEFAULT_ALPHAS,
) -> Candidates:
    """Probe each layer [n, d] for every target, folds within folds.

    Inner predictions and the penalty come from the same folds as those of curves
    (`mess.probing.moments.predict_curves`): each pair of folds is left out together. A reading
    whose inner errors came from one work left out at a time would seem better than the others.
    """
    folds = int(fold.max()) + 1
    predicted = np.full((len(layers), *y.shape), np.nan)
    inner = np.full((len(layers), folds, *y.shape), np.nan, dtype=np.float32)
    for columns, rows in by_missing_rows(y, works, fold):
        present, own = np.unique(fold[rows], return_inverse=True)
        if len(present) < _FEWEST_FOLDS:
            continue
        for place, layer in enumerate(layers):
            x = np.asarray(layer[rows], dtype=np.float64)
            out, inside = _pairs(x, y[np.ix_(rows, columns)], own, alphas)
            predicted[place][np.ix_(rows, columns)] = out
            inner[place][np.ix_(present, rows, columns)] = inside
    return Candidates(predicted, inner)


def _pairs(
    x: Array, y: Array, fold: NDArray[np.int64], alphas: Sequence[float]
) -> tuple[Array, Array]:
    """Return held-out predictions [n, t], and inner ones [folds, n, t]."""
    folds, targets = int(fold.max()) + 1, np.arange(y.shape[1])
    guesses = np.full((len(alphas), folds, *y.shape), np.nan)
    for a, b in combinations(range(folds), 2):
        train = (fold != a) & (fold != b)
        path = RidgePath(x[train], y[train])
        for out, of in ((a, b), (b, a)):
            guesses[:, out, fold == of] = path.predict(x[fold == of], alphas=alphas)
    error = np.nansum(np.square(guesses - y), axis=2)
    best = error.argmin(axis=0)  # [folds, targets]
    predicted = np.empty_like(y)
    for k in range(folds):
        path = RidgePath(x[fold != k], y[fold != k])
        chosen = np.asarray(alphas, dtype=np.float64)[best[k]]
        predicted[fold == k] = path.predict_each(x[fold == k], alphas=chosen)
    inner = guesses[best[:, targets], np.arange(folds)[:, None], :, targets]
    return predicted, inner.transpose(0, 2, 1)


def choose(
    candidates: Candidates, y: Array, fold: NDArray[np.int64], *, target: int
) -> Chosen | None:
    """Predict one target by the candidate that each training fold chooses.

    None where no candidate knows it.
    """
    truth = y[:, target]
    rows = np.isfinite(truth)
    inner = candidates.inner[:, :, :, target]
    guesses = candidates.predicted[:, :, target]
    known = np.flatnonzero([np.isfinite(one[rows]).all() and rows.any() for one in guesses])
    if not known.size:
        return None
    folds, of_fold = np.unique(fold[rows], return_inverse=True)
    if len(folds) < 2:
        return None
    inside = inner[known][:, folds][:, :, rows]
    choice = known[choose_layers(truth[rows], inside)]
    predicted = np.full(len(truth), np.nan)
    predicted[rows] = guesses[choice[of_fold], np.flatnonzero(rows)]
    base = training_means(truth[rows, None], predicted[rows][None, :, None], fold[rows])[:, 0]
    shares = np.bincount(choice, minlength=len(guesses)) / len(choice)
    score = r2_score(truth[rows], predicted[rows], base)
    rank = spearman_beyond_mean(truth[rows], predicted[rows], base)
    weights = weigh_layers(truth[rows], inside)[of_fold]
    mixed = (weights * guesses[known][:, rows].T).sum(axis=1)
    return Chosen(score, rank, shares, predicted, r2_score(truth[rows], mixed, base))
