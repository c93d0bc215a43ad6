"""Sounds whose course is known, for the tests beside this file."""

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import Signal
from mess.audio.moments import moment_grid
from mess.curves import CURVES, compute_curves
from mess.curves.windows import Windows
from mess.targets import TARGET_SAMPLE_RATE, Analysis, Notes, analyse

Wave = NDArray[np.float64]


def clock(seconds: float) -> Wave:
    return np.arange(round(seconds * TARGET_SAMPLE_RATE)) / TARGET_SAMPLE_RATE


def tone(frequency: Wave | float, level: Wave | float, seconds: float) -> Wave:
    """A sine of a changing frequency (Hz) and level (dB), with a soft second partial."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(frequency, clock(seconds).shape))
    phase /= TARGET_SAMPLE_RATE
    return 0.3 * 10 ** (level / 20) * (np.sin(phase) + 0.2 * np.sin(2 * phase))


def curves_of(wave: Wave, *, notes: Notes | None = None) -> tuple[dict[str, Wave], Wave, Analysis]:
    """Return every curve by name, the middle of each moment, and the analysis."""
    samples = wave.astype(np.float32)
    signal = Signal(samples, TARGET_SAMPLE_RATE, float(samples.mean()), float(samples.std()))
    analysis = analyse(signal)
    windows = Windows.of(moment_grid(samples.size, TARGET_SAMPLE_RATE))
    values = compute_curves(analysis, windows, notes=notes).astype(np.float64)
    return dict(zip(CURVES, values.T, strict=True)), windows.centre, analysis
