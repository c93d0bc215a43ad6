"""How sure a score is: intervals, significance over many cells, layers that tie for the best.

Task: from the errors without each work and from the same probes on shuffled works, say for every
cell (layer × target) how far its R² may be off, whether it could be chance given how many cells
were looked at, and which layers cannot be told from the best one.

Conventions: the unit is the *work*. Whole works are drawn, left out or shuffled; rows of a work are
never taken as independent. Arrays are [works, cells] or [draws, cells].

Examples
--------
>>> import numpy as np
>>> moves = influence(np.zeros(1), np.zeros((20, 1)))
>>> resampled_r2(np.log([0.5]), moves, draws=works_drawn(20, resamples=3)).ravel()
array([0.5, 0.5, 0.5])
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CONFIDENCE = 0.95
SIGNIFICANT = 0.05
FEWEST_WORKS = 10  # under so many, works that are drawn anew say nothing of works to come
_ROUNDING = 1e-6  # nulls are computed in single precision


@dataclass(frozen=True)
class Significance:
    """Whether cells beat the same probes on shuffled works.

    Attributes
    ----------
    p : ndarray [shape=cells]
        Of each cell alone.
    p_family : ndarray [shape=cells]
        Of each cell among all: the chance that any cell scores so high (family-wise error).
    q : ndarray [shape=cells]
        Least false discovery rate at which the cell is a discovery.
    """

    p: Array
    p_family: Array
    q: Array


@dataclass(frozen=True)
class BestLayers:
    """Which layers may be the best for a target.

    Attributes
    ----------
    best : int
        The layer with the highest R².
    within : list of int
        Every layer whose R² lies within one standard error of the best's.
    wins : list of float
        How often each layer is the best when works are drawn anew.
    """

    best: int
    within: list[int]
    wins: list[float]


def works_drawn(works: int, *, resamples: int, seed: int = 0) -> NDArray[np.int64]:
    """Draw works with replacement; return how often each was drawn [resamples, works]."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(works, np.full(works, 1.0 / works), size=resamples)


def influence(score: Array, without: Array) -> Array:
    """Return how much each work moves a score: the jackknife over works.

    ``without`` must come from the whole experiment done without the work, fits included. Works
    that are only left out of the test would hide that folds share their training rows, and
    intervals would be too short (S. Bates, T. Hastie, R. Tibshirani: Cross-validation: what does
    it estimate and how well does it do it? JASA 119, 2024).

    Parameters
    ----------
    score : ndarray [shape=(cells,)]
    without : ndarray [shape=(works, cells)]
        The score without each work; NaN where a cell does not know the work.

    Returns
    -------
    ndarray [shape=(works, cells)]
        Deviations that add up to 0 and whose squares add up to the jackknife's variance
        (B. Efron, C. Stein: The jackknife estimate of variance. Annals of Statistics 9, 1981).
    """
    known = np.isfinite(without) & np.isfinite(score)
    works = known.sum(axis=0)
    centre = np.where(known, without, 0).sum(axis=0) / np.maximum(works, 1)
    scale = np.sqrt(np.maximum(works - 1, 0) / np.maximum(works, 1))
    return np.where(known, centre - without, 0.0) * scale


def resampled_r2(error_share: Array, moves: Array, *, draws: NDArray[np.int64]) -> Array:
    """Return the R² of every cell as it would be on drawn works: a bootstrap over works.

    A work that is drawn twice moves the score twice. Scores move on the scale of log(1 − R²), the
    logarithm of a ratio of errors, which is closer to normal and keeps R² below 1.

    Parameters
    ----------
    error_share : ndarray [shape=(cells,)]
        log(1 − R²).
    moves : ndarray [shape=(works, cells)]
        From `influence` on the same scale.
    draws : ndarray [shape=(resamples, works)]
        From `works_drawn`.

    Returns
    -------
    ndarray [shape=(resamples, cells)]
    """
    return 1.0 - np.exp(error_share + draws.astype(np.float64) @ moves)


def interval(resampled: Array) -> Array:
    """Return the bounds [2, cells] between which 95 % of the resampled scores lie."""
    sides = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    return np.asarray(np.quantile(resampled, sides, axis=0))


def significance(observed: Array, null: Array) -> Significance:
    """Test all cells against the same probes on shuffled works.

    The statistic is R² itself: bounded above, it is comparable over cells, and the family-wise
    test asks how often the best cell of a shuffle scores as high. It must not be standardised by
    each null's deviation, which a few very negative R² would rule. The observed set counts as one
    of the shuffles.

    Parameters
    ----------
    observed : ndarray [shape=(cells,)]
        NaN where undefined.
    null : ndarray [shape=(shuffles, cells)]
        One shuffle is the same for all cells, so their dependence is kept.

    References
    ----------
    P. H. Westfall, S. S. Young: Resampling-Based Multiple Testing, 1993 (single-step max-T).
    Y. Benjamini, Y. Hochberg: Controlling the false discovery rate. JRSS B 57 (1995).
    """
    p, family, q = (np.full(observed.shape, np.nan) for _ in range(3))
    usable = np.isfinite(observed) & np.isfinite(null).all(axis=0)
    if usable.any():
        height = np.vstack([observed[usable], null[:, usable]])
        p[usable] = (height >= height[0] - _ROUNDING).mean(axis=0)
        highest = height.max(axis=1)
        family[usable] = (highest[:, None] >= height[0] - _ROUNDING).mean(axis=0)
        q[usable] = false_discovery_rate(p[usable])
    return Significance(p=p, p_family=family, q=q)


def false_discovery_rate(p: Array) -> Array:
    """Return Benjamini and Hochberg's q of every p, in the order given."""
    order = np.argsort(p)[::-1]
    ranked = p[order] * len(p) / np.arange(len(p), 0, -1)
    q = np.empty_like(p)
    q[order] = np.minimum(np.minimum.accumulate(ranked), 1.0)
    return q


def best_layers(r2: Array, resampled: Array) -> BestLayers | None:
    """Tell which layers may be the best for one target.

    Parameters
    ----------
    r2 : ndarray [shape=(layers,)]
    resampled : ndarray [shape=(resamples, layers)]
        On the same drawn works for all layers.

    Returns
    -------
    BestLayers or None
        None where no layer has an R². The one-standard-error rule is that of Hastie, Tibshirani,
        Friedman 2009, section 7.10.
    """
    if not np.isfinite(r2).any():
        return None
    best = int(np.nanargmax(r2))
    drawn = resampled[np.isfinite(resampled[:, best])]
    error = float(drawn[:, best].std(ddof=1)) if len(drawn) > 1 else 0.0
    winners = np.nanargmax(np.where(np.isfinite(drawn), drawn, -np.inf), axis=1)
    wins = np.bincount(winners, minlength=len(r2)) / max(len(drawn), 1)
    within = np.flatnonzero(r2 >= r2[best] - error)
    return BestLayers(best=best, within=within.tolist(), wins=wins.tolist())
