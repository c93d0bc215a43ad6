"""One pass over a short-time Fourier transform, kept as a few numbers a frame.

All targets share this transform. The spectrogram itself is never held whole: blocks of frames are
reduced while they are in the processor's cache, so an hour of music needs little memory.

Conventions: the signal is divided by its peak first, so that nothing downstream depends on gain.
Frames are `FRAME_RATE` per second, centred at frame / `FRAME_RATE`; the signal is continued with
zeros at both ends. Magnitudes are float32 and scaled so that a sine of amplitude 1 has peak 1.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FRAME_RATE = 100  # frames per second: 10 ms resolve the notes of a trill
WINDOW_SECONDS = 0.085  # 2048 samples at 24 kHz
ROLLOFF_SHARE = 0.85
N_MELS = 64
PITCH_RANGE = (110.0, 4_000.0)  # Hz; lower notes are seen by their overtones
PITCH_STEP = 4  # every 4th frame is searched for pitches: 25 per second
PITCH_BINS = 120  # of 10 cents
_PITCH_FLOOR = 0.02  # of the frame's strongest peak, −34 dB
_BLOCK_FRAMES = 512


@dataclass(frozen=True)
class Spectrum:
    """What is kept of the short-time spectrum of a track.

    Attributes
    ----------
    centroid, rolloff, bandwidth : ndarray [shape=(frames,)]
        Hz; NaN where a frame has no energy or reaches beyond the track.
    mel : ndarray [shape=(frames, N_MELS)]
        Power in mel bands.
    pitch : ndarray [shape=(ceil(frames / PITCH_STEP), PITCH_BINS)]
        Power of the spectral peaks by pitch class: bin 0 is an equal-tempered A at 440 Hz.
    """

    centroid: Floats
    rolloff: Floats
    bandwidth: Floats
    mel: Floats
    pitch: Floats


def short_time_spectrum(samples: Floats, sample_rate: int) -> Spectrum:
    """Reduce the short-time Fourier transform of a signal.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
    sample_rate : int
        Hz, a multiple of `FRAME_RATE`.

    Returns
    -------
    Spectrum
        With 1 + n // hop frames.
    """
    from scipy.fft import rfft

    hop = sample_rate // FRAME_RATE
    n_fft = 2 ** round(np.log2(WINDOW_SECONDS * sample_rate))
    window = _hann(n_fft)
    weights = mel_filters(sample_rate=sample_rate, n_fft=n_fft, n_mels=N_MELS)
    frequencies = np.fft.rfftfreq(n_fft, 1 / sample_rate).astype(np.float32)
    n_frames = 1 + samples.size // hop
    shape = np.empty((3, n_frames), dtype=np.float32)
    mel = np.empty((n_frames, N_MELS), dtype=np.float32)
    pitch = np.empty((-(-n_frames // PITCH_STEP), PITCH_BINS), dtype=np.float32)
    for first in range(0, n_frames, _BLOCK_FRAMES):
        last = min(first + _BLOCK_FRAMES, n_frames)
        frames = _frames(samples, first=first, last=last, hop=hop, length=n_fft)
        spectrum = rfft(frames * window, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        magnitude = np.sqrt(power)
        shape[:, first:last] = _spectral_shape(magnitude, frequencies)
        np.matmul(power, weights, out=mel[first:last])
        pitch[first // PITCH_STEP : -(-last // PITCH_STEP)] = pitch_classes(
            magnitude[::PITCH_STEP], frequencies
        )
    middle = np.arange(n_frames) * hop
    # A tone that is cut off in mid-window looks broad; the track's own sound does not.
    shape[:, (middle < n_fft // 2) | (middle > samples.size - n_fft // 2)] = np.nan
    centroid, rolloff, bandwidth = shape
    return Spectrum(centroid, rolloff, bandwidth, mel, pitch)


def _hann(length: int) -> Floats:
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    return (window * 2 / window.sum()).astype(np.float32)


def _frames(samples: Floats, *, first: int, last: int, hop: int, length: int) -> Floats:
    """Return frames [last - first, length], each centred on a multiple of ``hop``."""
    begin = first * hop - length // 2
    end = (last - 1) * hop + length // 2
    chunk = samples[max(begin, 0) : end]
    padded = np.pad(chunk, (max(-begin, 0), end - max(begin, 0) - chunk.size))
    return np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]


def _spectral_shape(magnitude: Floats, frequencies: Floats) -> Floats:
    """Return centroid, rolloff and bandwidth [3, frames] in Hz."""
    top = frequencies[-1]
    unit = frequencies / top  # float32 sums of squares in Hz would lose digits
    moments = (magnitude @ np.stack([np.ones_like(unit), unit, unit**2], axis=1)).astype(np.float64)
    total = np.where(moments[:, 0] > 0, moments[:, 0], np.nan)
    mean = moments[:, 1] / total
    variance = np.maximum(moments[:, 2] / total - mean**2, 0.0)
    cumulated = np.cumsum(magnitude, axis=1)
    below = (cumulated < ROLLOFF_SHARE * cumulated[:, -1:]).sum(axis=1)
    rolloff = np.where(cumulated[:, -1] > 0, frequencies[np.minimum(below, unit.size - 1)], np.nan)
    return np.stack([top * mean, rolloff, top * np.sqrt(variance)]).astype(np.float32)


@lru_cache(maxsize=4)
def mel_filters(*, sample_rate: int, n_fft: int, n_mels: int) -> Floats:
    """Return triangular filters [n_fft // 2 + 1, n_mels], equally spaced in mel.

    mel(f) = 2595 · log10(1 + f / 700) (O'Shaughnessy 1987), from 30 Hz to half the rate; each
    triangle is at least two bins wide.
    """
    frequencies = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    highest = 2595 * np.log10(1 + sample_rate / 1400)
    mels = np.linspace(2595 * np.log10(1 + 30 / 700), highest, n_mels + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    bin_width = sample_rate / n_fft
    low = np.minimum(edges[:-2], edges[1:-1] - bin_width)
    high = np.maximum(edges[2:], edges[1:-1] + bin_width)
    up = (frequencies[:, None] - low) / (edges[1:-1] - low)
    down = (high - frequencies[:, None]) / (high - edges[1:-1])
    return np.maximum(np.minimum(up, down), 0).astype(np.float32)


def pitch_classes(magnitude: Floats, frequencies: Floats) -> Floats:
    """Return the power of spectral peaks by pitch class, in bins of 10 cents.

    A peak is a bin above both neighbours and above −34 dB of the frame's strongest; its frequency
    is refined by a parabola through the logarithms of the three magnitudes, which for a Hann
    window is exact to about a hundredth of a bin (Gómez 2006, section 3.2).

    Parameters
    ----------
    magnitude : ndarray [shape=(frames, bins)]
    frequencies : ndarray [shape=(bins,)]
        Hz, equally spaced.

    Returns
    -------
    ndarray [shape=(frames, PITCH_BINS)]
    """
    first, last = np.searchsorted(frequencies, PITCH_RANGE)
    here = magnitude[:, first:last]
    below, above = magnitude[:, first - 1 : last - 1], magnitude[:, first + 1 : last + 1]
    floor = _PITCH_FLOOR * here.max(axis=1, keepdims=True)
    frame, peak = np.nonzero((here > below) & (here >= above) & (here > floor))
    levels = [np.log(np.maximum(m[frame, peak], 1e-12)) for m in (below, here, above)]
    curve = levels[0] - 2 * levels[1] + levels[2]
    offset = 0.5 * (levels[0] - levels[2]) / np.minimum(curve, -1e-6)
    refined = frequencies[first + peak] + np.clip(offset, -0.5, 0.5) * frequencies[1]
    octaves = np.log2(refined / 440.0)
    column = np.rint(PITCH_BINS * (octaves - np.floor(octaves))).astype(np.int64) % PITCH_BINS
    power = np.square(here[frame, peak])
    counts = np.bincount(
        frame * PITCH_BINS + column, weights=power, minlength=here.shape[0] * PITCH_BINS
    )
    return counts.reshape(here.shape[0], PITCH_BINS).astype(np.float32)
