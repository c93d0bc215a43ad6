"""Hidden states of known truth: what does a discovery find in them, and what would search take?"""

import numpy as np
from numpy.typing import NDArray

from mess.probing.discovery import discover
from mess.probing.max_t import significance_of_predictions
from mess.probing.metrics import defined
from mess.probing.results import Discovery, DiscoverySettings
from mess.probing.ridge import RidgePath
from mess.probing.stacking import Stacked, stack
from mess.records.index import Column
from mess.search.aspects import find_evidence

LAYERS, DIM, TARGETS, WORKS, PER_WORK, FOLDS = 5, 16, 4, 40, 2, 5
PLANTED = 3
FRESH = 3000  # works on which the true R² is taken
Array = NDArray[np.float64]


def recordings(rng: np.random.Generator, works: int) -> tuple[Array, NDArray[np.int64]]:
    """Draw hidden states: recordings of one work are alike, layers share a part."""
    groups = np.repeat(np.arange(works), PER_WORK)
    shape = (works * PER_WORK, LAYERS, DIM)
    common = rng.standard_normal((works, 1, DIM))[groups]
    of_work = rng.standard_normal((works, LAYERS, DIM))[groups]
    return 0.5 * common + of_work + 0.7 * rng.standard_normal(shape), groups


def planted_target(rng: np.random.Generator, x: Array, groups: NDArray[np.int64]) -> Array:
    """Read a target from the planted layer, blurred by the work and by the recording."""
    noise = rng.standard_normal(groups.max() + 1)[groups] + rng.standard_normal(len(groups))
    target: Array = x[:, PLANTED, :6].sum(axis=1) + 1.5 * noise
    return target[:, None]


def discover_in_noise(
    seed: int, *, works: int, draw: int, bootstrap: int
) -> tuple[Discovery, bool]:
    """Discover where nothing is there.

    Parameters
    ----------
    seed : int
        Of the folds and shuffles.
    works : int
    draw : int
        Seed of the data.
    bootstrap : int

    Returns
    -------
    found : Discovery
    validated : bool
        Whether search would take a target for one that the layers know.
    """
    rng = np.random.default_rng(draw)
    x, groups = recordings(rng, works)
    y = rng.standard_normal((works, TARGETS))[groups]
    y += 0.3 * rng.standard_normal((len(groups), TARGETS))
    found = discover(
        x,
        y,
        groups,
        names=[str(number) for number in range(TARGETS)],
        settings=DiscoverySettings(folds=FOLDS, seed=seed, permutations=199, bootstrap=bootstrap),
    )
    layers = [x[:, layer] for layer in range(LAYERS)]
    stacked = stack(layers, y, groups, folds=FOLDS, seed=seed)
    return found, bool(validated_targets(found, stacked, y, groups))


def validated_targets(
    found: Discovery, stacked: Stacked, y: Array, groups: NDArray[np.int64]
) -> list[str]:
    """Return the targets that the rule of `mess.search.aspects` takes for known."""
    p_family = significance_of_predictions(
        y, stacked.predicted, groups, fold=stacked.fold, permutations=199
    )
    columns = [
        Column(str(number), "probe", r2=defined(r2), p_family=defined(p))
        for number, (r2, p) in enumerate(zip(stacked.r2, p_family, strict=True))
    ]
    evidence = find_evidence(found.cells, found.summaries, predicted=columns)
    return [name for name, one in evidence.items() if not one.doubt()]


def true_r2(
    rng: np.random.Generator, x: Array, y: Array, found: Discovery, alphas: list[float]
) -> float:
    """Return the R² of the same folds' probes on works without end."""
    new, groups = recordings(rng, FRESH)
    target = planted_target(rng, new, groups)
    error = total = 0.0
    for fold, alpha in enumerate(alphas):
        training = found.fold != fold
        path = RidgePath(x[training], y[training])
        error += np.square(target - path.predict(new[:, PLANTED], alphas=[alpha])[0]).sum()
        total += np.square(target - y[training].mean()).sum()
    return 1.0 - error / total
