"""Combining layers: choose one layer, or a mixture of layers, inside each training fold.

The best of many layers, chosen on the folds that report it, has a score that is biased upward. So
each training fold chooses for itself, by predictions that leave out one work at a time, and is
scored on the fold that took no part in the choice.
"""

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Mixture:
    """One way to combine the layers.

    Its predictions [n, targets], and the share of each layer [targets, layers].
    """

    predicted: Array
    shares: Array


@dataclass(frozen=True)
class CombinedProbes:
    """Probes that choose inside each training fold.

    ``nested`` takes one layer, ``weighted`` a mixture of all; ``choice`` is the layer that each
    fold took [folds, targets].
    """

    nested: Mixture
    weighted: Mixture
    choice: NDArray[np.int64]


def combine_layers(
    y: Array, predicted: Array, inner: NDArray[np.float32], fold: NDArray[np.int64]
) -> CombinedProbes:
    """Predict by the layer, and by the mixture of layers, that each training fold chooses.

    Parameters
    ----------
    y : ndarray [shape=(n, targets)]
    predicted : ndarray [shape=(layers, n, targets)]
        Of each row by the probe of its fold; NaN where the target is undefined.
    inner : ndarray [shape=(layers, folds, n, targets)]
        Inner predictions; NaN in the rows that a fold holds out.
    fold : ndarray [shape=(n,)]
        The fold that leaves each row out.
    """
    layers, targets = predicted.shape[0], y.shape[1]
    nested, weighted = (
        Mixture(np.full(y.shape, np.nan), np.full((targets, layers), np.nan)) for _ in range(2)
    )
    choice = np.zeros((inner.shape[1], targets), dtype=np.int64)
    for column in range(targets):
        rows = np.isfinite(predicted[0, :, column])
        if not rows.any():
            continue
        folds, of_fold = np.unique(fold[rows], return_inverse=True)
        guesses = inner[:, folds][:, :, rows, column]
        choice[folds, column] = choose_layers(y[rows, column], guesses)
        for mixture, weights in (
            (nested, np.eye(layers)[choice[folds, column]]),
            (weighted, weigh_layers(y[rows, column], guesses)),
        ):
            mixture.shares[column] = weights.mean(axis=0)
            mixed = weights[of_fold] * predicted[:, rows, column].T
            mixture.predicted[rows, column] = mixed.sum(axis=1)
    return CombinedProbes(nested, weighted, choice)
