"""Two encoders of the same music, equal or with one that is deaf to a target: who beats whom?"""

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulated_discovery import FOLDS, PER_WORK, WORKS, Array
from mess.probing.differences import Differences, Scores, compare
from mess.probing.discovery import discover
from mess.probing.results import DiscoverySettings

COMPARED = 8  # targets on which encoders are compared


def encoders(seed: int, *, deaf: bool) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    """Draw two encoders of the same music and its targets.

    Both see what is behind every target through the same map and through noise of their own, so
    that neither is better. A first one that is ``deaf`` sees something else of the same kind in
    place of what is behind target 0.

    Returns
    -------
    a, b : ndarray [shape=(n, layers, dim)]
    targets : ndarray [shape=(n, targets)]
    works : ndarray [shape=(n,)]
    """
    rng = np.random.default_rng(seed)
    works = np.repeat(np.arange(WORKS), PER_WORK)

    def alike(*shape: int) -> Array:
        """Draw numbers that are alike within a work."""
        of_work = rng.standard_normal((WORKS, *shape))[works]
        return of_work + 0.5 * rng.standard_normal((len(works), *shape))

    behind = alike(COMPARED)
    targets = behind + 0.3 * alike(COMPARED)
    mixed = rng.standard_normal((COMPARED, 3, 24)) * np.array([0.5, 1.0, 0.7])[:, None]
    heard = np.stack([behind, behind])
    if deaf:
        heard[0, :, 0] = alike()
    a, b = (2 * np.einsum("nt,tld->nld", one, mixed) + alike(3, 24) for one in heard)
    return a, b, targets, works


def compared(seed: int, *, deaf: bool = False) -> Differences:
    """Return the second encoder's scores minus the first's."""
    a, b, targets, works = encoders(seed, deaf=deaf)
    names = [str(number) for number in range(COMPARED)]
    scores = []
    for features in (b, a):
        found = discover(
            features,
            targets,
            works,
            names=names,
            settings=DiscoverySettings(folds=FOLDS, seed=seed, bootstrap=10),
        )
        r2 = np.array([one.nested.r2 for one in found.summaries], dtype=np.float64)
        scores.append(Scores(r2, found.influence))
    return compare(*scores)
