"""Combining layers: choose one layer, or a mixture of layers, inside each training fold.

The best of many layers, chosen on the folds that report it, has a score that is biased upward. So
each training fold chooses for itself, by predictions that leave out one work at a time, and is
scored on the fold that took no part in the choice.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.probing.ridge import Array

_SUM_TO_ONE = 1e3  # weight of the constraint, relative to the data


def choose_layers(y: Array, inner: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """Return the layer with the least inner error, fold by fold.

    Parameters
    ----------
    y : ndarray [shape=(n,)]
    inner : ndarray [shape=(layers, folds, n)]
        Inner predictions; NaN in the rows that a fold holds out.

    Returns
    -------
    ndarray [shape=(folds,), dtype=int]
    """
    return np.argmin(np.nansum(np.square(inner - y), axis=2), axis=0)


def weigh_layers(y: Array, inner: NDArray[np.floating[Any]]) -> Array:
    """Return the convex combination of layers with the least inner error, fold by fold.

    Weights are not negative and add up to 1 (stacking: D. H. Wolpert, Neural Networks 5, 1992;
    L. Breiman, Machine Learning 24, 1996).

    Parameters
    ----------
    y, inner
        See `choose_layers`.

    Returns
    -------
    ndarray [shape=(folds, layers)]
    """
    from scipy.optimize import nnls

    weights = []
    for of_fold in inner.transpose(1, 2, 0):  # [n, layers]
        rows = np.isfinite(of_fold).all(axis=1)
        a, b = of_fold[rows].astype(np.float64), y[rows]
        varies = np.ptp(b) > 1e-12 * np.abs(b).max()
        scale = float(b.std()) if varies else 1.0
        # Centred on the mean of the targets: a shift does not change a convex combination.
        a, b = (a - b.mean()) / scale, (b - b.mean()) / scale
        # The normal equations keep the least-squares problem as small as the number of layers.
        gram = a.T @ a
        # The small term keeps it regular where layers agree, however large what they predict is.
        gram += 1e-9 * max(len(a), np.trace(gram)) * np.eye(len(gram))
        root = np.linalg.cholesky(gram)
        moved = np.linalg.solve(root, a.T @ b)
        heavy = _SUM_TO_ONE * np.sqrt(np.trace(gram))
        system = np.vstack([root.T, np.full((1, a.shape[1]), heavy)])
        solution, _ = nnls(system, np.append(moved, heavy))
        weights.append(solution / solution.sum())
    return np.array(weights)
