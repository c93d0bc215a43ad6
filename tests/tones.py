"""Audio that is rendered on the spot."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray


def tone(
    seconds: float, *, frequency: float = 440.0, sample_rate: int = 22_050, seed: int = 0
) -> NDArray[np.float32]:
    """Return plucked notes around ``frequency``, three a second, with a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    signal = np.zeros_like(time)
    note = time[: round(2 * sample_rate)]  # by then it has died away
    for onset in np.arange(0, seconds, 1 / 3):
        start = round(onset * sample_rate)
        since = note[: signal.size - start]
        pitch = frequency * 2 ** (rng.integers(-5, 6) / 12)
        loudness = rng.uniform(0.1, 0.5)
        wave = loudness * np.exp(-6 * since) * np.sin(2 * np.pi * pitch * since)
        signal[start : start + wave.size] += wave
    signal += 1e-3 * rng.standard_normal(time.size)
    return (0.5 * signal / np.abs(signal).max()).astype(np.float32)


def write_tone(path: Path, seconds: float = 8.0, **how: float) -> Path:
    """Write `tone` to ``path`` in the format that its suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sample_rate = int(how.pop("sample_rate", 22_050))
    samples = tone(
        seconds,
        sample_rate=sample_rate,
        frequency=float(how.pop("frequency", 440.0)),
        seed=int(how.pop("seed", 0)),
    )
    soundfile.write(path, samples, sample_rate)
    return path
