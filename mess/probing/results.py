"""The results of an experiment: its cells, and a summary of the layers for each target."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mess.probing.ridge import Array

Alpha = float | Literal["auto"]
NESTED = -1  # the "layer" of the nested probe in a table of predictions


@dataclass(frozen=True, kw_only=True)
class DiscoverySettings:
    """The settings of the experiment.

    Attributes
    ----------
    alpha : float, "auto" or tuple of float
        One penalty for all probes, or a grid from which each training fold chooses by leaving one
        work out at a time; "auto" is a grid from 10⁻² to 10⁶.
    folds, seed : int
        See `mess.probing.folds.assign_folds`.
    permutations : int
        Number of shuffles for the test of significance; 0 for no test.
    bootstrap : int
        Number of bootstrap draws of works for the intervals.
    part_of : mapping of str to str
        The part of the dataset's own split, for each group; see `mess.probing.folds.assign_folds`.

    Examples
    --------
    >>> from mess import DiscoverySettings
    >>> DiscoverySettings(folds=5).permutations
    0
    """

    alpha: Alpha | tuple[float, ...] = "auto"
    folds: int = 10
    seed: int = 0
    permutations: int = 0
    bootstrap: int = 1000
    part_of: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """One probe: how well one layer predicts one target.

    Attributes
    ----------
    layer : int
    target : str
    r2, spearman, rmse : float or None
        None if undefined (too few rows, or a target that does not vary). ``spearman`` is also None
        if ``only_mean``.
    fold_r2 : list of (float or None)
        R² within each fold, against the mean of its training rows.
    alpha : list of float
        The penalty that each fold used.
    n, works : int
        Rows and distinct works that took part.
    low, high : float or None
        95 % interval of ``r2``, by a bootstrap over works; None under ten works.
    p, p_family, q : float or None
        The p value of this cell, the family-wise p value, and the false discovery rate, all on
        shuffled works. None if no works were shuffled.
    only_mean : bool
        Whether the probe predicts only the mean of its training rows.
    """

    layer: int
    target: str
    r2: float | None
    spearman: float | None
    rmse: float | None
    fold_r2: list[float | None]
    alpha: list[float]
    n: int
    works: int
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_family: float | None = None
    q: float | None = None
    only_mean: bool = False


@dataclass(frozen=True)
class Combined:
    """A probe whose layer, or mixture of layers, was chosen inside the training folds.

    Attributes
    ----------
    r2, spearman, low, high : float or None
        As in `Cell`; a mixture has no interval.
    layers : list of float
        The share of each layer: the share of the folds that chose it, or its mean weight.
    """

    r2: float | None
    spearman: float | None
    low: float | None
    high: float | None
    layers: list[float]


@dataclass(frozen=True)
class TargetSummary:
    """What is known about the layers of one target.

    Attributes
    ----------
    target : str
    best : int
        The layer with the highest R².
    within : list of int
        Every layer within one standard error of the best; empty unless ``beyond_mean``.
    wins : list of float
        How often each layer is the best over the bootstrap draws.
    beyond_mean : bool
        Whether the best layer predicts more than the mean: R² above 0 and not ``only_mean``.
    nested : Combined
        The layer is chosen inside each training fold, so its R² has no selection bias.
    weighted : Combined
        A convex combination of all layers, learned inside each training fold.
    """

    target: str
    best: int
    within: list[int]
    wins: list[float]
    nested: Combined
    weighted: Combined
    beyond_mean: bool = True


@dataclass(frozen=True)
class BaselineScore:
    """What a baseline reaches on one target.

    Attributes
    ----------
    name, target : str
    r2, spearman, low, high : float or None
    """

    name: str
    target: str
    r2: float | None
    spearman: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class BeyondScore:
    """What the layers tell of one target beyond a baseline; see `mess.probing.beyond`.

    Attributes
    ----------
    baseline, target : str
    alone, together : float
        Nested R² of the baseline, and of layers and baseline together.
    difference : float
        ``together`` minus ``alone``.
    low, high : float or None
        Its 95 % interval; None with fewer than ten works.
    p : float or None
        Two-sided p value of no difference, after Holm's correction over the targets.
    """

    baseline: str
    target: str
    alone: float
    together: float
    difference: float
    low: float | None
    high: float | None
    p: float | None


@dataclass(frozen=True)
class CurvePoint:
    """What is reached with some of the works.

    Attributes
    ----------
    works, n : int
        How many works, and how many rows they have.
    r2 : dict of str to (float or None)
        Nested R² by target.
    """

    works: int
    n: int
    r2: dict[str, float | None]


@dataclass(frozen=True)
class Discovery:
    """All cells of an experiment and the predictions behind them.

    Attributes
    ----------
    cells : list of Cell
        Layer by layer, in the order of the targets.
    summaries : list of TargetSummary
        One for each target that could be probed.
    predicted : ndarray [shape=(layers, n, targets)]
        Out-of-fold predictions; NaN where the target is undefined.
    fold : ndarray [shape=(n,), dtype=int]
        The fold in which each row was held out.
    nested : ndarray [shape=(n, targets)]
        Out-of-fold predictions by the layer that each training fold chose.
    influence : ndarray [shape=(groups, targets)]
        The influence of each group (in the order of ``np.unique``) on log(1 − R²) of the nested
        probe; see `mess.probing.statistics.influence`. The comparison of encoders uses it.

    Examples
    --------
    >>> import numpy as np
    >>> from mess import discover
    >>> rng = np.random.default_rng(0)
    >>> features, works = rng.standard_normal((30, 2, 4)), np.repeat(np.arange(10), 3)
    >>> found = discover(features, features[:, 0, :1], works, names=["level"])
    >>> found.predicted.shape, found.summaries[0].best
    ((2, 30, 1), 0)
    """

    cells: list[Cell]
    summaries: list[TargetSummary]
    predicted: Array
    fold: NDArray[np.int64]
    nested: Array
    influence: Array
