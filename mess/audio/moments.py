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
    seconds = length / per_segment
    starts = np.array([first / sample_rate for first, _ in bounds])
    all_starts = starts[:, None] + seconds * np.arange(per_segment)
    covered = np.append(0.0, starts[:-1] + length)  # up to where earlier segments reach
    kept = all_starts >= covered[:, None] - seconds / 2 - 1e-6  # whatever is rounded
    segment, number = np.nonzero(kept)
    return MomentGrid(segment, number, all_starts[kept], per_segment, seconds)
