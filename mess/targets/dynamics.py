"""Dynamics: the differences between loud and soft, and how the loudness changes.

Conventions: all values are differences of levels in dB, so the gain of a recording has no effect.
The loudness of a note is the highest level that it reaches. The loudness of a passage is the
contour: the level in a window of some seconds.
"""

import numpy as np

from mess.targets.analysis import SOUNDING_FLOOR, Analysis, Floats
from mess.targets.spectrum import FRAME_RATE

_RANGE_PERCENTILES = (10.0, 95.0)  # as the loudness range of EBU Tech 3342
_PEAK_FRAMES = 2 * FRAME_RATE // 10
_HELD_FRAMES = 2 * FRAME_RATE


def dynamic_range(analysis: Analysis) -> float:
    """Return how far the soft notes lie below the loud ones.

    P95 − P10 of the levels that notes reach, in dB: the percentiles of the loudness range (EBU
    Tech 3342), taken over notes rather than over time, so that the decay between the notes of a
    piano does not count. NaN if there are fewer than two levels; see `note_levels`.
    """
    levels = note_levels(analysis)
    if levels.size < 2:
        return float("nan")
    low, high = np.percentile(levels, _RANGE_PERCENTILES)
    return float(high - low)


def dynamic_variance(analysis: Analysis) -> float:
    """Return how much the loudness of passages varies.

    The variance, in dB², of the level of the power in a Gaussian window of some 2.4 s, between the
    first and the last sound. `dynamic_range` compares notes; this target compares passages.
    """
    contour = analysis.contour[np.isfinite(analysis.contour)]
    return float(contour.var()) if contour.size else float("nan")


def crescendo_strength(analysis: Analysis) -> float:
    """Return how strongly the music grows louder.

    mean(max(dL/dt, 0)) in dB/s, where L is the level of the power in a Gaussian window of some
    2.4 s, between the first and the last sound: the dB gained by all rises, per second of music
    (after the idea of low-energy slopes in MIRtoolbox, Lartillot and Toiviainen 2007).
    """
    slope = _contour_slope(analysis)
    return float(np.maximum(slope, 0).mean()) if slope.size else float("nan")


def diminuendo_strength(analysis: Analysis) -> float:
    """Return how strongly the music grows softer.

    mean(max(−dL/dt, 0)) in dB/s; see `crescendo_strength`.
    """
    slope = _contour_slope(analysis)
    return float(np.maximum(-slope, 0).mean()) if slope.size else float("nan")


def note_levels(analysis: Analysis) -> Floats:
    """Return the highest level of each note [shape=(notes,)].

    The highest level of 100 ms within 200 ms after each onset, in dB. Where no note begins for two
    seconds on either side, as in a held chord that swells, the level of each second is used.
    Levels more than 40 dB below the loudest are left out.
    """
    return timed_note_levels(analysis)[1]


def timed_note_levels(analysis: Analysis) -> tuple[Floats, Floats]:
    """Return when each level of `note_levels` is reached, in seconds and not sorted, and it."""
    n_frames = analysis.level.size
    onsets = np.rint(analysis.onsets * FRAME_RATE).astype(np.int64)
    seconds = np.arange(FRAME_RATE // 2, n_frames, FRAME_RATE)
    first = np.searchsorted(onsets, seconds - _HELD_FRAMES)
    held = first == np.searchsorted(onsets, seconds + _HELD_FRAMES)
    starts = np.concatenate([onsets, seconds[held]])
    windows = np.minimum(starts[:, None] + np.arange(_PEAK_FRAMES), n_frames - 1)
    levels = analysis.level[windows].max(axis=1)
    heard = levels > SOUNDING_FLOOR
    return starts[heard] / FRAME_RATE, levels[heard]


def _contour_slope(analysis: Analysis) -> Floats:
    slope = np.diff(analysis.contour) * FRAME_RATE
    return slope[np.isfinite(slope)]
