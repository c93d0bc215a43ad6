"""Dose and response: do predictions follow when only one quality is changed?

Task: given how far a target was changed by the doses of an edit, as measured, and how far its
prediction moved, say whether the prediction follows.

Conventions: a change is a value less that of the same recording before the edit, in standard
deviations of the target over the dataset. The *slope* is that of the line through the origin from
the measured to the predicted change: 1 follows wholly, 0 is blind. Works, not recordings, count as
independent. Where an edit hardly moves the target there is no slope, and the predicted change is
all side effect.

References
----------
B. Efron, R. J. Tibshirani: An Introduction to the Bootstrap. Chapman & Hall, 1993.
T. C. Hesterberg: What teachers should know about the bootstrap. The American Statistician 69, 2015
(percentile intervals of small samples, widened by Student's t).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.probing.metrics import defined
from mess.probing.statistics import CONFIDENCE, FEWEST_WORKS, works_drawn

Array = NDArray[np.float64]
LEAST_MOVE = 0.1  # deviations: an edit that moves a target less says nothing of how it is followed
FEWEST_DOSES = 3  # for the linearity


@dataclass(frozen=True)
class Response:
    """How one prediction answers the doses of one edit.

    Attributes
    ----------
    slope : float or None
        Of the line through the origin from measured to predicted changes; None where the edit
        moves the target by less than `LEAST_MOVE`.
    low, high : float or None
        95 % interval by a bootstrap over works; None under ten works.
    linearity : float or None
        Share of the mean predicted changes of the doses that lies on a line, 0 to 1; None for fewer
        than three doses.
    agreement : float or None
        Correlation of measured and predicted changes about 0, over all recordings and doses.
    measured, predicted : float
        Root of the mean squared change.
    n, works : int
        Changes that took part, and their works.
    """

    slope: float | None
    low: float | None
    high: float | None
    linearity: float | None
    agreement: float | None
    measured: float
    predicted: float
    n: int
    works: int


def respond(
    measured: Array,
    predicted: Array,
    works: NDArray[Any],
    doses: NDArray[Any],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> list[Response]:
    """Return how each prediction answers.

    Parameters
    ----------
    measured : ndarray [shape=(n,)]
        Changes, in deviations of the target; NaN where the target is undefined before or after.
    predicted : ndarray [shape=(n, k)]
        Of k predictions, one for each layer, say; a column with NaN beside a known change has no
        answer.
    works, doses : ndarray [shape=(n,)]
        Of each change.
    resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    list of Response, length k

    Examples
    --------
    >>> change = np.tile([-1.0, -0.5, 0.5, 1.0], 12)
    >>> answer = np.stack([change, 0 * change], axis=1)  # one follows, one is blind
    >>> found = respond(change, answer, np.repeat(range(12), 4), np.tile(range(4), 12))
    >>> [one.slope for one in found], found[0].linearity
    ([1.0, 0.0], 1.0)
    """
    known = np.isfinite(measured)
    x, y = measured[known], predicted[known]
    names, work = np.unique(works[known], return_inverse=True)
    size = float(np.sqrt(np.mean(np.square(x)))) if x.size else 0.0
    moved = np.sqrt(np.mean(np.square(y), axis=0)) if x.size else np.full(y.shape[1], np.nan)
    if size < LEAST_MOVE:
        return [
            Response(None, None, None, None, None, size, float(one), x.size, len(names))
            for one in moved
        ]
    both, own = np.zeros((len(names), y.shape[1])), np.zeros(len(names))
    np.add.at(both, work, x[:, None] * y)
    np.add.at(own, work, np.square(x))
    slope = both.sum(axis=0) / own.sum()
    low = high = np.full(y.shape[1], np.nan)
    if len(names) >= FEWEST_WORKS:
        draws = works_drawn(len(names), bootstrap=resamples, seed=seed).astype(np.float64)
        resampled = (draws @ both) / np.maximum(draws @ own, 1e-12)[:, None]
        low, high = np.quantile(resampled, _sides(len(names)), axis=0)
    straight = _linearity(x, y, doses[known])
    with np.errstate(invalid="ignore"):
        agreement = slope * size / np.where(moved > 0, moved, np.nan)
    return [
        Response(
            defined(slope[k]),
            defined(low[k]),
            defined(high[k]),
            defined(straight[k]),
            defined(agreement[k]),
            size,
            float(moved[k]),
            x.size,
            len(names),
        )
        for k in range(y.shape[1])
    ]


def _sides(works: int) -> list[float]:
    """Return the quantiles of an interval: wider than the percentiles, as Student's t is."""
    from scipy.stats import norm, t

    reach = t.ppf((1 + CONFIDENCE) / 2, works - 1) * np.sqrt(works / (works - 1))
    return [float(norm.cdf(-reach)), float(norm.cdf(reach))]


def _linearity(x: Array, y: Array, doses: NDArray[Any]) -> Array:
    """Return the squared cosine of the doses' mean measured and mean predicted changes [k]."""
    values, dose = np.unique(doses, return_inverse=True)
    if len(values) < FEWEST_DOSES:
        return np.full(y.shape[1], np.nan)
    count = np.bincount(dose)
    mean_x = np.bincount(dose, weights=x) / count
    mean_y = np.zeros((len(values), y.shape[1]))
    np.add.at(mean_y, dose, y)
    mean_y /= count[:, None]
    sizes = np.square(mean_x).sum() * np.square(mean_y).sum(axis=0)
    along = np.square(mean_x @ mean_y)
    return np.divide(along, sizes, out=np.full(y.shape[1], np.nan), where=sizes > 0)
