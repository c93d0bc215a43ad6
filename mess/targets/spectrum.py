"""The shared spectrum: one pass over the samples of a track, reduced to a few numbers per frame.

All targets on audio share this pass and its short-time Fourier transform. The transform and the
descriptors are librosa's (McFee et al. 2015). Blocks of frames are reduced one by one, while they
are in the processor's cache. The spectrogram is never kept whole, so an hour of music needs little
memory.

Conventions: there are `FRAME_RATE` frames per second, centred at frame / `FRAME_RATE`. The signal
is continued with zeros at both ends. Frequencies below 20 Hz are removed first (`audible_blocks`).
Magnitudes are float32 and scaled so that a sine of amplitude 1 has peak 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mess.targets.librosa_import import import_librosa

Floats = NDArray[np.float32]

FRAME_RATE = 100  # frames per second: 10 ms resolve the notes of a trill
FINE_STEPS = 8  # parts of a frame whose power is kept
WINDOW_SECONDS = 0.085  # 2048 samples at 24 kHz
ROLLOFF_SHARE = 0.85
N_MELS = 64
MEL_RANGE = (30.0, 8_000.0)  # Hz; a file at 16 kHz has no more
LOWEST = 20.0  # Hz; lower frequencies are inaudible
PITCH_RANGE = (110.0, 4_000.0)  # Hz; lower notes are detected by their overtones
PITCH_STEP = 4  # every 4th frame is searched for pitches: 25 per second
PITCH_BINS = 120  # of 10 cents
_PITCH_FLOOR = 0.02  # of the frame's strongest peak, −34 dB
_BLOCK_FRAMES = 512


@dataclass(frozen=True)
class Spectrum:
    """The reduced spectrum of a track.

    Attributes
    ----------
    centroid, rolloff, bandwidth : ndarray [shape=(frames,)]
        Hz; NaN where a frame has no energy.
    crossings : ndarray [shape=(frames,)]
        Changes of sign per second.
    power : ndarray [shape=(frames · FINE_STEPS,)]
        Mean square of the samples in equal parts of a frame; a frame begins half a frame before
        its centre.
    mel : ndarray [shape=(frames, N_MELS)]
        Power in mel bands.
    pitch : ndarray [shape=(ceil(frames / PITCH_STEP), PITCH_BINS)]
        Power of the spectral peaks by pitch class: bin 0 is an equal-tempered A at 440 Hz.
    """

    centroid: Floats
    rolloff: Floats
    bandwidth: Floats
    crossings: Floats
    power: NDArray[np.float64]
    mel: Floats
    pitch: Floats


def short_time_spectrum(samples: Floats, sample_rate: int) -> Spectrum:
    """Reduce a signal to its curves.

    Centroid, rolloff (85 %) and bandwidth are those of `librosa.feature` on the magnitudes of
    `librosa.stft` with a periodic Hann window; sign changes are `librosa.zero_crossings`. Mel
    bands are `librosa.filters.mel` up to 8 kHz instead of half the rate, so that a file at
    16 kHz has the bands of the same music at 44.1 kHz. Pitches are the peaks of
    `librosa.piptrack`; see `pitch_classes`.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
    sample_rate : int
        Hz, a multiple of ``FRAME_RATE · FINE_STEPS``.

    Returns
    -------
    Spectrum
        With 1 + n // hop frames.
    """
    librosa = import_librosa()
    hop = sample_rate // FRAME_RATE
    n_fft = 2 ** round(np.log2(WINDOW_SECONDS * sample_rate))
    window = librosa.filters.get_window("hann", n_fft)
    window = (window * 2 / window.sum()).astype(np.float32)
    bands = mel_filters(sample_rate=sample_rate, n_fft=n_fft)
    frequencies = librosa.fft_frequencies(sr=sample_rate, n_fft=n_fft).astype(np.float32)
    n_frames = 1 + samples.size // hop
    shape = np.empty((4, n_frames), dtype=np.float32)
    power = np.empty((n_frames, FINE_STEPS))
    mel = np.empty((n_frames, N_MELS), dtype=np.float32)
    pitch = np.empty((-(-n_frames // PITCH_STEP), PITCH_BINS), dtype=np.float32)
    for first, last, block in audible_blocks(samples, sample_rate, n_fft=n_fft):
        own = slice((n_fft - hop) // 2, (n_fft - hop) // 2 + (last - first) * hop)
        squares = np.square(block[own]).reshape(last - first, FINE_STEPS, -1)
        power[first:last] = squares.mean(axis=2, dtype=np.float64)
        changes = librosa.zero_crossings(block[own.start - 1 : own.stop], pad=False)[1:]
        shape[3, first:last] = changes.reshape(last - first, hop).sum(axis=1) * FRAME_RATE
        magnitude = np.abs(
            librosa.stft(block, n_fft=n_fft, hop_length=hop, window=window, center=False)
        )
        centroid = librosa.feature.spectral_centroid(S=magnitude, sr=sample_rate, freq=frequencies)
        shape[0, first:last] = centroid
        shape[1, first:last] = librosa.feature.spectral_rolloff(
            S=magnitude, sr=sample_rate, freq=frequencies, roll_percent=ROLLOFF_SHARE
        )
        shape[2, first:last] = librosa.feature.spectral_bandwidth(
            S=magnitude, sr=sample_rate, freq=frequencies, centroid=centroid
        )
        shape[:3, first:last][:, ~magnitude.any(axis=0)] = np.nan
        np.matmul(np.square(magnitude).T, bands, out=mel[first:last])
        pitch[first // PITCH_STEP : -(-last // PITCH_STEP)] = pitch_classes(
            magnitude[:, ::PITCH_STEP], sample_rate=sample_rate
        )
    step = hop // FINE_STEPS
    edges = np.arange(n_frames * FINE_STEPS + 1) * step - hop // 2
    inside = np.diff(np.clip(edges, 0, samples.size)) / step  # less than 1 at the ends
    sums = power.ravel()
    centroid, rolloff, bandwidth, crossings = shape
    return Spectrum(
        centroid=centroid,
        rolloff=rolloff,
        bandwidth=bandwidth,
        crossings=crossings,
        power=np.divide(sums, inside, out=np.zeros_like(sums), where=inside > 0),
        mel=mel,
        pitch=pitch,
    )


def audible_blocks(
    samples: Floats, sample_rate: int, *, n_fft: int
) -> Iterator[tuple[int, int, Floats]]:
    """Yield the signal block by block, without inaudible low frequencies.

    The mean is subtracted, then a Butterworth high-pass of second order removes what lies below
    20 Hz. The offset of a converter and the rumble of a turntable are inaudible, but they change
    levels, sign changes and the spectral centroid.

    Yields
    ------
    first, last : int
        Frames of the block, ``last`` excluded.
    block : ndarray [shape=((last - first - 1) · hop + n_fft,)]
        The samples of these frames; zeros beyond the ends of the signal.
    """
    from scipy.signal import butter, sosfilt

    hop = sample_rate // FRAME_RATE
    n_frames = 1 + samples.size // hop
    offset = np.float32(np.mean(samples, dtype=np.float64))
    high_pass = butter(2, LOWEST, "highpass", fs=sample_rate, output="sos")
    state = np.zeros((len(high_pass), 2))
    held = np.zeros(n_fft // 2, dtype=np.float32)
    read = 0
    for first in range(0, n_frames, _BLOCK_FRAMES):
        last = min(first + _BLOCK_FRAMES, n_frames)
        stop = (last - 1) * hop + n_fft // 2
        fresh = samples[read:stop] - offset
        if fresh.size:  # the last block may lie in the second half of the window before it
            fresh, state = sosfilt(high_pass, fresh, zi=state)
        missing = max(stop - max(samples.size, read), 0)
        block = np.concatenate([held, fresh.astype(np.float32), np.zeros(missing, np.float32)])
        yield first, last, block
        held, read = block[(last - first) * hop :], stop


@lru_cache(maxsize=4)
def mel_filters(*, sample_rate: int, n_fft: int) -> Floats:
    """Return the triangular filters of `librosa.filters.mel` [n_fft // 2 + 1, N_MELS].

    They are not normalised: a band holds the power that lies in it.
    """
    librosa = import_librosa()
    filters = librosa.filters.mel(
        sr=sample_rate,
        n_fft=n_fft,
        n_mels=N_MELS,
        fmin=MEL_RANGE[0],
        fmax=MEL_RANGE[1],
        norm=None,
    )
    return np.ascontiguousarray(filters.T, dtype=np.float32)


def pitch_classes(magnitude: Floats, *, sample_rate: int) -> Floats:
    """Return the power of spectral peaks by pitch class, in bins of 10 cents.

    The peaks are those of `librosa.piptrack` above −34 dB of the frame's strongest. Chroma is
    computed from peaks (Gómez 2006, section 3.2). `librosa.feature.chroma_stft` uses all bins.
    There the bins beside a low tone count for its neighbours, and a pure triad has the entropy of
    five pitch classes.

    Parameters
    ----------
    magnitude : ndarray [shape=(bins, frames)]
    sample_rate : int
        Hz.

    Returns
    -------
    ndarray [shape=(frames, PITCH_BINS)]
    """
    librosa = import_librosa()
    n_frames = magnitude.shape[1]
    low, high = PITCH_RANGE
    pitches, heights = librosa.piptrack(
        S=magnitude, sr=sample_rate, fmin=low, fmax=high, threshold=_PITCH_FLOOR
    )
    peak, frame = np.nonzero(pitches)
    octaves = librosa.hz_to_octs(pitches[peak, frame])
    column = np.rint(PITCH_BINS * (octaves - np.floor(octaves))).astype(np.int64) % PITCH_BINS
    counts = np.bincount(
        frame * PITCH_BINS + column,
        weights=np.square(heights[peak, frame]),
        minlength=n_frames * PITCH_BINS,
    )
    return counts.reshape(n_frames, PITCH_BINS).astype(np.float32)
