"""Audio fingerprints: is this the same recording in another file?

Task: tell copies of one recording (another format, another gain, cut elsewhere) from other
recordings, of the same work too. A fingerprint is one 32-bit word for each 46 ms: the signs of the
differences of energy between neighbouring bands and neighbouring frames. Two files hold the same
recording where, at some offset, few of their bits differ.

References
----------
J. Haitsma, T. Kalker: A highly robust audio fingerprinting system. ISMIR 2002.

Examples
--------
>>> import numpy as np
>>> noise = np.random.default_rng(0).standard_normal(10 * 22050).astype(np.float32)
>>> words = fingerprint(noise, 22050)
>>> find_copies([words, words[20:], fingerprint(noise[::-1], 22050)])
[0, 0, 2]
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
_BANDS = 33  # one more than bits
_RANGE = 300.0, 2000.0  # Hz
_WINDOW, _HOP = 0.372, 0.0464  # seconds
_COMMON = 40  # a word that more files share says nothing
_SHARED = 3  # words that a pair must have in common
_OVERLAP = 100  # frames that must be compared
MAX_BIT_ERRORS = 0.15  # share; other recordings of the same notes lie above 0.2, others near 0.5


def fingerprint(samples: NDArray[np.float32], sample_rate: int) -> Words:
    """Return the fingerprint of a recording.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
    sample_rate : int
        Hz, at least 4,000.

    Returns
    -------
    ndarray [shape=(frames,), dtype=uint32]
        Empty for less than half a second.
    """
    length, hop = round(_WINDOW * sample_rate), round(_HOP * sample_rate)
    count = (len(samples) - length) // hop + 1
    if count < 2:
        return np.empty(0, dtype=np.uint32)
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
    return np.packbits(bits, axis=1).view(">u4").astype(np.uint32).ravel()


def bit_errors(first: Words, second: Words, *, lag: int) -> float:
    """Return the share of bits that differ where ``first[i + lag]`` meets ``second[i]``."""
    a, b = first[max(lag, 0) :], second[max(-lag, 0) :]
    n = min(len(a), len(b))
    if n == 0:
        return 1.0
    return float(np.bitwise_count(a[:n] ^ b[:n]).mean() / 32)


def find_copies(fingerprints: Sequence[Words]) -> list[int]:
    """Return, for each file, the first file that holds the same recording (often itself).

    Parameters
    ----------
    fingerprints : sequence of ndarray
        Empty where there is none.
    """
    places: dict[int, list[tuple[int, int]]] = {}
    for number, words in enumerate(fingerprints):
        values, first = np.unique(words, return_index=True)
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
        overlap = min(len(fingerprints[a]) - max(lag, 0), len(fingerprints[b]) - max(-lag, 0))
        if count < _SHARED or overlap < _OVERLAP:
            continue
        if bit_errors(fingerprints[a], fingerprints[b], lag=lag) <= MAX_BIT_ERRORS:
            first_of[b] = min(first_of[b], first_of[a])
    return first_of
