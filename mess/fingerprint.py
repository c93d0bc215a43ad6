"""Audio fingerprints: is this the same recording in another file?

Task: tell copies of one recording (another format, another gain, cut elsewhere) from other
recordings, of the same work too. A fingerprint has one 32-bit word for each 23 ms, the signs of the
differences of energy between neighbouring bands and neighbouring frames, and the level. Two files
hold the same recording where, at some offset, few of their bits differ and their levels run in
parallel: words alone take a piece that a machine plays twice, soft and loud, for the same.

References
----------
J. Haitsma, T. Kalker: A highly robust audio fingerprinting system. ISMIR 2002.

Examples
--------
>>> import numpy as np
>>> noise = np.random.default_rng(0).standard_normal(10 * 22050).astype(np.float32)
>>> marks = fingerprint(noise, 22050)
>>> find_copies([marks, marks[:, 20:], fingerprint(noise[::-1], 22050)])
[0, 0, 2]
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Marks = NDArray[np.uint32]
_BANDS = 33  # one more than bits
_RANGE = 300.0, 2000.0  # Hz
_WINDOW, _HOP = 0.372, 0.0232  # seconds
_COMMON = 40  # a word that more files share says nothing
_SHARED = 3  # words that a pair must have in common
_OVERLAP = 200  # frames that must be compared
_LEVEL_STEP = 0.01  # dB
_LEVEL_ZERO = -200.0  # dB
_SMOOTH = 43  # frames over which levels are averaged: an offset is known to half a frame only
_AUDIBLE = 40.0  # dB below the loudest frame
MAX_BIT_ERRORS = 0.12  # share; unrelated recordings lie near 0.5
MAX_LEVEL_SPREAD = 0.5  # dB, standard deviation of the difference


def fingerprint(samples: NDArray[np.float32], sample_rate: int) -> Marks:
    """Return the fingerprint of a recording.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
    sample_rate : int
        Hz, at least 4,000.

    Returns
    -------
    ndarray [shape=(2, frames), dtype=uint32]
        Words, and levels in hundredths of a decibel above −200 dB. No frames for less than half
        a second.
    """
    length, hop = round(_WINDOW * sample_rate), round(_HOP * sample_rate)
    count = (len(samples) - length) // hop + 1
    if count < 2:
        return np.empty((2, 0), dtype=np.uint32)
    edges = np.geomspace(*_RANGE, _BANDS + 1)
    bins = np.round(edges * length / sample_rate).astype(int)
    window = np.hanning(length).astype(np.float32)
    energy = np.empty((count, _BANDS))
    for first in range(0, count, 256):  # a bounded part of the spectrogram at a time
        starts = np.arange(first, min(first + 256, count)) * hop
        frames = samples[starts[:, None] + np.arange(length)] * window
        power = np.square(np.abs(np.fft.rfft(frames)[:, : bins[-1]]))
        energy[first : first + len(starts)] = np.add.reduceat(power, bins[:-1], axis=1)
    slope = np.diff(energy, axis=1)
    bits = np.diff(slope, axis=0) > 0
    words = np.packbits(bits, axis=1).view(">u4").astype(np.uint32).ravel()
    level = 10 * np.log10(energy.sum(axis=1)[1:] + 1e-12)
    steps = np.clip((level - _LEVEL_ZERO) / _LEVEL_STEP, 0, 1e6).round()
    return np.stack([words, steps.astype(np.uint32)])


def difference(first: Marks, second: Marks, *, lag: int) -> tuple[float, float]:
    """Compare two fingerprints where ``first[:, i + lag]`` meets ``second[:, i]``.

    Returns
    -------
    bit_errors : float
        Share of the bits that differ; 1 where nothing meets.
    level_spread : float
        Standard deviation of the difference of the levels in dB, in frames that are not silent.
    """
    a, b = first[:, max(lag, 0) :], second[:, max(-lag, 0) :]
    n = min(a.shape[1], b.shape[1])
    if n == 0:
        return 1.0, 0.0
    errors = float(np.bitwise_count(a[0, :n] ^ b[0, :n]).mean() / 32)
    levels = np.stack([a[1, :n], b[1, :n]]).astype(np.float64) * _LEVEL_STEP
    if n > _SMOOTH:
        flat = np.full(_SMOOTH, 1 / _SMOOTH)
        levels = np.stack([np.convolve(row, flat, mode="valid") for row in levels])
    loud = (levels > levels.max(axis=1, keepdims=True) - _AUDIBLE).all(axis=0)
    spread = float(np.std(levels[0, loud] - levels[1, loud])) if loud.any() else 0.0
    return errors, spread


def find_copies(fingerprints: Sequence[Marks]) -> list[int]:
    """Return, for each file, the first file that holds the same recording (often itself).

    Parameters
    ----------
    fingerprints : sequence of ndarray
        Without frames where there is none.
    """
    places: dict[int, list[tuple[int, int]]] = {}
    for number, marks in enumerate(fingerprints):
        values, first = np.unique(marks[0], return_index=True)
        for word, place in zip(values.tolist(), first.tolist(), strict=True):
            places.setdefault(word, []).append((number, place))
    lags: dict[tuple[int, int], Counter[int]] = {}
    for found in places.values():
        if len(found) > _COMMON:
            continue
        for (a, at_a), (b, at_b) in combinations(found, 2):
            lags.setdefault((a, b), Counter())[at_a - at_b] += 1
    first_of = list(range(len(fingerprints)))
    for (a, b), votes in sorted(lags.items()):
        lag, count = votes.most_common(1)[0]
        one, other = fingerprints[a], fingerprints[b]
        overlap = min(one.shape[1] - max(lag, 0), other.shape[1] - max(-lag, 0))
        if count < _SHARED or overlap < _OVERLAP:
            continue
        errors, spread = difference(one, other, lag=lag)
        if errors <= MAX_BIT_ERRORS and spread <= MAX_LEVEL_SPREAD:
            first_of[b] = min(first_of[b], first_of[a])
    return first_of
