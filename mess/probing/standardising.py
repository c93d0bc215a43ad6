"""Features in deviations of the training rows, and sums of products from which those follow.

Conventions: features are standardised with the mean and deviation of the training rows. A held-out
value is at most as far from the mean as one of n training values can be, √(n − 1) deviations; so a
feature that hardly varied in training cannot throw a prediction.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
_CANCELS = 1e-4  # of the variance of a feature: what is left of it in a difference is exact enough
_ROUNDING = 1e-6  # of a value in float32, with room for the rounding of a mean


class Products(NamedTuple):
    """What the eigendecomposition needs to know of some rows.

    Attributes
    ----------
    mean : ndarray [shape=(d,)]
    about_mean : ndarray [shape=(d, d)]
        Sums of products of two features about their means.
    """

    mean: Array
    about_mean: Array


class ProductsByFold:
    """Sums of products over all rows, from which those of every training set follow.

    Parameters
    ----------
    x : ndarray [shape=(n, d)]
    fold : ndarray [shape=(n,), dtype=int]
    """

    def __init__(self, x: Array, fold: NDArray[np.int64]) -> None:
        self._mean = x.mean(axis=0)
        self._total = 0.0
        self._of_fold: dict[int, tuple[int, Array, Array]] = {}
        for number in np.unique(fold):
            rows = x[fold == number] - self._mean
            products = rows.T @ rows
            self._total = self._total + products
            self._of_fold[int(number)] = len(rows), rows.sum(axis=0), products
        self._n = len(x)

    def without(self, fold: int) -> Products | None:
        """Return the sums over the rows of all other folds.

        None if a feature varies nearly in this fold alone: the difference would be rounding.
        """
        size, total, products = self._of_fold[fold]
        left = self._n - size
        shift = -total / left  # all rows are centred, so their sum is 0
        about = self._total - products
        about -= left * np.outer(shift, shift)
        if (np.diag(about) < _CANCELS * np.diag(self._total)).any():
            return None
        return Products(self._mean + shift, about)


class Standard(NamedTuple):
    """How features are standardised.

    Attributes
    ----------
    mean, scale : ndarray [shape=(d,)]
        Of the training rows.
    farthest : float
        The largest deviation of a new row.
    """

    mean: Array
    scale: Array
    farthest: float

    def of_training(self, x: Array) -> Array:
        """Return training rows in deviations."""
        return (x - self.mean) / self.scale

    def of_new(self, x: ArrayLike) -> Array:
        """Return held-out rows in deviations of the training rows."""
        z = (np.asarray(x, dtype=np.float64) - self.mean) / self.scale
        return np.clip(z, -self.farthest, self.farthest)


def standard_of(x: Array, products: Products | None = None) -> Standard:
    """Return how features are standardised by some rows.

    Parameters
    ----------
    x : ndarray [shape=(n, d)]
    products : Products, optional
        Those of the same rows, where they are known.
    """
    if products is None:
        mean, scale = x.mean(axis=0), x.std(axis=0)
    else:
        mean, scale = products.mean, np.sqrt(np.diag(products.about_mean) / len(x))
    # A column that is constant up to rounding has scale 1, as in scikit-learn's StandardScaler;
    # features are stored in float32 at best.
    flat = scale <= _ROUNDING * np.maximum(np.abs(mean), 1e-300)
    return Standard(mean, np.where(flat, 1.0, scale), float(np.sqrt(max(len(x) - 1, 1))))
