"""Simulated edits: layers that hold a target, and layers that hold only what goes along with it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mess.probing.dose import Response, respond
from mess.probing.folds import assign_folds
from mess.probing.probes import choose_alpha
from mess.probing.ridge import DEFAULT_ALPHAS, RidgePath

_WORKS, _PER_WORK, _DIM, _FOLDS = 40, 2, 16, 5
_CHANGED = 20  # works that are changed
_DOSES = np.array([-1.0, -0.5, 0.5, 1.0])
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Dosed:
    """What is found of two layers that tell the target of unchanged recordings about equally well.

    Attributes
    ----------
    holds : Response
        Of the layer that holds the target.
    goes_along : Response
        Of the layer that holds what goes along with it, and that the edit leaves alone.
    """

    holds: Response
    goes_along: Response


def simulate_dose(seed: int) -> Dosed:
    """Return the responses of two layers to an edit of one target.

    Each target comes with a companion that correlates with it over works. The first layer holds the
    target, the second its companion. The edit moves the target alone, by an amount of its own in
    every recording.
    """
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(_WORKS), _PER_WORK)
    target = rng.standard_normal(_WORKS)[groups] + 0.5 * rng.standard_normal(groups.size)
    companion = target + 0.3 * rng.standard_normal(groups.size)
    maps = rng.standard_normal((2, _DIM))

    def states(number: int, value: Array) -> Array:
        return value[:, None] * maps[number] + 0.4 * rng.standard_normal((value.size, _DIM))

    fold = assign_folds(groups, folds=_FOLDS, seed=seed)
    rows = np.repeat(np.flatnonzero(groups < _CHANGED)[::_PER_WORK], _DOSES.size)
    dose = np.tile(_DOSES, _CHANGED)
    moved = dose * rng.uniform(0.5, 1.5, _CHANGED).repeat(_DOSES.size)
    found = []
    for number, value in ((0, target), (1, companion)):
        x = states(number, value)
        after = states(number, value[rows] + (moved if number == 0 else 0.0))
        change = np.empty(rows.size)
        for k in range(_FOLDS):
            train, own = fold != k, fold[rows] == k
            path = RidgePath(x[train], target[train, None])
            alphas, _ = choose_alpha(
                path, target[train, None], groups[train], alphas=DEFAULT_ALPHAS
            )
            probe = path.probe(alphas=alphas)
            change[own] = (probe.predict(after[own]) - probe.predict(x[rows[own]]))[:, 0]
        found += respond(moved, change[:, None], groups[rows], dose, seed=seed)
    return Dosed(*found)


def simulate_interval(seed: int, *, slope: float) -> Response:
    """Return the response of a prediction that follows with a slope, in each work another one."""
    rng = np.random.default_rng(seed)
    work = np.repeat(np.arange(_CHANGED), _DOSES.size)
    dose = np.tile(_DOSES, _CHANGED)
    size = np.exp(0.5 * rng.standard_normal(_CHANGED))[work]  # edits move some recordings more
    moved = dose * size
    own = slope + 0.3 * rng.standard_normal(_CHANGED)[work]
    answer = own * moved + 0.2 * rng.standard_normal(work.size)
    (found,) = respond(moved, answer[:, None], work, dose, seed=seed)
    return found
