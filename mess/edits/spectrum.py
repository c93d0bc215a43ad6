"""Edits of the spectrum: a tilt, and a low-pass filter. Neither moves anything in time.

Conventions: both multiply the spectrum of the whole signal by real numbers, so the phase stays.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
_PIVOT = 1000.0  # Hz, where a tilt changes nothing
_LOWEST = 50.0  # Hz, below which a tilt does not go on
_ORDER = 4  # of the filter


def tilt(samples: Samples, rate: int, slope: float) -> Samples:
    """Make the spectrum fall less or more steeply, around 1 kHz.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
    rate : int
        Hz.
    slope : float
        dB per octave: above 0 it is brighter. Below 50 Hz the gain stays that of 50 Hz.

    Returns
    -------
    ndarray [shape=(n,)]
        With the energy that it had.
    """

    def gain(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
        return 10 ** (slope * np.log2(np.maximum(frequency, _LOWEST) / _PIVOT) / 20)

    return _as_strong(_filtered(samples, rate, gain), samples)


def low_pass(samples: Samples, rate: int, cutoff: float) -> Samples:
    """Take away what lies above a frequency, as a Butterworth filter of fourth order does.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
    rate : int
        Hz.
    cutoff : float
        Hz, where the power is halved.

    Returns
    -------
    ndarray [shape=(n,)]
        With the energy that it had.
    """

    def gain(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1 / np.sqrt(1 + (frequency / cutoff) ** (2 * _ORDER))

    return _as_strong(_filtered(samples, rate, gain), samples)


def _filtered(samples: Samples, rate: int, gain: Any) -> Samples:
    """Return the signal with its spectrum multiplied, padded so that nothing comes round again."""
    from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

    n = next_fast_len(samples.size + rate // 2, real=True)
    spectrum = rfft(samples, n)
    spectrum *= gain(rfftfreq(n, 1 / rate)).astype(np.float32)
    return np.asarray(irfft(spectrum, n)[: samples.size], dtype=np.float32)


def _as_strong(samples: Samples, like: Samples) -> Samples:
    """Return the samples with the energy of others."""
    energy = float(np.square(samples, dtype=np.float64).sum())
    wanted = float(np.square(like, dtype=np.float64).sum())
    return samples * np.float32((wanted / energy) ** 0.5 if energy > 0 else 1.0)
