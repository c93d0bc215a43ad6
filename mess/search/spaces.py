"""Linear spaces of coordinates: standardisation, reduction to a subspace, whitening.

Each transform is fitted on some rows and applied to others. So a recording outside the index gets
its coordinates by the same arithmetic as the tracks of the index.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> whitening = fit_whitening(rng.standard_normal((40, 3)) * [100, 1, 0.01])
>>> whitening.apply(rng.standard_normal((2, 3))).shape
(2, 3)
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_KEPT_VARIANCE = 0.95  # share of the variance that the subspace of an aspect keeps
_OVERALL_DIMENSIONS = 64


def standardise(values: Array) -> tuple[Array, Array, Array]:
    """Return columns with mean 0 and variance 1, and their means and deviations.

    Returns
    -------
    x, mean, deviation : ndarray
        A constant column becomes 0; NaN remains NaN.
    """
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / count
    deviation = np.sqrt(np.where(known, np.square(values - mean), 0.0).sum(axis=0) / count)
    flat = deviation <= 1e-9 * np.maximum(np.abs(mean), 1e-12)
    return (values - mean) / np.where(flat, np.inf, deviation), mean, deviation


class Reduction(NamedTuple):
    """A linear map from predicted targets to a subspace of them.

    Attributes
    ----------
    mean : ndarray [shape=(t,)]
    directions : ndarray [shape=(t, rank)]
    """

    mean: Array
    directions: Array

    def apply(self, predicted: Array) -> Array:
        """Return coordinates [n, rank]."""
        return np.asarray((predicted - self.mean) @ self.directions)


def fit_reduction(predicted: Array, targets: Array) -> Reduction:
    """Fit the subspace in which several targets are predicted together.

    Predictions are scaled by the deviation of the targets. A target that is predicted badly has
    predictions close to its mean, so it counts little. The predictions are then projected on their
    leading directions. This is reduced-rank regression with a ridge penalty (A. J. Izenman:
    Reduced-rank regression for the multivariate linear model. Journal of Multivariate Analysis 5,
    1975).

    Parameters
    ----------
    predicted, targets : ndarray [shape=(n, t)]
        Targets may be NaN.

    Returns
    -------
    Reduction
        The variances of the coordinates of ``predicted`` sum to 1.
    """
    _, _, deviation = standardise(targets)
    scale = np.where(deviation > 0, deviation, np.inf)
    mean = predicted.mean(axis=0)
    _, strength, right = np.linalg.svd((predicted - mean) / scale, full_matrices=False)
    power = np.square(strength)
    if not power.sum() > 1e-12 * len(predicted):
        return Reduction(mean, np.zeros((len(mean), 0)))
    rank = int(np.searchsorted(np.cumsum(power) / power.sum(), _KEPT_VARIANCE)) + 1
    length = np.sqrt(power[:rank].sum() / len(predicted))
    return Reduction(mean, right[:rank].T / scale[:, None] / length)


class Whitening(NamedTuple):
    """A map to unit vectors whose inner products are centred, whitened cosines.

    Attributes
    ----------
    mean : ndarray [shape=(d,)]
    basis : ndarray [shape=(d, m)]
        Leading directions, each divided by its singular value.
    """

    mean: Array
    basis: Array

    def apply(self, vectors: NDArray[np.floating[Any]]) -> Array:
        """Return unit vectors [n, m]; a vector that equals the mean becomes zero."""
        kept = (vectors - self.mean) @ self.basis
        length = np.linalg.norm(kept, axis=1, keepdims=True)
        return np.divide(kept, length, out=np.zeros_like(kept), where=length > 1e-12)


def fit_whitening(vectors: Array, *, dimensions: int = _OVERALL_DIMENSIONS) -> Whitening:
    """Fit a whitening.

    Parameters
    ----------
    vectors : ndarray [shape=(n, d)]
    dimensions : int
        Largest number of leading directions that are kept; at most a quarter of n. The directions
        of least variance are noise, which whitening would amplify.

    References
    ----------
    M. Kessy, A. Lewin, K. Strimmer: Optimal whitening and decorrelation. The American
    Statistician 72, 2018 (PCA whitening).
    """
    mean = vectors.mean(axis=0)
    _, strength, right = np.linalg.svd(vectors - mean, full_matrices=False)
    usable = int((strength > 1e-6 * max(strength[0], 1e-300)).sum()) if len(strength) else 0
    kept = min(usable, dimensions, max(2, len(vectors) // 4))
    return Whitening(mean, right[:kept].T / strength[:kept])


def whiten(vectors: Array) -> Array:
    """Return the unit vectors of the vectors that the whitening is fitted on [n, m]."""
    return fit_whitening(vectors).apply(vectors)
