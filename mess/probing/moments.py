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
_LEAST_SCALE = 0.01  # of the deviation of all dimensions
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
        """Return the sums of states [n, dim] and curves [n, curves].

        Products of centred states are computed in the precision of the states, float32 at least.
        """
        n, y = float(len(x)), np.asarray(y, dtype=np.float64)
        precise = np.float64 if x.dtype == np.float64 else np.float32
        total, total_y = x.sum(0, dtype=np.float64), y.sum(0)
        centred = (x - total / max(n, 1.0)).astype(precise)
        moved = (y - total_y / max(n, 1.0)).astype(precise)
        xx = centred.T @ centred + np.outer(total, total) / max(n, 1.0)
        xy = centred.T @ moved + np.outer(total, total_y) / max(n, 1.0)
        return cls(n, total, total_y, xx, xy, np.square(y).sum(0))

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
        from scipy.linalg import cho_factor, cho_solve

        mean, mean_y = self.x / self.n, self.y / self.n
        variance = np.maximum(np.diag(self.xx) / self.n - mean**2, 0.0)
        scale = scale_of(mean, variance)
        gram = (self.xx - self.n * np.outer(mean, mean)) / np.outer(scale, scale)
        cross = (self.xy - self.n * np.outer(mean, mean_y)) / scale[:, None]
        weights = np.empty((len(alphas), *cross.shape))
        diagonal = np.einsum("ii->i", gram)
        own = diagonal.copy()
        for place, alpha in enumerate(alphas):
            diagonal[:] = own + alpha
            # The transpose is the same matrix, in the order of columns that LAPACK copies fastest.
            factor = cho_factor(gram.T, lower=True, check_finite=False)
            weights[place] = cho_solve(factor, cross, check_finite=False)
        weights /= scale[:, None]
        return weights, mean_y - np.einsum("d,adc->ac", mean, weights)

    def errors(self, weights: Array, intercepts: Array) -> Array:
        """Return the squared errors [alphas, curves] of some fits on these moments."""
        fitted = np.einsum("adc,adc->ac", weights, self.xx @ weights)
        linear = np.einsum("adc,dc->ac", weights, self.xy)
        shift = np.einsum("adc,d->ac", weights, self.x)
        error = self.yy + fitted - 2 * linear + 2 * intercepts * (shift - self.y)
        return np.asarray(np.maximum(error + self.n * intercepts**2, 0.0))


def total_of(parts: Sequence[Sums]) -> Sums:
    """Return the sums over all of some parts; one at least."""
    total = parts[0]
    for one in parts[1:]:
        total = total + one
    return total


def scale_of(mean: Array, variance: Array) -> Array:
    """Return what states are divided by [shape=(dim,)], from their mean and variance.

    It is their deviation, but at least a hundredth of that of all dimensions together: a dimension
    that hardly varies in the folds that fit may vary in the others, and would throw every
    prediction there. What varies by rounding alone does not vary.
    """
    variance = np.where(variance <= 1e-12 * np.maximum(mean**2, 1e-300), 0.0, variance)
    least = _LEAST_SCALE**2 * variance.mean()
    return np.sqrt(np.maximum(variance, least)) if least else np.ones(len(variance))


@dataclass(frozen=True)
class FoldFits:
    """The fits of one layer: of each training fold, and of each training fold without another.

    Attributes
    ----------
    weights : ndarray [shape=(folds, folds, dim, curves), dtype=float32]
        ``weights[k, j]`` saw neither fold k nor fold j; ``weights[k, k]`` saw all but fold k. Each
        curve by the penalty that the folds without k chose.
    intercepts : ndarray [shape=(folds, folds, curves)]
    alphas : ndarray [shape=(folds, curves)]
        The penalty that each training fold chose.
    error : ndarray [shape=(folds, curves)]
        Squared error of ``weights[k, k]`` on fold k.
    deviation : ndarray [shape=(folds, curves)]
        The same of the mean of the training moments.
    inner_error : ndarray [shape=(folds, curves)]
        Mean squared error inside each training fold.
    """

    weights: NDArray[np.float32]
    intercepts: Array
    alphas: Array
    error: Array
    deviation: Array
    inner_error: Array

    def predict(self, x: NDArray[np.floating[Any]], *, fold: int) -> NDArray[np.float32]:
        """Predict moments of one fold from their states.

        Parameters
        ----------
        x : ndarray [shape=(n, dim)]
        fold : int
            Of all of them.

        Returns
        -------
        ndarray [shape=(folds, n, curves), dtype=float32]
            Row k by fits that saw neither fold k nor ``fold``; so row ``fold`` is what is predicted
            of moments that are held out.
        """
        folds, dim, curves = len(self.weights), self.weights.shape[2], self.weights.shape[3]
        weights = self.weights[:, fold].transpose(1, 0, 2).reshape(dim, folds * curves)
        out = np.asarray(x, dtype=np.float32) @ weights + self.intercepts[:, fold].reshape(-1)
        return out.reshape(len(x), folds, curves).transpose(1, 0, 2).astype(np.float32)


