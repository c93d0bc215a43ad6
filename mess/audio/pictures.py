"""Pictures of a recording: the peaks of its waveform, and its spectrogram as a PNG.

Examples
--------
>>> import numpy as np
>>> peaks(np.array([0.0, 0.5, -0.25, 0.1], dtype=np.float32), bins=2).tolist()
[0.5, 0.25]
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.audio.addresses import as_path
from mess.audio.channels import audible
from mess.audio.decoding import native_blocks
from mess.errors import AudioError

_RATE = 16_000  # Hz of a spectrogram, which shows up to 8 kHz
_WINDOW = 1024
_LOWEST = 60.0  # Hz
_RANGE_DB = 70.0
_SKETCH = 400  # peaks kept per second while reading
Samples = NDArray[np.float32]


def peaks(samples: Samples, *, bins: int) -> NDArray[np.float32]:
    """Return the largest magnitude in each of ``bins`` equal parts.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
    bins : int

    Returns
    -------
    ndarray [shape=(min(bins, n),)]
    """
    bins = min(bins, samples.size)
    if bins == 0:
        return np.empty(0, dtype=np.float32)
    edges = np.linspace(0, samples.size, bins, endpoint=False).astype(np.int64)
    return np.asarray(np.maximum.reduceat(np.abs(samples), edges), dtype=np.float32)


def read_peaks(
    path: str | Path, *, start: float = 0.0, seconds: float | None = None, bins: int = 400
) -> NDArray[np.float32]:
    """Return the peaks of a part of a recording, read block by block.

    Parameters
    ----------
    path : str or Path
    start : float
        Seconds from the beginning.
    seconds : float, optional
        Length of the part; by default to the end.
    bins : int

    Raises
    ------
    AudioError
        If the file is unreadable or has no sound at ``start``.
    """
    block_peaks: list[Samples] = []
    for block in _mono(as_path(path), start=start, seconds=seconds):
        samples, rate = block
        block_peaks.append(peaks(samples, bins=max(1, round(samples.size / rate * _SKETCH))))
    if not block_peaks:
        raise AudioError(path, f"has no sound at {start:g} s", "choose an earlier time")
    return peaks(np.concatenate(block_peaks), bins=bins)


def read_spectrogram(
    path: str | Path,
    *,
    start: float = 0.0,
    seconds: float | None = None,
    width: int = 1000,
    height: int = 160,
) -> bytes:
    """Return a part of a recording as a PNG: time to the right, log frequency upwards.

    Levels are in dB below the loudest, 70 dB from black to white, in the colours of magma.

    Parameters
    ----------
    path : str or Path
    start, seconds : float
        See `read_peaks`.
    width, height : int
        Pixels.

    Raises
    ------
    AudioError
        If the file is unreadable or has no sound at ``start``.
    """
    from PIL import Image  # comes with streamlit

    spectra = [
        _magnitudes(samples, rate)
        for samples, rate in _mono(as_path(path), start=start, seconds=seconds)
    ]
    if not spectra:
        raise AudioError(path, f"has no sound at {start:g} s", "choose an earlier time")
    power = np.concatenate(spectra, axis=1)
    columns = np.linspace(0, power.shape[1], width, endpoint=False).astype(np.int64)
    level = 10 * np.log10(np.maximum(_rows(power, height)[:, columns], 1e-12))
    shade = np.clip(1 + (level - level.max()) / _RANGE_DB, 0, 1)
    picture = _magma()[(shade[::-1] * 255).astype(np.uint8)]
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")
    return buffer.getvalue()


def _mono(path: Path, *, start: float, seconds: float | None) -> Any:
    """Yield (samples, rate) until the part has ended."""
    got = 0
    for block, rate in native_blocks(path, start=start):
        left = None if seconds is None else round(seconds * rate) - got
        samples = audible(block)[:left]
        got += samples.size
        if samples.size:
            yield samples, rate
        if left is not None and samples.size >= left:
            return


def _magnitudes(samples: Samples, rate: int) -> NDArray[np.float32]:
    """Return the power of a block [1 + window / 2, frames], at some 16 kHz."""
    step = max(1, round(rate / _RATE))
    if step > 1:  # for a picture, a mean is a sufficient low-pass filter
        kept = samples.size // step * step
        samples = samples[:kept].reshape(-1, step).mean(axis=1)
    if samples.size < _WINDOW:
        samples = np.pad(samples, (0, _WINDOW - samples.size))
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[:: _WINDOW // 2]
    spectrum = np.fft.rfft(frames * np.hanning(_WINDOW).astype(np.float32), axis=1)
    return np.asarray(np.square(np.abs(spectrum)).T, dtype=np.float32)


def _rows(power: NDArray[np.float32], height: int) -> NDArray[np.float32]:
    """Return rows of log frequency, the lowest first."""
    top = power.shape[0] - 1
    lowest = _LOWEST * _WINDOW / _RATE
    position = lowest * (top / lowest) ** np.linspace(0, 1, height)
    below = np.minimum(position.astype(np.int64), top - 1)
    share = (position - below).astype(np.float32)[:, None]
    return (1 - share) * power[below] + share * power[below + 1]


def _magma() -> NDArray[np.uint8]:
    """Return 256 colours between the anchors of Plotly's Magma."""
    from plotly.colors import get_colorscale
    from plotly.colors import hex_to_rgb as rgb

    anchors = get_colorscale("Magma")
    at = [position for position, _ in anchors]
    colours = np.array([rgb(colour) for _, colour in anchors], dtype=np.float64)
    wanted = np.linspace(0, 1, 256)
    channels = [np.interp(wanted, at, colours[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=1).astype(np.uint8)
