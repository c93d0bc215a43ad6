"""Erasure: what is left of all targets in a layer after one target is erased from it.

Task: two targets may be read from one layer along the same directions. So a target is erased from
the layer, and every target is probed again. What the others lose shows how the layer holds them
together: the matrix of entanglement.

Conventions
-----------
* The eraser is that of LEACE for one number: x ↦ x − Cov(x, z) (ẑ(x) − E ẑ) / Cov(ẑ, z). Here ẑ is
  a linear reading of the target z. This is a projection: one direction of the layer is gone. The
  result has no covariance with z on the training rows, for any ẑ. So no linear probe that is fitted
  on these rows tells z better than its mean. LEACE takes the reading of least squares, which
  changes x least.
* With fewer rows than dimensions, least squares tells z perfectly on training rows and badly on new
  ones, so it would erase noise from these. Therefore ẑ is a ridge regression (the covariance of x
  is shrunk). Its penalty is the one that tells left-out works best.
* The eraser is fitted on the training rows of each fold. The layer is the same in all folds.
* Probes are fitted again on the erased rows, as all probes are. That the target itself is gone for
  them follows from the definition. So it is tested harder, too: the eraser is fitted on half of the
  training works, and the probe on the other half (`Unseen`).
* The control erases a random direction of the standardised layer, several times.

References
----------
N. Belrose, D. Schneider-Joseph, S. Ravfogel, R. Cotterell, E. Raff, S. Biderman: LEACE: perfect
linear concept erasure in closed form. NeurIPS 2023.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> layer, works = rng.standard_normal((80, 6)), np.arange(80)
>>> found = erase_each(
...     layer[:, None], layer[:, :2], works, names=["a", "b"], layer_of={"a": 0}, fold=works % 5
... )
>>> [(one.target, bool(one.before > 0.9), bool(one.after > 0.9)) for one in found.losses]
[('a', True, False), ('b', True, True)]
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mess.probing.differences import compare
from mess.probing.metrics import defined
from mess.probing.probes import choose_alpha
from mess.probing.ridge import DEFAULT_ALPHAS, Array, RidgePath
from mess.probing.splits import Change, Split, SplitScores, probe_splits, same, splits_of

DRAWS = 10  # random directions


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What erasing one target takes from another one, or from itself.

    Attributes
    ----------
    erased, target : str
    layer : int
    before, after : float
        R² of the target, on the rows where both targets are known.
    low, high : float or None
        95 % interval of ``after`` minus ``before``; None with fewer than ten works.
    p : float or None
        Two-sided p value of no difference, after Holm's correction over the targets.
    correlation : float or None
        Pearson's correlation of the two targets.
    """

    erased: str
    target: str
    layer: int
    before: float
    after: float
    low: float | None
    high: float | None
    p: float | None
    correlation: float | None


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """What is left of an erased target for probes of works that the eraser never saw.

    Attributes
    ----------
    target : str
    layer : int
    before, after : float or None
        R² of a probe that is fitted on one half of the training works; the eraser is fitted on the
        other half. Both ways round.
    """

    target: str
    layer: int
    before: float | None
    after: float | None


@dataclass(frozen=True, kw_only=True)
class RandomErasure:
    """What erasing a random direction of a layer takes from a target.

    Attributes
    ----------
    layer : int
    target : str
    before : float
    after : list of float
        R² for each draw.
    """

    layer: int
    target: str
    before: float
    after: list[float]


@dataclass(frozen=True)
class Erasures:
    """The losses by erased target, the harder test of each, and the control by layer."""

    losses: list[Loss]
    unseen: list[Unseen]
    control: list[RandomErasure]


class Eraser:
    """Take from rows what linearly tells a target.

    Parameters
    ----------
    x : ndarray [shape=(n, d)]
        The rows that it is fitted on.
    z : ndarray [shape=(n,)]
        The target of these rows.
    groups : ndarray [shape=(n,)]
        Their works.
    alphas : sequence of float
        The penalties to choose from.
    """

    def __init__(
        self,
        x: Array,
        z: Array,
        groups: NDArray[Any],
        *,
        alphas: Sequence[float] = DEFAULT_ALPHAS,
    ) -> None:
        path = RidgePath(x, z[:, None])
        alpha, _ = choose_alpha(path, z[:, None], groups, alphas=alphas)
        reading = path.coefficients(alphas=alpha)[0][:, 0]
        self._mean = x.mean(axis=0)
        shared = (z - z.mean()) @ (x - self._mean)  # n · Cov(x, z)
        told = float(reading @ shared)  # n · Cov(ẑ, z): not below 0, as ẑ is a ridge regression
        self._reading = reading
        self._shared = shared / told if told > 0 else np.zeros_like(shared)

    def __call__(self, x: Array) -> Array:
        """Return rows, erased."""
        return np.asarray(x - np.outer((x - self._mean) @ self._reading, self._shared))


