"""Means over moments: of curves at a higher rate, and of events at single times."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mess.audio.moments import MomentGrid

Floats = NDArray[np.float64]
_GRAIN = 20  # values per second of what is spread around single times


@dataclass(frozen=True)
class Windows:
    """The moments of a recording.

    Attributes
    ----------
    start : ndarray [shape=(n,)]
        Seconds, ascending.
    seconds : float
        Length of each.
    """

    start: Floats
    seconds: float

    @classmethod
    def of(cls, grid: MomentGrid) -> "Windows":
        """Return the windows of a grid of moments."""
        return cls(grid.start, grid.seconds)

    @property
    def centre(self) -> Floats:
        """The middle of each moment, in seconds."""
        return self.start + self.seconds / 2

    @property
    def stop(self) -> float:
        """When the last moment ends, in seconds."""
        return float(self.start[-1] + self.seconds)

    def within(self, first: float, last: float) -> NDArray[np.bool_]:
        """Tell which moments have their middle between two times (seconds)."""
        return (self.centre >= first) & (self.centre <= last)


def mean_over(values: Floats, windows: Windows, *, rate: float) -> Floats:
    """Return the mean of the finite values in each window; NaN where there is none.

    Parameters
    ----------
    values : ndarray [shape=(frames,) or (frames, k)]
    windows : Windows
    rate : float
        Frames per second.
    """
    finite = np.isfinite(values)
    shape = (1, *values.shape[1:])
    total = np.concatenate([np.zeros(shape), np.cumsum(np.where(finite, values, 0.0), axis=0)])
    count = np.concatenate([np.zeros(shape), np.cumsum(finite, axis=0)])
    first = np.clip(np.rint(windows.start * rate).astype(int), 0, len(values))
    last = np.clip(np.rint((windows.start + windows.seconds) * rate).astype(int), 0, len(values))
    found = count[last] - count[first]
    return np.divide(
        total[last] - total[first], found, out=np.full(found.shape, np.nan), where=found > 0
    )


def density_of(
    times: Floats, windows: Windows, *, width: float, span: tuple[float, float]
) -> Floats:
    """Return how many events happen per second, in a Gaussian window.

    Parameters
    ----------
    times : ndarray [shape=(events,)]
        Seconds.
    windows : Windows
    width : float
        Standard deviation of the window, in seconds.
    span : tuple of float
        Between which times events are looked for (seconds); beyond it is nothing, and no silence.
    """
    from mess.targets.analysis import gaussian_mean

    n = max(1, round((span[1] - span[0]) * _GRAIN))
    place = np.clip(((times - span[0]) * _GRAIN).astype(int), 0, n - 1)
    counts = np.bincount(place, minlength=n).astype(np.float64) * _GRAIN
    return _at(gaussian_mean(counts, width=width * _GRAIN), windows, span)


def mean_around(
    times: Floats,
    values: Floats,
    windows: Windows,
    *,
    width: float,
    span: tuple[float, float],
    weights: Floats | None = None,
) -> Floats:
    """Return the mean of the values of events, in a Gaussian window around each moment.

    Where no event is near, the value goes on in a line from the nearest before to the nearest
    after.

    Parameters
    ----------
    times, values : ndarray [shape=(events,)]
    windows, width, span
        See `density_of`.
    weights : ndarray [shape=(events,)], optional
        How much each event counts.
    """
    from scipy.ndimage import gaussian_filter1d

    n = max(1, round((span[1] - span[0]) * _GRAIN))
    place = np.clip(((times - span[0]) * _GRAIN).astype(int), 0, n - 1)
    weight = np.ones(len(times)) if weights is None else weights
    sums = [np.bincount(place, weights=one, minlength=n) for one in (weight * values, weight)]
    spread = [gaussian_filter1d(one, width * _GRAIN, mode="constant") for one in sums]
    told = spread[1] > 1e-9 * max(float(spread[1].max()), 1e-300)
    if not told.any():
        return np.full(len(windows.start), np.nan)
    mean = np.interp(np.arange(n), np.flatnonzero(told), spread[0][told] / spread[1][told])
    return _at(mean, windows, span)


def _at(values: Floats, windows: Windows, span: tuple[float, float]) -> Floats:
    """Return a curve of `_GRAIN` values per second from ``span`` on at the moments within it."""
    centres = (np.arange(len(values)) + 0.5) / _GRAIN + span[0]
    return np.where(windows.within(*span), np.interp(windows.centre, centres, values), np.nan)
