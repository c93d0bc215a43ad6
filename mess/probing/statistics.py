"""How sure a score is: confidence intervals, and the layers that tie for the best.

Task: from the errors without each work, compute for every cell (layer × target) an interval of its
R², and list the layers whose R² is within one standard error of the best. Whether a score could be
chance is tested in `mess.probing.max_t`.

Conventions: the unit is the *work*. Whole works are drawn or left out; the rows of one work never
count as independent. Arrays are [works, cells] or [draws, cells].

Examples
--------
>>> import numpy as np
>>> moves = influence(np.zeros(1), np.zeros((20, 1)))
>>> resampled_r2(np.log([0.5]), moves, draws=works_drawn(20, bootstrap=3)).ravel()
array([0.5, 0.5, 0.5])
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CONFIDENCE = 0.95
SIGNIFICANT = 0.05
FEWEST_WORKS = 10  # with fewer works, a bootstrap over works gives no valid interval


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
        How often each layer is the best over the bootstrap draws.
    """

    best: int
    within: list[int]
    wins: list[float]


def works_drawn(works: int, *, bootstrap: int, seed: int = 0) -> NDArray[np.int64]:
    """Draw works with replacement; return how often each was drawn [bootstrap, works]."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(works, np.full(works, 1.0 / works), size=bootstrap)


def influence(score: Array, without: Array) -> Array:
    """Return the influence of each work on a score, by the jackknife over works.

    ``without`` must come from the whole experiment repeated without the work, fits included. If
    works were left out of the test only, the intervals would be too short, because folds share
    their training rows (S. Bates, T. Hastie, R. Tibshirani: Cross-validation: what does
    it estimate and how well does it do it? JASA 119, 2024).

    Parameters
    ----------
    score : ndarray [shape=(cells,)]
    without : ndarray [shape=(works, cells)]
        The score without each work; NaN where a cell has no row of the work.

    Returns
    -------
    ndarray [shape=(works, cells)]
        Deviations that sum to 0; their squares sum to the jackknife estimate of the variance
        (B. Efron, C. Stein: The jackknife estimate of variance. Annals of Statistics 9, 1981).
    """
    known = np.isfinite(without) & np.isfinite(score)
    works = known.sum(axis=0)
    centre = np.where(known, without, 0).sum(axis=0) / np.maximum(works, 1)
    scale = np.sqrt(np.maximum(works - 1, 0) / np.maximum(works, 1))
    return np.where(known, centre - without, 0.0) * scale


def resampled_r2(error_share: Array, moves: Array, *, draws: NDArray[np.int64]) -> Array:
    """Return the R² of every cell on drawn works: a bootstrap over works.

    A work that is drawn twice counts twice. The influences are added on the scale of log(1 − R²),
    the logarithm of a ratio of errors, which is closer to normal and keeps R² below 1.

    Parameters
    ----------
    error_share : ndarray [shape=(cells,)]
        log(1 − R²).
    moves : ndarray [shape=(works, cells)]
        From `influence` on the same scale.
    draws : ndarray [shape=(bootstrap, works)]
        From `works_drawn`.

    Returns
    -------
    ndarray [shape=(bootstrap, cells)]
    """
    return 1.0 - np.exp(error_share + draws.astype(np.float64) @ moves)


def interval(resampled: Array) -> Array:
    """Return the bounds [2, cells] between which 95 % of the resampled scores lie."""
    sides = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    return np.asarray(np.quantile(resampled, sides, axis=0))


def best_layers(r2: Array, resampled: Array) -> BestLayers | None:
    """Tell which layers may be the best for one target.

    Parameters
    ----------
    r2 : ndarray [shape=(layers,)]
    resampled : ndarray [shape=(bootstrap, layers)]
        R² on drawn works, the same draws for all layers.

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
