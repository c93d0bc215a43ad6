"""How sure a score is: intervals, significance over many cells, and which layers tie for the best.

Task: from out-of-fold errors and from the same probes on shuffled works, say for every cell
(layer × target) how far its R² may be off, whether it could be chance given how many cells were
looked at, and which layers cannot be told from the best one.

Conventions: the unit is the *work*. Errors of its rows are added up, and whole works are drawn or
shuffled; rows of a work are never taken as independent. Arrays are [works, …cells…] for errors
and [draws, …cells…] for what was drawn.

Examples
--------
>>> import numpy as np
>>> error, total = np.full((20, 1), 0.5), np.ones((20, 1))
>>> resampled_r2(error, total, draws=works_drawn(20, resamples=3)).ravel()
array([0.5, 0.5, 0.5])
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CONFIDENCE = 0.95
SIGNIFICANT = 0.05
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
    selectivity : ndarray [shape=cells]
        R² minus the mean R² of the same probe on shuffled works.
    """

    p: Array
    p_family: Array
    q: Array
    selectivity: Array


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


def resampled_r2(error: Array, total: Array, *, draws: NDArray[np.int64]) -> Array:
    """Return the R² of every cell on drawn works.

    Parameters
    ----------
    error : ndarray [shape=(works, cells)]
        Squared error of each work's rows, Σ(y − ŷ)².
    total : ndarray [shape=(works, cells)]
        The same against the mean of the training rows.
    draws : ndarray [shape=(resamples, works)]
        From `works_drawn`.

    Returns
    -------
    ndarray [shape=(resamples, cells)]
        NaN where the drawn works do not vary.
    """
    counts = draws.astype(np.float64)
    below = counts @ total
    above = counts @ error
    return 1.0 - np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def interval(error: Array, total: Array, resampled: Array) -> Array:
    """Return the bias-corrected and accelerated bootstrap interval of every cell's R².

    Parameters
    ----------
    error, total : ndarray [shape=(works, cells)]
        See `resampled_r2`.
    resampled : ndarray [shape=(resamples, cells)]
        From `resampled_r2` on the same.

    Returns
    -------
    ndarray [shape=(2, cells)]
        Bounds that hold 95 % of repetitions; NaN where R² is undefined.

    References
    ----------
    B. Efron: Better bootstrap confidence intervals. JASA 82 (1987); the acceleration is that of
    the jackknife over works.
    """
    from scipy.special import ndtr, ndtri

    sums, totals = error.sum(axis=0), total.sum(axis=0)
    usable = (totals > 0) & np.isfinite(resampled).all(axis=0)
    bounds = np.full((2, error.shape[1]), np.nan)
    if not usable.any():
        return bounds
    error, total, resampled = error[:, usable], total[:, usable], resampled[:, usable]
    sums, totals = sums[usable], totals[usable]
    observed = 1.0 - sums / totals
    rest = totals - total
    left_out = 1.0 - np.divide(sums - error, rest, out=np.zeros_like(rest), where=rest > 0)
    deviation = left_out.mean(axis=0) - left_out
    spread = np.square(deviation).sum(axis=0) ** 1.5
    acceleration = np.divide(
        (deviation**3).sum(axis=0), 6 * spread, out=np.zeros_like(spread), where=spread > 0
    )
    n = len(resampled)
    below = (resampled < observed).sum(axis=0) + 0.5 * (resampled == observed).sum(axis=0)
    bias = ndtri(np.clip(below / n, 1 / (2 * n), 1 - 1 / (2 * n)))
    found = np.empty((2, int(usable.sum())))
    for side, quantile in enumerate(((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)):
        z = bias + ndtri(quantile)
        share = ndtr(bias + z / (1 - acceleration * z))
        for cell, at in enumerate(share):
            found[side, cell] = np.quantile(resampled[:, cell], at)
    bounds[:, usable] = found
    return bounds


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
    J. Hewitt, P. Liang: Designing and Interpreting Probes with Control Tasks. EMNLP 2019
    (selectivity; here the control is the true target of another work).
    """
    p, family, q = (np.full(observed.shape, np.nan) for _ in range(3))
    usable = np.isfinite(observed) & np.isfinite(null).all(axis=0)
    selectivity = np.where(usable, observed - np.where(usable, null, 0).mean(axis=0), np.nan)
    if usable.any():
        height = np.vstack([observed[usable], null[:, usable]])
        p[usable] = (height >= height[0] - _ROUNDING).mean(axis=0)
        highest = height.max(axis=1)
        family[usable] = (highest[:, None] >= height[0] - _ROUNDING).mean(axis=0)
        q[usable] = false_discovery_rate(p[usable])
    return Significance(p=p, p_family=family, q=q, selectivity=selectivity)


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
