"""Weights from examples: find the aspects that a few liked tracks share.

Task: given the similarities, in every aspect, of liked tracks to each other and to all other
tracks, find the weights that separate the liked tracks from the rest.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> alike = np.column_stack([np.ones(6), rng.normal(0, 1, 6)])
>>> rest = rng.normal(0, 1, (200, 2))
>>> fit_weights(alike, rest).round(1)
array([1., 0.])
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_SHRINK = 0.05  # penalty on Σ w², because there are few examples


def fit_weights(alike: Array, rest: Array) -> Array:
    """Fit non-negative weights, the largest of which is 1.

    This is a logistic regression with non-negative weights. The liked pairs together count as much
    as all other pairs together.

    Parameters
    ----------
    alike : ndarray [shape=(p, aspects)]
        Similarities of pairs of liked tracks.
    rest : ndarray [shape=(q, aspects)]
        Similarities of liked tracks to other tracks.

    Returns
    -------
    ndarray [shape=(aspects,)]
        All 0 if no aspect separates the liked tracks from the rest.
    """
    from scipy.optimize import minimize

    x = np.vstack([alike, rest])
    sign = np.append(np.ones(len(alike)), -np.ones(len(rest)))
    share = np.append(
        np.full(len(alike), 0.5 / len(alike)), np.full(len(rest), 0.5 / max(len(rest), 1))
    )

    def loss(parameters: Array) -> Any:
        weights, intercept = parameters[:-1], parameters[-1]
        margin = sign * (x @ weights + intercept)
        slope = -sign * share / (1 + np.exp(np.clip(margin, -500, 500)))
        value = share @ np.logaddexp(0, -margin) + _SHRINK * weights @ weights
        return value, np.append(x.T @ slope + 2 * _SHRINK * weights, slope.sum())

    bounds = [(0, None)] * x.shape[1] + [(None, None)]
    solution = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, bounds=bounds, method="L-BFGS-B")
    weights = np.asarray(solution.x[:-1])
    highest = weights.max(initial=0.0)
    return weights / highest if highest > 1e-6 else np.zeros_like(weights)
