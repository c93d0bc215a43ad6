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
    """

    r2: float | None
    spearman: float | None
    shares: Array
    predicted: Array


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
    whose inner errors came from one work left out at a time would seem better than the others. So
    would one whose penalty was chosen by the very errors that judge it: the penalty behind an inner
    prediction is chosen on the other folds.
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
    errors = np.square(guesses - y)
    by_fold = np.stack([np.nansum(errors[:, :, fold == j], axis=2) for j in range(folds)], axis=2)
    total = by_fold.sum(axis=2)  # [alphas, folds, targets]
    best = total.argmin(axis=0)
    # The errors that judge a reading have not chosen its penalty: the other folds have.
    elsewhere = (total[:, :, None] - by_fold).argmin(axis=0)  # [folds, folds, targets]
    predicted = np.empty_like(y)
    for k in range(folds):
        path = RidgePath(x[fold != k], y[fold != k])
        chosen = np.asarray(alphas, dtype=np.float64)[best[k]]
        predicted[fold == k] = path.predict_each(x[fold == k], alphas=chosen)
    rows = np.arange(len(y))[:, None]
    inner = np.stack([guesses[elsewhere[k][fold], k, rows, targets] for k in range(folds)])
    return predicted, inner


def choose(
    candidates: Candidates, y: Array, fold: NDArray[np.int64], *, target: int
) -> Chosen | None:
    """Predict one target by the candidate that each training fold chooses.

    None where no candidate knows it.
    """
    known = _known_of(candidates, y, fold, target)
    if known is None:
        return None
    choice = known.numbers[choose_layers(known.truth, known.inner)]
    guesses = candidates.predicted[:, known.rows, target]
    predicted = np.full(len(y), np.nan)
    predicted[known.rows] = guesses[choice[known.fold], np.arange(len(known.rows))]
    base = known.base(predicted[known.rows])
    return Chosen(
        r2_score(known.truth, predicted[known.rows], base),
        spearman_beyond_mean(known.truth, predicted[known.rows], base),
        np.bincount(choice, minlength=len(guesses)) / len(choice),
        predicted,
    )


def mix(candidates: Candidates, y: Array, fold: NDArray[np.int64], *, target: int) -> float | None:
    """Return R² of the convex combination of all candidates that each training fold learns."""
    known = _known_of(candidates, y, fold, target)
    if known is None:
        return None
    weights = weigh_layers(known.truth, known.inner)[known.fold]
    guesses = candidates.predicted[known.numbers][:, known.rows, target]
    mixed = (weights * guesses.T).sum(axis=1)
    return r2_score(known.truth, mixed, known.base(mixed))


@dataclass(frozen=True)
class _Known:
    """The candidates and rows that know a target; folds are numbered without a gap."""

    numbers: NDArray[np.int64]
    rows: NDArray[np.int64]
    truth: Array
    inner: NDArray[np.float32]
    fold: NDArray[np.int64]

    def base(self, predicted: Array) -> Array:
        """Return the mean of the training rows of each row."""
        return training_means(self.truth[:, None], predicted[None, :, None], self.fold)[:, 0]


def _known_of(
    candidates: Candidates, y: Array, fold: NDArray[np.int64], target: int
) -> _Known | None:
    rows = np.flatnonzero(np.isfinite(y[:, target]))
    guesses = candidates.predicted[:, rows, target]
    numbers = np.flatnonzero(np.isfinite(guesses).all(axis=1)) if rows.size else rows
    folds, of_fold = np.unique(fold[rows], return_inverse=True)
    if not numbers.size or len(folds) < 2:
        return None
    inner = candidates.inner[:, :, :, target][numbers][:, folds][:, :, rows]
    return _Known(numbers, rows, y[rows, target], inner, of_fold)
