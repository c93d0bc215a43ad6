"""Simulated music with a course: what probes in time find where something is there, and where not.

Each dataset has works of two recordings with states and a curve every half second. Either the curve
lies in one layer and its spread is the scalar target, which means over time do not tell; or curve,
target and states have nothing to do with each other, and all are smooth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mess.probing.candidates import Candidates, Chosen, choose, probe_candidates
from mess.probing.folds import assign_folds
from mess.probing.in_time import probe_curves
from mess.probing.max_t import significance_of_predictions
from mess.probing.moments import predict_curves
from mess.probing.stacking import Table, stack
from mess.probing.through_time import Definition, read_scalars
from mess.search.aspects import Evidence

LAYERS, DIM, WORKS, PER_WORK, MOMENTS, FOLDS = 3, 10, 24, 2, 40, 5
PLANTED = 1
SHUFFLES = 99
_INERTIA = 0.9  # how much of a value stays half a second later
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Course:
    """What was found in one simulated dataset.

    Attributes
    ----------
    least_p : float
        The least family-wise p of a curve on any layer.
    best_layer : int
        The layer that most training folds chose for the curve.
    mean, time, chosen : Chosen or None
        The target read from means, through time, and by the reading that each fold chose.
    validated : bool
        Whether search would take the target for known.
    """

    least_p: float
    best_layer: int
    mean: Chosen | None
    time: Chosen | None
    chosen: Chosen | None
    validated: bool


def smooth(rng: np.random.Generator, *shape: int) -> Array:
    """Draw slow curves of variance 1, the time on the first axis."""
    out = np.empty(shape)
    out[0] = rng.standard_normal(shape[1:])
    for moment in range(1, shape[0]):
        step = np.sqrt(1 - _INERTIA**2) * rng.standard_normal(shape[1:])
        out[moment] = _INERTIA * out[moment - 1] + step
    return out


def simulate(seed: int, *, planted: bool) -> Course:
    """Draw a dataset and probe it as `mess probe` does."""
    rng = np.random.default_rng(seed)
    tracks = WORKS * PER_WORK
    works = np.repeat(np.arange(WORKS), PER_WORK)
    of_work = rng.standard_normal((WORKS, LAYERS, DIM))[works]
    spread = np.exp(0.7 * rng.standard_normal(tracks))  # of the curve, by track
    states, curves = [], []
    for track in range(tracks):
        own = smooth(rng, MOMENTS, LAYERS, DIM)
        hidden = smooth(rng, MOMENTS)
        hidden = spread[track] * (hidden - hidden.mean()) / hidden.std()
        if planted:
            own[:, PLANTED, :3] += hidden[:, None]
        states.append(own + of_work[track])
        curves.append(hidden if planted else smooth(rng, MOMENTS) + rng.standard_normal())
    x, y = np.concatenate(states), np.concatenate(curves)[:, None]
    target = np.array([one.var() for one in curves]) if planted else rng.standard_normal(tracks)
    target = target[:, None] if planted else (target + rng.standard_normal(WORKS)[works])[:, None]
    owner = np.repeat(np.arange(tracks), MOMENTS)
    fold = assign_folds(works, folds=FOLDS, seed=seed)
    layers = [x[:, layer] for layer in range(LAYERS)]
    predictions = [predict_curves(one, y, fold[owner]) for one in layers]
    probed = probe_curves(
        layers,
        predictions,
        y,
        names=["curve"],
        owner=owner,
        works=works[owner],
        fold=fold[owner],
        shuffles=SHUFFLES,
        resamples=0,
        seed=seed,
    )
    definition = Definition(0, 0, lambda values: values.var(axis=-1), course=True)
    read = [
        read_scalars(one.predicted, one.inner, owner, target, fold, definitions=[definition])
        for one in predictions
    ]
    through = Candidates(
        np.concatenate([one.predicted for one in read]), np.concatenate([one.inner for one in read])
    )
    means = np.stack([one.mean(axis=0) for one in states])
    mean = probe_candidates([means[:, layer] for layer in range(LAYERS)], target, works, fold)
    both = Candidates(
        np.concatenate([mean.predicted, through.predicted]),
        np.concatenate([mean.inner, through.inner]),
    )
    tables = [
        Table(
            through.predicted[number],
            through.inner[number],
            through.inner[number],  # no track is without the target
            np.zeros((FOLDS, 0, 1), dtype=np.float32),
            np.zeros((FOLDS, 1)),
        )
        for number in range(len(through.predicted))
    ]
    by_layer = [means[:, layer] for layer in range(LAYERS)]
    stacked = stack(by_layer, target, works, more=tables, folds=FOLDS, seed=seed)
    p_family = significance_of_predictions(
        target, stacked.predicted, works, fold=stacked.fold, permutations=SHUFFLES, seed=seed
    )
    evidence = Evidence(
        "target", p_family=float(p_family[0]), works=WORKS, stacked=float(stacked.r2[0])
    )
    return Course(
        least_p=min(cell.p_family or 1.0 for cell in probed.cells),
        best_layer=int(np.bincount(probed.chosen[:, 0]).argmax()),
        mean=choose(mean, target, fold, target=0),
        time=choose(through, target, fold, target=0),
        chosen=choose(both, target, fold, target=0),
        validated=not evidence.doubt(),
    )
