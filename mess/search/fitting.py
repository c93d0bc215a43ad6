"""Which aspects do a few liked tracks share? Weights from examples.

Task: given the similarities between liked tracks and those between liked and all other tracks, in
every aspect, find the weights under which the liked ones are told from the rest.

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
_LEAST = -3.0  # similarities below are cut: how unlike two tracks are stops to matter
_SHRINK = 0.05  # penalty on Σ w²: few examples say little


def fit_weights(alike: Array, rest: Array) -> Array:
    """Fit weights that are not negative, the largest 1.

    A logistic regression without negative weights, in which the liked pairs count as much as all
    others together.

    Parameters
    ----------
    alike : ndarray [shape=(p, aspects)]
        Similarities of pairs of liked tracks.
    rest : ndarray [shape=(q, aspects)]
        Similarities of liked tracks to others.

    Returns
    -------
    ndarray [shape=(aspects,)]
        All 0 where no aspect tells them apart.
    """
    from scipy.optimize import minimize

    x = np.maximum(np.vstack([alike, rest]), _LEAST)
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
    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, bounds=bounds, method="L-BFGS-B")
    weights = np.asarray(found.x[:-1])
    highest = weights.max(initial=0.0)
    return weights / highest if highest > 1e-6 else np.zeros_like(weights)
