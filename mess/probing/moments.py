"""Ridge probes on moments: a curve from the states of one layer, works held out.

Task: predict curves [moments, curves] from states [moments, dim], each moment by a probe that saw
no moment of its fold, and each training moment by a probe that saw neither its own fold nor the
fold that is held out. So whatever is chosen or fitted afterwards (a layer, a smoothing, a
calibration line) can be chosen inside the training folds.

Conventions: there are far more moments than dimensions, so a fit needs only sums over moments: of
the states, of their products with each other and with the curves. They are kept per fold, and those
of any set of folds are added up. The standardisation is that of the folds that fit. The penalty,
that of `sklearn.linear_model.Ridge`, is chosen for each curve by the error on the inner folds,
which these sums tell without a prediction. Every pair of folds is left out once and serves both as
the inner fold of the other: 55 fits for ten folds.

References
----------
T. Hastie, R. Tibshirani, J. Friedman: The Elements of Statistical Learning, 2nd ed., 2009,
sections 3.4.1 and 7.10.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MOMENT_ALPHAS: tuple[float, ...] = (10.0, 1e2, 1e3, 1e4, 1e5)


@dataclass(frozen=True)
class Sums:
    """Sums over some moments, of which every fit is made.

    Attributes
    ----------
    n : float
    x, y : ndarray [shape=(dim,)], [shape=(curves,)]
    xx, xy, yy : ndarray [shape=(dim, dim)], [shape=(dim, curves)], [shape=(curves,)]
    """

    n: float
    x: Array
    y: Array
    xx: Array
    xy: Array
    yy: Array

    @classmethod
    def of(cls, x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]]) -> "Sums":
        """Return the sums of states [n, dim] and curves [n, curves]."""
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        return cls(float(len(x)), x.sum(0), y.sum(0), x.T @ x, x.T @ y, np.square(y).sum(0))

    def __add__(self, other: "Sums") -> "Sums":
        """Return the sums over both."""
        return Sums(
            *(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True))
        )

    def __sub__(self, other: "Sums") -> "Sums":
        """Return the sums without the other's moments."""
        return Sums(
            *(a - b for a, b in zip(vars(self).values(), vars(other).values(), strict=True))
        )

    def fit(self, alphas: Sequence[float]) -> tuple[Array, Array]:
        """Return weights [alphas, dim, curves] and intercepts [alphas, curves].

        Both on the original scale of the states.
        """
        from scipy.linalg import solve

        mean, mean_y = self.x / self.n, self.y / self.n
        variance = np.maximum(np.diag(self.xx) / self.n - mean**2, 0.0)
        flat = variance <= 1e-12 * np.maximum(mean**2, 1e-300)
        scale = np.sqrt(np.where(flat, 1.0, variance))
        gram = (self.xx - self.n * np.outer(mean, mean)) / np.outer(scale, scale)
        cross = (self.xy - self.n * np.outer(mean, mean_y)) / scale[:, None]
        weights = np.empty((len(alphas), *cross.shape))
        diagonal = np.einsum("ii->i", gram)
        own = diagonal.copy()
        for place, alpha in enumerate(alphas):
            diagonal[:] = own + alpha
            weights[place] = solve(gram, cross, assume_a="pos", check_finite=False)
        weights /= scale[:, None]
        return weights, mean_y - np.einsum("d,adc->ac", mean, weights)

    def errors(self, weights: Array, intercepts: Array) -> Array:
        """Return the squared errors [alphas, curves] of some fits on these moments."""
        fitted = np.einsum("adc,adc->ac", weights, self.xx @ weights)
        linear = np.einsum("adc,dc->ac", weights, self.xy)
        shift = np.einsum("adc,d->ac", weights, self.x)
        error = self.yy + fitted - 2 * linear + 2 * intercepts * (shift - self.y)
        return np.asarray(np.maximum(error + self.n * intercepts**2, 0.0))


@dataclass(frozen=True)
class PredictedCurves:
    """What the probes of one layer predict.

    Attributes
    ----------
    predicted : ndarray [shape=(n, curves), dtype=float32]
        Each moment by the probe that did not see its fold.
    inner : ndarray [shape=(folds, n, curves), dtype=float32]
        For each fold that is held out, the other moments by probes that saw neither it nor their
        own fold; NaN in the moments that are held out.
    alphas : ndarray [shape=(folds, curves)]
        The penalty that each training fold chose.
    inner_error : ndarray [shape=(folds, curves)]
        Mean squared error of ``inner``.
    """

    predicted: NDArray[np.float32]
    inner: NDArray[np.float32]
    alphas: Array
    inner_error: Array


def predict_curves(
    x: NDArray[np.floating[Any]],
    y: NDArray[np.floating[Any]],
    fold: NDArray[np.int64],
    *,
    alphas: Sequence[float] = MOMENT_ALPHAS,
) -> PredictedCurves:
    """Predict curves from the states of one layer.

    Parameters
    ----------
    x : ndarray [shape=(n, dim)]
    y : ndarray [shape=(n, curves)]
        Finite.
    fold : ndarray [shape=(n,), dtype=int]
        Of each moment, by its work; numbers from 0 without a gap, three folds at least.
    alphas : sequence of float
    """
    folds = int(fold.max()) + 1
    rows = [np.flatnonzero(fold == k) for k in range(folds)]
    x = np.asarray(x, dtype=np.float32)
    sums = [Sums.of(x[of], y[of]) for of in rows]
    total = sums[0]
    for one in sums[1:]:
        total = total + one
    curves = y.shape[1]
    error = np.zeros((folds, len(alphas), curves))
    pairs: dict[tuple[int, int], tuple[Array, Array]] = {}
    for a, b in combinations(range(folds), 2):
        weights, intercepts = (total - sums[a] - sums[b]).fit(alphas)
        error[a] += sums[b].errors(weights, intercepts)
        error[b] += sums[a].errors(weights, intercepts)
        pairs[a, b] = weights.astype(np.float32), intercepts
    best = error.argmin(axis=1)  # [folds, curves]
    columns = np.arange(curves)
    predicted = np.empty((len(x), curves), dtype=np.float32)
    inner = np.full((folds, len(x), curves), np.nan, dtype=np.float32)
    for k in range(folds):
        weights, intercepts = (total - sums[k]).fit(alphas)
        own, shift = weights[best[k], :, columns].T, intercepts[best[k], columns]
        predicted[rows[k]] = x[rows[k]] @ own.astype(np.float32) + shift
    for (a, b), (slopes, shifts) in pairs.items():
        for out, of in ((a, b), (b, a)):
            own, shift = slopes[best[out], :, columns].T, shifts[best[out], columns]
            inner[out, rows[of]] = x[rows[of]] @ own + shift
    left = np.array([len(x) - len(of) for of in rows])
    least = np.take_along_axis(error, best[:, None], axis=1)[:, 0] / left[:, None]
    return PredictedCurves(predicted, inner, np.asarray(alphas)[best], least)