def erase_each(
    features: NDArray[np.floating[Any]],
    targets: ArrayLike,
    works: ArrayLike,
    *,
    names: Sequence[str],
    layer_of: Mapping[str, int],
    fold: NDArray[np.int64],
    alphas: Sequence[float] = DEFAULT_ALPHAS,
    draws: int = DRAWS,
    seed: int = 0,
    on_target: Callable[[str], None] = lambda _: None,
) -> Erasures:
    """Erase some targets in turn and probe all targets again.

    Parameters
    ----------
    features : ndarray [shape=(n, layers, d)]
    targets : array_like [shape=(n, t)]
        NaN where a target is undefined.
    works : array_like [shape=(n,)]
    names : sequence of str, length t
    layer_of : mapping of str to int
        The targets to erase, each with its layer.
    fold : ndarray [shape=(n,), dtype=int]
        From `mess.probing.folds.assign_folds`.
    alphas : sequence of float
    draws : int
        Random directions of the control, for each layer.
    seed : int
    on_target : callable
        Called with each target that was erased.

    Returns
    -------
    Erasures
        Targets that cannot be probed are left out.
    """
    y = np.asarray(targets, dtype=np.float64)
    _, groups = np.unique(np.asarray(works), return_inverse=True)
    half = np.random.default_rng(seed).permutation(int(groups.max()) + 1)[groups] % 2 == 0
    found = Erasures([], [], [])

    def scored(
        layer: int, y: Array, rows: NDArray[np.bool_], splits: Sequence[Split], change: Change
    ) -> SplitScores:
        return probe_splits(
            features[rows, layer : layer + 1],
            y[rows],
            groups[rows],
            splits=[Split(one.train[rows], one.test[rows]) for one in splits],
            change=change,
            alphas=alphas,
            seed=seed,
        )

    folds = splits_of(fold)
    unchanged: dict[tuple[int, bytes], SplitScores] = {}

    def usual(layer: int, rows: NDArray[np.bool_]) -> SplitScores:
        place = layer, rows.tobytes()
        if place not in unchanged:
            unchanged[place] = scored(layer, y, rows, folds, same)
        return unchanged[place]

    for name, layer in layer_of.items():
        column = list(names).index(name)
        rows = np.isfinite(y[:, column])
        z, own = y[rows, column], groups[rows]
        change = _erasing(z, own, alphas=alphas)
        before = usual(layer, rows)
        after = scored(layer, y, rows, folds, change)
        found.losses.extend(
            _losses(before, after, y[rows], names=names, erased=column, layer=layer, seed=seed)
        )
        halves = [
            Split(split.train & side, split.test) for side in (half, ~half) for split in folds
        ]
        alone = y[:, [column]]
        unseen = _erasing(z, own, alphas=alphas, unseen=True)
        found.unseen.append(
            Unseen(
                target=name,
                layer=layer,
                before=defined(scored(layer, alone, rows, halves, same).r2[0]),
                after=defined(scored(layer, alone, rows, halves, unseen).r2[0]),
            )
        )
        on_target(name)
    everything = np.ones(len(y), dtype=bool)
    rng = np.random.default_rng(seed)
    for layer in sorted(set(layer_of.values())):
        before = usual(layer, everything)
        drawn = [
            scored(layer, y, everything, folds, _erasing_direction(direction)).r2
            for direction in rng.standard_normal((draws, features.shape[2]))
        ]
        found.control.extend(
            RandomErasure(
                layer=layer,
                target=name,
                before=float(before.r2[column]),
                after=[float(one[column]) for one in drawn],
            )
            for column, name in enumerate(names)
            if np.isfinite(before.r2[column])
        )
    return found


def _erasing(
    z: Array,
    groups: NDArray[np.int64],
    *,
    alphas: Sequence[float],
    unseen: bool = False,
) -> Change:
    """Return what erases a target: fitted on the training rows, or on all that do nothing else."""

    def change(x: Array, y: Array, split: Split, rows: NDArray[np.int64]) -> tuple[Array, Array]:
        on = ~split.train & ~split.test if unseen else split.train
        return Eraser(x[on], z[rows][on], groups[rows][on], alphas=alphas)(x), y

    return change


def _erasing_direction(direction: Array) -> Change:
    """Return what erases a direction of the standardised layer."""

    def change(x: Array, y: Array, split: Split, _rows: NDArray[np.int64]) -> tuple[Array, Array]:
        mean, scale = x[split.train].mean(axis=0), x[split.train].std(axis=0)
        along = ((x - mean) / np.where(scale > 0, scale, 1.0)) @ direction
        trained = along[split.train]
        shared = trained @ (x[split.train] - mean) / (trained @ trained)
        return x - np.outer(along, shared), y

    return change


def _losses(
    before: SplitScores,
    after: SplitScores,
    y: Array,
    *,
    names: Sequence[str],
    erased: int,
    layer: int,
    seed: int,
) -> list[Loss]:
    lost = compare(after.scores, before.scores, seed=seed)
    return [
        Loss(
            erased=names[erased],
            target=name,
            layer=layer,
            before=float(before.r2[column]),
            after=float(after.r2[column]),
            low=defined(lost.low[column]),
            high=defined(lost.high[column]),
            p=defined(lost.p_holm[column]),
            correlation=_correlation(y[:, erased], y[:, column]),
        )
        for column, name in enumerate(names)
        if np.isfinite(lost.difference[column])
    ]


def _correlation(a: Array, b: Array) -> float | None:
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < 3 or np.ptp(a[known]) == 0 or np.ptp(b[known]) == 0:
        return None
    return float(np.corrcoef(a[known], b[known])[0, 1])
