"""Edits of what surrounds the music: a room, noise, a codec. They leave the music as it was played.

Conventions: what is random is drawn from a fixed seed, so an edit of the same recording is the same
every time.
"""

import io

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
_SEED = 0
_DIRECT = 0.02  # seconds before the room answers
_WET = 0.7  # energy of the room's answer against that of the direct sound
_MP3_RATE = 44_100
_MP3_LEVELS = {128: 0.62, 64: 0.86}  # libsndfile's compression level of a mono bit rate
_MP3_PEAK = 0.5  # a codec overshoots, and integers inside it would clip


def reverberation(samples: Samples, rate: int, seconds: float) -> Samples:
    """Put the music into a room: add a tail of noise that decays by 60 dB in so many seconds.

    The impulse response is the direct sound and, 20 ms later, exponentially decaying Gaussian
    noise (Moorer 1979). What would sound after the end is cut off.

    References
    ----------
    J. A. Moorer: About this reverberation business. Computer Music Journal 3(2), 1979.
    """
    from scipy.signal import oaconvolve

    n = round(seconds * rate)
    noise = np.random.default_rng(_SEED).standard_normal(n)
    tail = noise * 10 ** (-3.0 * np.arange(n) / n)
    tail *= np.sqrt(_WET / np.square(tail).sum())
    response = np.concatenate([np.zeros(round(_DIRECT * rate)), tail])
    response[0] = 1.0
    wet = oaconvolve(samples, response.astype(np.float32))[: samples.size]
    return np.asarray(wet, dtype=np.float32)


def noise(samples: Samples, rate: int, decibel: float) -> Samples:  # noqa: ARG001 (all take it)
    """Add white noise, so many dB above the mean power of the music (below 0: under it).

    ``rate`` does not matter.
    """
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    drawn = np.random.default_rng(_SEED).standard_normal(samples.size, dtype=np.float32)
    return np.asarray(samples + np.float32((power * 10 ** (decibel / 10)) ** 0.5) * drawn)


def mp3(samples: Samples, rate: int, kilobits: float) -> Samples:
    """Code the music as MP3 with a constant bit rate, and decode it.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
    rate : int
        Hz; the file has 44.1 kHz.
    kilobits : float
        A second, mono: 128 or 64.

    Returns
    -------
    ndarray [shape=(n,)]
        As loud as it was, and at the same place in time.
    """
    import soundfile
    import soxr

    peak = float(np.abs(samples).max(initial=0.0))
    if peak == 0:
        return samples.copy()
    scale = np.float32(_MP3_PEAK / peak)
    high = soxr.resample(samples * scale, rate, _MP3_RATE, quality="VHQ")
    buffer = io.BytesIO()
    soundfile.write(
        buffer,
        high,
        _MP3_RATE,
        format="MP3",
        bitrate_mode="CONSTANT",
        compression_level=_MP3_LEVELS[round(kilobits)],
    )
    buffer.seek(0)
    coded, _ = soundfile.read(buffer, dtype="float32")
    back = np.asarray(soxr.resample(coded, _MP3_RATE, rate, quality="VHQ"), dtype=np.float32)
    back = np.pad(back, (0, max(0, samples.size - back.size)))[: samples.size]
    # The encoder takes half a decibel away, which is no quality of the codec.
    energy = [float(np.square(one, dtype=np.float64).sum()) for one in (samples, back)]
    return back * np.float32((energy[0] / max(energy[1], 1e-30)) ** 0.5)
