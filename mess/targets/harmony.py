"""Harmony: the number of pitch classes that sound together."""

import numpy as np

from mess.targets.analysis import Analysis

_SILENCE = 1e-5  # of the strongest frame


def harmonic_complexity(analysis: Analysis) -> float:
    """Return how evenly the sound spreads over the twelve pitch classes.

    The entropy −Σ p·log2 p in bits of the pitch classes' shares p of the power in a Gaussian
    window of some 2.4 s, mean over time: 0 for one note, log2 3 ≈ 1.6 for a triad of pure tones,
    log2 12 ≈ 3.6 for all notes alike. The window covers several notes of a melody, so moving
    harmony counts as well as dense chords (entropy of a chroma vector as tonal complexity: Weiß
    and Müller 2014). NaN if no sound has a pitch.
    """
    power = analysis.chroma_context.sum(axis=1)
    sounding = power > _SILENCE * power.max(initial=0.0)
    if not sounding.any():
        return float("nan")
    share = analysis.chroma_context[sounding] / power[sounding, None]
    entropy = -(share * np.log2(np.maximum(share, 1e-12))).sum(axis=1)
    return float(entropy.mean())
