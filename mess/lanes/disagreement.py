"""Where model and measurement agree least.

Conventions: curves of all tracks stand one after another, with one value per half second. A
difference is predicted less measured, in standard deviations of all differences of the curve.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.audio.moments import MOMENT_RATE
from mess.lanes.recordings import correlation

APART = 10.0  # seconds between two moments of a track that are listed
LEAST_SECONDS = 10.0  # of a track whose correlation is listed
Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Moment:
    """A moment at which model and measurement differ.

    Attributes
    ----------
    row : int
    measured, predicted : float
        In the unit of the curve.
    deviations : float
        Predicted less measured, in standard deviations of all differences.
    """

    row: int
    measured: float
    predicted: float
    deviations: float


def largest_differences(
    measured: Values,
    predicted: Values,
    first: NDArray[np.int64],
    *,
    count: int,
    per_track: int = 2,
    apart: float = APART,
) -> list[Moment]:
    """Return the moments at which model and measurement differ most.

    Parameters
    ----------
    measured, predicted : ndarray [shape=(n,)]
        NaN where undefined.
    first : ndarray [shape=(tracks + 1,), dtype=int]
        The row at which each track begins, and the end.
    count, per_track : int
        How many moments, and how many of one track at most.
    apart : float
        Seconds between two moments of a track at least.

    Examples
    --------
    >>> measured = np.zeros(100)
    >>> predicted = np.where(np.arange(100) == 30, 5.0, 0.0)
    >>> [one.row for one in largest_differences(measured, predicted, np.array([0, 100]), count=1)]
    [30]
    """
    difference = np.asarray(predicted, dtype=np.float64) - measured
    known = np.isfinite(difference)
    spread = float(difference[known].std()) if known.any() else 0.0
    if spread <= 0:
        return []
    rows = np.flatnonzero(known)
    rows = rows[np.argsort(-np.abs(difference[rows]), kind="stable")]
    owner = np.searchsorted(first, rows, side="right") - 1
    found: list[Moment] = []
    of_track: dict[int, list[int]] = {}
    for row, track in zip(rows.tolist(), owner.tolist(), strict=True):
        near = of_track.setdefault(track, [])
        if len(near) >= per_track or any(abs(row - one) < apart * MOMENT_RATE for one in near):
            continue
        near.append(row)
        deviations = float(difference[row]) / spread
        found.append(Moment(row, float(measured[row]), float(predicted[row]), deviations))
        if len(found) == count:
            break
    return found


def lowest_correlations(
    measured: Values,
    predicted: Values,
    first: NDArray[np.int64],
    *,
    count: int,
    least: float = LEAST_SECONDS,
) -> list[tuple[int, float]]:
    """Return the tracks in which model and measurement correlate least, and Pearson's r.

    Parameters
    ----------
    measured, predicted, first
        See `largest_differences`.
    count : int
    least : float
        Seconds of a track in which both are defined at least.

    Returns
    -------
    list of (int, float)
        The lowest r first. A track in which one of both does not vary is left out.
    """
    found: list[tuple[float, int]] = []
    known = np.isfinite(measured) & np.isfinite(predicted)
    for track, (low, high) in enumerate(pairwise(first.tolist())):
        if known[low:high].sum() < least * MOMENT_RATE:
            continue
        r = correlation(measured[low:high], predicted[low:high])
        if r is not None:
            found.append((r, track))
    return [(track, r) for r, track in sorted(found)[:count]]