def fit_folds(sums: Sequence[Sums], *, alphas: Sequence[float] = MOMENT_ALPHAS) -> FoldFits:
    """Fit the probes of one layer, with every pair of folds left out once.

    Parameters
    ----------
    sums : sequence of Sums
        Of each fold; three folds at least.
    alphas : sequence of float
    """
    folds, dim, curves = len(sums), len(sums[0].x), len(sums[0].y)
    total = total_of(sums)
    errors = np.zeros((folds, len(alphas), curves))
    pairs: dict[tuple[int, int], tuple[NDArray[np.float32], Array]] = {}
    for a, b in combinations(range(folds), 2):
        weights, intercepts = (total - sums[a] - sums[b]).fit(alphas)
        errors[a] += sums[b].errors(weights, intercepts)
        errors[b] += sums[a].errors(weights, intercepts)
        pairs[a, b] = weights.astype(np.float32), intercepts
    best = errors.argmin(axis=1)  # [folds, curves]
    columns = np.arange(curves)
    out = np.empty((folds, folds, dim, curves), dtype=np.float32)
    shifts = np.empty((folds, folds, curves))
    error, deviation = np.empty((2, folds, curves))
    for k in range(folds):
        training = total - sums[k]
        weights, intercepts = training.fit(alphas)
        own, shift = weights[best[k], :, columns].T, intercepts[best[k], columns]
        out[k, k], shifts[k, k] = own, shift
        error[k] = sums[k].errors(own[None], shift[None])[0]
        mean = (training.y / training.n)[None]
        deviation[k] = sums[k].errors(np.zeros((1, dim, curves)), mean)[0]
    for (a, b), (slopes, constants) in pairs.items():
        for held, of in ((a, b), (b, a)):
            out[held, of] = slopes[best[held], :, columns].T
            shifts[held, of] = constants[best[held], columns]
    left = np.array([total.n - one.n for one in sums])
    least = np.take_along_axis(errors, best[:, None], axis=1)[:, 0] / left[:, None]
    return FoldFits(out, shifts, np.asarray(alphas)[best], error, deviation, least)


@dataclass(frozen=True)
class CurveFits:
    """The fits behind the predictions of one layer, on the original scale of the states.

    Attributes
    ----------
    weights : ndarray [shape=(folds + 1, dim, curves), dtype=float32]
        Without each fold, and at last of all moments, by the median of the folds' penalties.
    intercepts : ndarray [shape=(folds + 1, curves), dtype=float32]
    """

    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]


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
    fits : CurveFits
    """

    predicted: NDArray[np.float32]
    inner: NDArray[np.float32]
    alphas: Array
    inner_error: Array
    fits: CurveFits


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
    fits = fit_folds(sums, alphas=alphas)
    predicted = np.empty((len(x), y.shape[1]), dtype=np.float32)
    inner = np.full((folds, len(x), y.shape[1]), np.nan, dtype=np.float32)
    for k, of in enumerate(rows):
        found = fits.predict(x[of], fold=k)
        predicted[of] = found[k]
        others = np.arange(folds) != k
        inner[np.ix_(others, of)] = found[others]
    kept = _with_whole(fits, sums)
    return PredictedCurves(predicted, inner, fits.alphas, fits.inner_error, kept)


def _with_whole(fits: FoldFits, sums: Sequence[Sums]) -> CurveFits:
    """Return the fit of each training fold, and at last that of all folds."""
    total = total_of(sums)
    middle = np.sort(fits.alphas, axis=0)[len(sums) // 2]
    used, place = np.unique(middle, return_inverse=True)
    weights, intercepts = total.fit(used.tolist())
    folds, columns = np.arange(len(sums)), np.arange(len(middle))
    own = weights[place, :, columns].T[None].astype(np.float32)
    shift = intercepts[place, columns][None]
    return CurveFits(
        np.concatenate([fits.weights[folds, folds], own]),
        np.concatenate([fits.intercepts[folds, folds], shift]).astype(np.float32),
    )
