"""Rhythm at the rate of hidden states: what is predicted of each state, and the tempo read from it.

Task: half a second is too long for a beat. So onset strength is also predicted from every single
state, and the tempo is computed from the predicted curve by the definition of the measured one
(`mess.targets.rhythm`).

Conventions: states may be rarer than the 100 values of the onset strength per second. Then several
values are predicted of one state, one for each part of its time. The *columns* are onset strength
and level, each with `parts_of` values, then the density of onsets.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.audio.moments import MomentGrid
from mess.targets import rhythm
from mess.targets.analysis import Analysis, gaussian_mean
from mess.targets.onsets import LEVEL_FLOOR
from mess.targets.spectrum import FRAME_RATE

Floats = NDArray[np.float64]
FEWEST_PER_SECOND = 25  # states; with fewer, quavers blur
_DENSITY_WIDTH = 1.0  # seconds, as of the curve of the same name


def parts_of(seconds: float) -> int:
    """Return how many values of the onset strength are predicted of a state of such a length.

    >>> parts_of(1 / 50), parts_of(1 / 75), parts_of(1 / 100)
    (2, 2, 1)
    """
    return max(1, round(FRAME_RATE * seconds + 0.49))


def strength_columns(columns: int) -> list[int]:
    """Return which of so many columns are those of the onset strength."""
    return list(range((columns - 1) // 2))


@dataclass(frozen=True)
class Beats:
    """What the tempo of a recording is measured on, kept beside its curves.

    Attributes
    ----------
    strength, level : ndarray [shape=(n,), dtype=float16]
        Onset strength, and the level over 100 ms, in dB; `FRAME_RATE` values per second.
    onsets : ndarray [shape=(onsets,), dtype=float32]
        Seconds.
    """

    strength: NDArray[np.float16]
    level: NDArray[np.float16]
    onsets: NDArray[np.float32]

    @classmethod
    def of(cls, analysis: Analysis) -> "Beats":
        """Return what is kept of the analysis of a whole track."""
        return cls(
            analysis.onset_strength.astype(np.float16),
            np.maximum(analysis.level, LEVEL_FLOOR).astype(np.float16),
            analysis.onsets.astype(np.float32),
        )

    def columns(self, grid: MomentGrid) -> NDArray[np.float32]:
        """Return what is predicted of each state [states, 2 · parts + 1]."""
        times = _times(grid.start, grid.seconds, parts=parts_of(grid.seconds))
        frames = np.arange(self.strength.size) / FRAME_RATE
        counts = np.bincount(
            np.clip((self.onsets * FRAME_RATE).astype(int), 0, frames.size - 1),
            minlength=frames.size,
        )
        density = gaussian_mean(counts.astype(np.float64), width=_DENSITY_WIDTH * FRAME_RATE)
        parts = [
            np.interp(times, frames, self.strength),
            np.interp(times, frames, self.level),
            np.interp(grid.start, frames, FRAME_RATE * density)[:, None],
        ]
        return np.concatenate(parts, axis=1).astype(np.float32)


def read_tempo(
    columns: NDArray[np.floating[Any]], start: Floats, *, seconds: float, density: float
) -> float:
    """Return the tempo that predicted columns tell, in beats per minute.

    Parameters
    ----------
    columns : ndarray [shape=(states, 2 · parts + 1)]
        Predicted of the states of a recording.
    start : ndarray [shape=(states,)]
        When each begins, in seconds.
    seconds : float
        How long each takes.
    density : float
        Predicted onsets per second.

    Returns
    -------
    float
        NaN where no beat is found.
    """
    parts = len(strength_columns(columns.shape[1]))
    times = _times(start, seconds, parts=parts).ravel()
    at = np.arange(round((start[-1] + seconds) * FRAME_RATE)) / FRAME_RATE
    strength, level = (
        np.interp(at, times, columns[:, first : first + parts].ravel()) for first in (0, parts)
    )
    accents = rhythm.weigh_onsets(np.maximum(strength, 0.0), np.minimum(level, 0.0))
    return rhythm.tempo_of_accents(accents, density=density)


def _times(start: Floats, seconds: float, *, parts: int) -> Floats:
    """Return the times of the values that are predicted of each state [states, parts]."""
    times: Floats = start[:, None] + seconds / parts * np.arange(parts)
    return times
