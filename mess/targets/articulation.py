"""Articulation: how notes begin.

Conventions: both targets are means over the onsets whose surroundings lie within the music or the
segment; they are NaN if there is none. `attack_slopes` measures how steeply the level of the whole
sound rises. `attack_sharpness` measures how suddenly the spectrum changes, so it also detects a
note that begins while others still sound.
"""

import numpy as np

from mess.targets.analysis import ATTACK_RATE, Analysis, Floats
from mess.targets.spectrum import FRAME_RATE

_LEAD = round(0.1 * ATTACK_RATE)  # how long before its highest level an attack may begin
_EARLY = round(0.02 * ATTACK_RATE)  # the highest level lies between 20 ms before the onset …
_LATE = round(0.12 * ATTACK_RATE)  # … and 120 ms after it
_CORE = 1  # frames on both sides of an onset
_AROUND = 8


def attack_slopes(analysis: Analysis) -> float:
    """Return how steeply the level rises when notes begin.

    0.8·(L₁ − L₀) / (t₉₀ − t₁₀) in dB/s, mean over onsets: L₁ is the highest level (root mean
    square over 20 ms) around the onset, L₀ the lowest within 100 ms before it, and t₁₀ and t₉₀
    where the level last passes 10 % and 90 % of the rise between them (attack slope between fixed
    thresholds: Peeters et al. 2011; MIRtoolbox, Lartillot and Toiviainen 2007). Detached,
    percussive notes score high, legato and swelling ones low.
    """
    level = analysis.attack_level
    onsets = np.rint(analysis.onsets * ATTACK_RATE).astype(np.int64)
    onsets = onsets[(onsets >= _LEAD + _EARLY) & (onsets + _LATE <= level.size)]
    if not onsets.size:
        return float("nan")
    near = onsets[:, None] + np.arange(-_EARLY, _LATE)
    top = near[:, 0] + level[near].argmax(axis=1)
    backwards = level[top[:, None] - np.arange(_LEAD + 1)]
    rise = backwards[:, 0] - backwards.min(axis=1)
    passed = backwards[:, 0, None] - backwards  # how far below the top
    late = (passed >= 0.1 * rise[:, None]).argmax(axis=1)
    early = (passed >= 0.9 * rise[:, None]).argmax(axis=1)
    duration = np.maximum(early - late, 1) / ATTACK_RATE
    return float((0.8 * rise / duration).mean())


def attack_sharpness(analysis: Analysis) -> float:
    """Return how suddenly the spectrum changes when notes begin.

    The share, 0 to 1, of the onset strength within ±80 ms of an onset that falls within ±10 ms of
    it, mean over onsets. The attack of a hammer falls into one moment; that of a bow is spread out
    (peakedness of the spectral flux, Bello et al. 2005). The loudness of the note has no effect.
    """
    strength: Floats = analysis.onset_strength
    onsets = np.rint(analysis.onsets * FRAME_RATE).astype(np.int64)
    onsets = onsets[(onsets >= _AROUND) & (onsets + _AROUND < strength.size)]
    if not onsets.size:
        return float("nan")
    around = strength[onsets[:, None] + np.arange(-_AROUND, _AROUND + 1)]
    core = around[:, _AROUND - _CORE : _AROUND + _CORE + 1]
    return float((core.sum(axis=1) / around.sum(axis=1)).mean())
