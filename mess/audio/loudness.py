"""Loudness: how loud a short excerpt sounds, and the level at which several sound equally loud.

Task: people who compare excerpts prefer the louder one. So the excerpts that they compare get one
loudness. It is measured as broadcasters measure it.

Conventions: the integrated loudness is in LUFS, gated (ITU-R BS.1770-4). The true peak is in dBTP:
the largest magnitude after oversampling by four, as that standard says. The usual level is that of
EBU R 128. A gain never lifts a true peak above `MOST_DBTP`: then all excerpts that are compared get
a lower level together.

Examples
--------
>>> import numpy as np
>>> tone = 0.1 * np.sin(2 * np.pi * 997 * np.arange(3 * 44_100) / 44_100)
>>> heard = measure_loudness(tone, 44_100)
>>> round(heard.lufs, 1), round(heard.dbtp, 1)
(-23.0, -20.0)
>>> common_level([heard, Heard(lufs=-40.0, dbtp=-10.0)])
-31.0
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

USUAL_LUFS = -23.0  # EBU R 128
MOST_DBTP = -1.0  # EBU R 128
_OVERSAMPLING = 4
_SHORTEST = 0.4  # seconds: the length of a block of the gate


@dataclass(frozen=True)
class Heard:
    """How loud an excerpt sounds.

    Attributes
    ----------
    lufs : float
        Integrated loudness; −∞ where nothing is above the gate.
    dbtp : float
        True peak; −∞ for silence.
    """

    lufs: float
    dbtp: float

    def gain(self, level: float) -> float:
        """Return the gain in dB that brings the excerpt to a level in LUFS."""
        return level - self.lufs


def measure_loudness(samples: NDArray[np.floating[Any]], rate: int) -> Heard:
    """Measure the loudness and the true peak of one channel.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
        In [−1, 1].
    rate : int
        Samples per second.

    References
    ----------
    ITU-R BS.1770-4: Algorithms to measure audio programme loudness and true-peak audio level. 2015.
    EBU R 128: Loudness normalisation and permitted maximum level of audio signals. 2020.
    """
    import pyloudnorm
    import soxr

    samples = np.asarray(samples, dtype=np.float64)
    if not samples.size or not samples.any():
        return Heard(-np.inf, -np.inf)
    oversampled = soxr.resample(samples, rate, _OVERSAMPLING * rate, quality="HQ")
    peak = float(20 * np.log10(np.abs(oversampled).max()))
    if samples.size < _SHORTEST * rate:
        return Heard(-np.inf, peak)
    # Its other filters deviate from the coefficients of the standard by up to 0.1 dB.
    meter = pyloudnorm.Meter(rate, filter_class="DeMan")
    with np.errstate(divide="ignore", invalid="ignore"):
        lufs = float(meter.integrated_loudness(samples))
    return Heard(lufs if np.isfinite(lufs) else -np.inf, peak)


def common_level(excerpts: Sequence[Heard]) -> float:
    """Return the level in LUFS at which all excerpts can be played.

    It is `USUAL_LUFS`, or the highest level that lifts no true peak above `MOST_DBTP`.
    """
    room = [MOST_DBTP - one.dbtp + one.lufs for one in excerpts]
    return float(min([USUAL_LUFS, *room]))
