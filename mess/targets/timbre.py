"""Timbre: the shape of the spectrum.

Task: average frame-wise spectral descriptors over time. Frames whose level over 20 ms lies more
than 60 dB below the loudest are left out, because in a rest they describe the room.
"""

import numpy as np

from mess.targets.analysis import ATTACK_RATE, Analysis, Floats
from mess.targets.onsets import LEVEL_FLOOR
from mess.targets.spectrum import FRAME_RATE


def spectral_centroid(analysis: Analysis) -> float:
    """Return the centre of gravity of the spectrum.

    Σ f·|X(f)| / Σ |X(f)| in Hz, mean over frames (Peeters et al. 2011, "The Timbre Toolbox").
    """
    return _mean_of_sounding(analysis.centroid, analysis)


def spectral_rolloff(analysis: Analysis) -> float:
    """Return the frequency below which 85 % of the magnitude lies.

    In Hz, mean over frames (Tzanetakis and Cook 2002).
    """
    return _mean_of_sounding(analysis.rolloff, analysis)


def spectral_bandwidth(analysis: Analysis) -> float:
    """Return how widely the spectrum spreads around its centroid c.

    √(Σ (f − c)²·|X(f)| / Σ |X(f)|) in Hz, mean over frames (Peeters et al. 2011: spectral
    spread).
    """
    return _mean_of_sounding(analysis.bandwidth, analysis)


def zero_crossing_rate(analysis: Analysis) -> float:
    """Return how often per second the waveform changes sign.

    In 1/s, mean over frames; 2·f for a sine, near half the sample rate for white noise
    (Peeters et al. 2011).
    """
    return _mean_of_sounding(analysis.zero_crossing_rate, analysis)


def _mean_of_sounding(curve: Floats, analysis: Analysis) -> float:
    level = analysis.attack_level
    moments = np.minimum(np.arange(curve.size) * (ATTACK_RATE // FRAME_RATE), level.size - 1)
    values = curve[(level[moments] > LEVEL_FLOOR) & np.isfinite(curve)]
    return float(values.mean()) if values.size else float("nan")
