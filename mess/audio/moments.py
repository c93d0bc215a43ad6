"""Moments: the windows of half a second over which states and curves are averaged.

Conventions: a *moment* is a window of half a second inside a segment; a segment of five seconds has
ten. A recording shorter than a segment has as many as fit, and at least one. The last segment is
shifted back to end with the recording, so some of its moments also lie in the segment before it.
These are left out; consecutive moments overlap by at most half a moment.

Examples
--------
>>> grid = moment_grid(7 * 16_000, 16_000)
>>> grid.start[-4:].tolist()  # the last segment begins at 2 s; the one before it covers up to 5 s
[5.0, 5.5, 6.0, 6.5]
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import SEGMENT_SECONDS, segment_bounds

MOMENT_SECONDS = 0.5
MOMENT_RATE = 1 / MOMENT_SECONDS
_NEAR = 0.1  # seconds that the beginnings of one moment may lie apart at two sample rates


@dataclass(frozen=True)
class MomentGrid:
    """The moments of one recording.

    Attributes
    ----------
    segment : ndarray [shape=(n,), dtype=int]
        The segment of each moment.
    number : ndarray [shape=(n,), dtype=int]
        The number of the moment within its segment, from 0.
    start : ndarray [shape=(n,)]
        Seconds from the beginning of the recording, ascending.
    per_segment : int
        Moments in a segment, including those that are left out.
    seconds : float
        Length of a moment.
    """

    segment: NDArray[np.int64]
    number: NDArray[np.int64]
    start: NDArray[np.float64]
    per_segment: int
    seconds: float


def moment_grid(n_samples: int, sample_rate: int) -> MomentGrid:
    """Return the moments of a recording of ``n_samples``."""
    bounds = segment_bounds(n_samples, round(SEGMENT_SECONDS * sample_rate))
    length = (bounds[0][1] - bounds[0][0]) / sample_rate
    per_segment = max(1, round(length * MOMENT_RATE))
    return _grid(bounds, sample_rate, per_segment=per_segment, seconds=length / per_segment)


def frame_grid(n_samples: int, sample_rate: int, *, frames: int, rate: int) -> MomentGrid:
    """Return the times of hidden states.

    Parameters
    ----------
    n_samples, sample_rate : int
        Of the recording.
    frames : int
        States in a segment.
    rate : int
        States per second. Convolutions leave out a state or two at the end of a segment, so
        ``frames`` is a little less than the rate times the length.

    Examples
    --------
    >>> grid = frame_grid(7 * 24_000, 24_000, frames=374, rate=75)
    >>> len(grid.start), grid.start[374].round(2).item()  # the second segment goes on there
    (524, 4.99)
    """
    bounds = segment_bounds(n_samples, round(SEGMENT_SECONDS * sample_rate))
    return _grid(bounds, sample_rate, per_segment=frames, seconds=1 / rate)


def _grid(
    bounds: list[tuple[int, int]], sample_rate: int, *, per_segment: int, seconds: float
) -> MomentGrid:
    """Return windows in every segment; those that earlier segments cover are left out."""
    starts = np.array([first / sample_rate for first, _ in bounds])
    all_starts = starts[:, None] + seconds * np.arange(per_segment)
    covered = np.append(0.0, starts[:-1] + per_segment * seconds)  # up to where earlier ones reach
    kept = all_starts >= covered[:, None] - seconds / 2 - 1e-6  # whatever is rounded
    segment, number = np.nonzero(kept)
    return MomentGrid(segment, number, all_starts[kept], per_segment, seconds)


def aligned(
    start: NDArray[np.float64], other: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which moments of a recording stand in two grids, of two sample rates.

    Parameters
    ----------
    start, other : ndarray [shape=(n,)], [shape=(m,)]
        When the moments begin, in seconds.

    Returns
    -------
    ndarray, ndarray [shape=(k,), dtype=int]
        Their numbers in ``start``, and the same moments in ``other``.

    Examples
    --------
    >>> aligned(np.array([0.0, 0.5, 1.0]), np.array([0.01, 1.01]))
    (array([0, 2]), array([0, 1]))
    """
    right = np.clip(np.searchsorted(other, start), 1, max(len(other) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(other) - 1)
    place = np.where(np.abs(other[right] - start) < np.abs(other[left] - start), right, left)
    near = np.flatnonzero(np.abs(start - other[place]) < _NEAR)
    return near, place[near]
