"""Edits of time and pitch: faster at the same pitch, higher at the same tempo.

Task: change how fast the music goes and leave its pitches where they are, by a phase vocoder
(Flanagan and Golden 1966; Dolson 1986) with identity phase locking: all bins around a peak of the
spectrum keep the phases that they have towards it (Laroche and Dolson 1999). It smears attacks a
little. `there_and_back` goes through it twice and ends at the same tempo: what it moves is an
artefact.

References
----------
J. Laroche, M. Dolson: Improved phase vocoder time-scale modification of audio. IEEE Transactions on
Speech and Audio Processing 7(3), 1999.
"""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
_WINDOW_SECONDS = 0.085
_OVERLAP = 4  # windows over each sample
_SILENT = 1e-12


def stretch(samples: Samples, rate: int, speed: float) -> Samples:
    """Make the music faster or slower at the same pitch.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
    rate : int
        Hz.
    speed : float
        1 changes nothing; 2 is twice as fast.

    Returns
    -------
    ndarray [shape=(n / speed,)]
    """
    wanted = round(samples.size / speed)
    if wanted == samples.size:
        return samples.copy()
    size = 1 << round(np.log2(_WINDOW_SECONDS * rate))
    hop = size // _OVERLAP
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    padded = np.pad(samples, (size, 2 * size))
    count = -(-(wanted + size) // hop) + 1
    # The middle of window t lies at t · hop of the result, and at speed · t · hop of the samples.
    middle = (np.arange(count) - _OVERLAP / 2) * hop * speed + size
    begin = np.clip(np.rint(middle - size / 2), hop, padded.size - size).astype(np.int64)
    frames = _locked(padded, begin, window, hop=hop)
    out = _overlap_add(frames, window, hop=hop)[size : size + wanted]
    return np.asarray(out, dtype=np.float32)


def pitch(samples: Samples, rate: int, semitones: float) -> Samples:
    """Make the music higher or lower at the same tempo: stretched, and played faster or slower.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
    rate : int
        Hz.
    semitones : float
        0 changes nothing.

    Returns
    -------
    ndarray [shape=(n,)]
    """
    import soxr

    factor = 2 ** (semitones / 12)
    longer = stretch(samples, rate, 1 / factor)
    played = soxr.resample(longer, rate * factor, rate, quality="HQ")
    return _of_length(np.asarray(played, dtype=np.float32), samples.size)


def there_and_back(samples: Samples, rate: int, speed: float) -> Samples:
    """Stretch, and stretch back: the same music, with what the phase vocoder does to it twice."""
    return _of_length(stretch(stretch(samples, rate, speed), rate, 1 / speed), samples.size)


def _locked(
    padded: Samples, begin: NDArray[np.int64], window: Samples, *, hop: int
) -> NDArray[np.float32]:
    """Return the windows of the result [count, size], their phases going on from peak to peak."""
    from scipy.fft import irfft, rfft

    views = np.lib.stride_tricks.sliding_window_view(padded, window.size)
    now = rfft(views[begin] * window, axis=1)
    before = rfft(views[begin - hop] * window, axis=1)  # a hop earlier, as in the result
    magnitude = np.abs(now)
    turned = now.copy()
    for t in range(1, len(begin)):
        peaks = _peaks(magnitude[t])
        if not peaks.size:
            continue
        # The phase of a peak advances in the result as it does in the samples within a hop.
        last, earlier = turned[t - 1, peaks], before[t, peaks]
        turn = last * np.conj(earlier)
        size = np.abs(turn)
        turn = np.where(size > _SILENT, turn / np.maximum(size, _SILENT), 1.0)
        turned[t] = now[t] * turn[_nearest(peaks, magnitude.shape[1])]
    return np.asarray(irfft(turned, window.size, axis=1), dtype=np.float32) * window


def _peaks(magnitude: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the bins that are higher than two neighbours on either side."""
    padded = np.pad(magnitude, 2)
    middle = padded[2:-2]
    higher = (middle > padded[1:-3]) & (middle > padded[3:-1])
    higher &= (middle > padded[:-4]) & (middle > padded[4:])
    return np.flatnonzero(higher)


def _nearest(peaks: NDArray[np.int64], bins: int) -> NDArray[np.int64]:
    """Return the number of the peak that each bin is nearest to."""
    return np.searchsorted((peaks[1:] + peaks[:-1] + 1) // 2, np.arange(bins), side="right")


def _overlap_add(frames: NDArray[np.float32], window: Samples, *, hop: int) -> NDArray[np.float32]:
    """Return the sum of the windows, each a hop after the last, at the weight of one."""
    count = len(frames)
    parts = np.zeros((count + _OVERLAP - 1, hop), dtype=np.float32)
    weight = np.zeros_like(parts)
    for k in range(_OVERLAP):
        parts[k : k + count] += frames[:, k * hop : (k + 1) * hop]
        weight[k : k + count] += np.square(window[k * hop : (k + 1) * hop])
    total = parts / np.maximum(weight, 0.1)
    return np.asarray(total.reshape(-1), dtype=np.float32)


def _of_length(samples: Samples, n: int) -> Samples:
    return np.pad(samples[:n], (0, max(0, n - samples.size)))
