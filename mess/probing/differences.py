"""Comparing two encoders: which one predicts a target better, and how sure that is.

Task: two encoders were probed on the same rows and folds. For every target, estimate the difference
of their nested R² with an interval, and test it.

Conventions
-----------
* The *nested* probe is compared: its layer is chosen inside the training folds, so an encoder gains
  nothing from having more layers.
* The unit is the work. Both scores are resampled with the same drawn works (a paired bootstrap), by
  the influence of the works on the whole experiment, fits included. A bootstrap of the test errors
  alone would ignore that folds share their training rows.
* The verdict is "beats" or "loses" if p, after Holm's correction over the targets, is at most 0.05.
  The intervals shown are uncorrected 95 % intervals.
* With fewer than ten works there is no interval and no p, and the verdict is "not told apart".

Examples
--------
>>> import numpy as np
>>> moves = np.random.default_rng(0).normal(0, 0.02, (40, 1))
>>> good = Scores(np.array([0.8]), moves)
>>> poor = Scores(np.array([0.3]), np.zeros((40, 1)))
>>> compare(good, poor).verdicts
['beats']
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mess.probing.statistics import FEWEST_WORKS, SIGNIFICANT, interval, resampled_r2, works_drawn

Array = NDArray[np.float64]
Verdict = Literal["beats", "loses", "not told apart"]
_SAME = 1e-6  # differences of R² that are rounding
DRAWS = 10_000  # a p of 0.05 over 30 targets needs tails of 1 in 1,200


@dataclass(frozen=True)
class Scores:
    """The nested scores of one encoder.

    Attributes
    ----------
    r2 : ndarray [shape=(targets,)]
        Nested R², NaN where undefined.
    influence : ndarray [shape=(works, targets)]
        The influence of each work on log(1 − R²); see `mess.probing.results.Discovery`.
    """

    r2: Array
    influence: Array


@dataclass(frozen=True)
class Differences:
    """The R² of one encoder minus that of another.

    Attributes
    ----------
    difference, low, high : ndarray [shape=(targets,)]
        The difference and its 95 % interval; NaN where one of the two R² is undefined.
    p : ndarray [shape=(targets,)]
        Two-sided p value of no difference.
    p_holm : ndarray [shape=(targets,)]
        The same, corrected for the number of targets.
    verdicts : list of (str or None)
        "beats", "loses" or "not told apart", by ``p_holm``.
    mean, mean_low, mean_high, mean_p : float
        The mean difference over the targets that both have, its interval and its p value. It is
        one test, so it is not corrected.
    """

    difference: Array
    low: Array
    high: Array
    p: Array
    p_holm: Array
    mean: float
    mean_low: float
    mean_high: float
    mean_p: float

    @property
    def verdicts(self) -> list[Verdict | None]:
        """The verdict for each target."""
        return [
            verdict(difference, p)
            for difference, p in zip(self.difference, self.p_holm, strict=True)
        ]

    @property
    def mean_verdict(self) -> Verdict | None:
        """The verdict for the mean difference."""
        return verdict(self.mean, self.mean_p)


def compare(a: Scores, b: Scores, *, bootstrap: int = DRAWS, seed: int = 0) -> Differences:
    """Return how the scores of ``a`` differ from those of ``b`` on the same rows, folds and works.

    References
    ----------
    B. Efron, R. Tibshirani: An Introduction to the Bootstrap, 1993, chapter 16.
    S. Holm: A simple sequentially rejective multiple test procedure. Scandinavian Journal of
    Statistics 6, 1979.
    """
    works = len(a.influence)
    drawn = works_drawn(works, bootstrap=bootstrap, seed=seed)
    known = np.isfinite(a.r2) & np.isfinite(b.r2)
    moved = [
        resampled_r2(
            np.log(np.maximum(1.0 - scores.r2[known], np.finfo(float).tiny)),
            scores.influence[:, known],
            draws=drawn,
        )
        for scores in (a, b)
    ]
    spread = moved[0] - moved[1]
    spread[np.abs(spread) < _SAME] = 0.0  # the same probe on both sides, but for rounding
    difference, low, high, p, p_holm = (np.full(known.shape, np.nan) for _ in range(5))
    difference[known] = a.r2[known] - b.r2[known]
    if not known.any():
        return Differences(difference, low, high, p, p_holm, *[float("nan")] * 4)
    if works < FEWEST_WORKS:
        mean_difference = float(difference[known].mean())
        return Differences(difference, low, high, p, p_holm, mean_difference, *[float("nan")] * 3)
    low[known], high[known] = interval(spread)
    p[known] = two_sided(spread)
    p_holm[known] = holm(p[known])
    mean = spread.mean(axis=1, keepdims=True)
    mean_low, mean_high = interval(mean)[:, 0]
    return Differences(
        difference,
        low,
        high,
        p,
        p_holm,
        mean=float(difference[known].mean()),
        mean_low=float(mean_low),
        mean_high=float(mean_high),
        mean_p=float(two_sided(mean)[0]),
    )


def two_sided(resampled: Array) -> Array:
    """Return the two-sided p value of no difference: twice the smaller tail of [draws, cells].

    The observed difference counts as one of the draws, so p is never 0.
    """
    tail = np.minimum((resampled <= 0).sum(axis=0), (resampled >= 0).sum(axis=0))
    return np.minimum(2.0 * (tail + 1) / (len(resampled) + 1), 1.0)


def holm(p: NDArray[Any]) -> Array:
    """Return p values after Holm's correction, in the order given (family-wise error).

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def verdict(difference: float, p: float) -> Verdict | None:
    """Return the verdict on a difference, None if it is undefined."""
    if not np.isfinite(difference):
        return None
    if not p <= SIGNIFICANT:
        return "not told apart"
    return "beats" if difference > 0 else "loses"
