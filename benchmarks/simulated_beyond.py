"""Layers that tell something beyond a baseline, and layers that only copy it."""

import numpy as np

from mess.probing.beyond import find_beyond
from mess.probing.results import BeyondScore, DiscoverySettings

_WORKS, _PER_WORK, _BASELINE, _DIM, _FOLDS = 40, 2, 6, 24, 5


def simulate_beyond(seed: int, *, planted: bool) -> BeyondScore:
    """Return what is found of a target that the baseline tells in part.

    Both layers hold a mixture of the baseline and noise. If ``planted``, the second also holds the
    other part of the target.
    """
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(_WORKS), _PER_WORK)
    n = groups.size
    baseline = rng.standard_normal((_WORKS, _BASELINE))[groups] + rng.standard_normal(
        (n, _BASELINE)
    )
    other = rng.standard_normal(n)
    mixtures = rng.standard_normal((2, _BASELINE, _DIM))
    layers = np.einsum("nb,lbd->nld", baseline, mixtures)
    layers += 0.5 * rng.standard_normal(layers.shape)
    if planted:
        layers[:, 1] += other[:, None] * rng.standard_normal(_DIM)
    target = baseline[:, 0] + other + 0.7 * rng.standard_normal(n)
    (found,) = find_beyond(
        layers,
        target[:, None],
        groups,
        names=["target"],
        baseline=baseline[:, None],
        name="baseline",
        settings=DiscoverySettings(folds=_FOLDS, seed=seed),
    )
    return found
