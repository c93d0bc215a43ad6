"""Audio fingerprints: find the files that hold the same recording.

Task: tell copies of one recording (in another format, at another gain, cut elsewhere) from other
recordings, including other recordings of the same work. A fingerprint has one 32-bit word and one
level for every 23 ms. The bits of a word are the signs of the energy differences between
neighbouring bands and neighbouring frames. Two files hold the same recording if, at some offset,
few of their bits differ and the difference of their levels is nearly constant. The levels are
needed because words alone cannot tell a soft from a loud performance by the same machine.

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

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Marks = NDArray[np.uint32]
Label = TypeVar("Label", bound=Hashable)
_BANDS = 33  # one more than bits
_RANGE = 300.0, 2000.0  # Hz
_WINDOW, _HOP = 0.372, 0.0232  # seconds
_WORDS = 8192  # words looked up per file: all words of three minutes, a sample of longer files
_COMMON = 40  # a word that more files share is ignored
_SHARED = 3  # words that two files must share at one offset
_LOOKS = 512  # words of a pair that are compared in the first, rough test
_ROUGH = 0.42  # share of bits that may differ in the rough test
_OVERLAP = 200  # least number of audible frames for a comparison
_LEVEL_STEP = 0.01  # dB
_LEVEL_ZERO = -200.0  # dB
_SMOOTH = 43  # frames over which levels are averaged: an offset is exact to half a frame only
_AUDIBLE = 30.0  # dB below the loudest second; below it lie noise of the codec and of the room
# Chosen on a third of the demo's recordings. Their copies stay below 0.29 and 0.11 dB. Unrelated
# recordings lie above 0.4, and performances of one score with other dynamics above 0.44 dB.
MAX_BIT_ERRORS = 0.33  # share
MAX_LEVEL_SPREAD = 0.22  # dB, standard deviation of the difference


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
        Words, and levels in hundredths of a decibel above −200 dB. A recording shorter than half
        a second has no frames.
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
    """Compare two fingerprints at one offset: ``first[:, i + lag]`` with ``second[:, i]``.

    Only frames that are audible in one of the two count: a codec turns silence into noise.

    Returns
    -------
    bit_errors : float
        Share of the bits that differ; 1 if too few frames are audible.
    level_spread : float
        Standard deviation of the difference of the levels in dB.
    """
    a, b = first[:, max(lag, 0) :], second[:, max(-lag, 0) :]
    n = min(a.shape[1], b.shape[1])
    if n < _OVERLAP + _SMOOTH:
        return 1.0, 0.0
    levels = np.stack([_audible_levels(marks[1, :n]) for marks in (a, b)])
    heard = np.logical_or(*(levels > -_AUDIBLE + 0.5))
    if heard.sum() < _OVERLAP:
        return 1.0, 0.0
    differ = np.bitwise_count(a[0, :n] ^ b[0, :n])[_SMOOTH // 2 :][: len(heard)]
    errors = float(differ[heard].mean() / 32)
    return errors, float(np.std(levels[0, heard] - levels[1, heard]))


def _audible_levels(steps: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Return levels in dB below the loudest second, cut at `_AUDIBLE`, then averaged."""
    level = steps * _LEVEL_STEP + _LEVEL_ZERO
    flat = np.full(_SMOOTH, 1 / _SMOOTH)
    loudest = 10 * np.log10(np.convolve(10 ** (level / 10), flat, mode="valid").max())
    return np.convolve(np.maximum(level - loudest, -_AUDIBLE), flat, mode="valid")


def find_copies(
    fingerprints: Sequence[Marks], *, known: Sequence[int | None] | None = None
) -> list[int]:
    """Return, for each file, the first file that holds the same recording (often itself).

    A copy of a copy is a copy.

    Parameters
    ----------
    fingerprints : sequence of ndarray
        One for each file; without frames if a file has none.
    known : sequence of int or None, optional
        Of each file that was compared with all such files before, the number of one that holds the
        same recording (perhaps its own); None of a new file. Only pairs with a new file are
        compared then.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).standard_normal(10 * 22050).astype(np.float32)
    >>> marks = fingerprint(noise, 22050)
    >>> find_copies([marks, fingerprint(noise[::-1], 22050), marks[:, 20:]], known=[0, 1, None])
    [0, 1, 0]
    """
    new = None if known is None else [row for row, one in enumerate(known) if one is None]
    pairs = [(row, one) for row, one in enumerate(known or []) if one is not None]
    fresh = None if new is None else set(new)
    loud: dict[int, tuple[NDArray[np.uint32], NDArray[np.bool_]]] = {}
    for a, b, lag in _candidates(fingerprints, new=new):
        if fresh is not None and a not in fresh and b not in fresh:
            continue
        for one in (a, b):
            if one not in loud:
                loud[one] = _loud_words(fingerprints[one])
        if _may_be_copy(loud[a], loud[b], lag=lag) and _is_copy(
            fingerprints[a], fingerprints[b], lag=lag
        ):
            pairs.append((a, b))
    return _first_of_each(len(fingerprints), pairs)


def join_works(works: Sequence[Label], copies: Sequence[Hashable]) -> list[Label]:
    """Return the works of some tracks; works that share a recording become one work.

    Every grouping of tracks (folds, shuffles, draws, "the same work", composers) uses these labels.
    Otherwise one recording under two names could be in a training fold and in its test fold.

    Parameters
    ----------
    works : sequence
        Any label of each track.
    copies : sequence
        A label that copies of one recording share, from `find_copies`.

    Returns
    -------
    list
        Each track's label, or the first label that it is joined with.

    Examples
    --------
    >>> join_works(["a", "a", "b", "c", "c"], [0, 1, 1, 3, 4])
    ['a', 'a', 'a', 'c', 'c']
    """
    first_of_work: dict[Label, int] = {}
    first_of_copy: dict[Hashable, int] = {}
    pairs = []
    for row, (work, copy) in enumerate(zip(works, copies, strict=True)):
        pairs.append((first_of_work.setdefault(work, row), row))
        pairs.append((first_of_copy.setdefault(copy, row), row))
    return [works[row] for row in _first_of_each(len(works), pairs)]


def _first_of_each(n: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Return, for each of n rows, the first row that it is connected with."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, b = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(n, n))
    _, part = connected_components(links, directed=False)
    _, first, of = np.unique(part, return_index=True, return_inverse=True)
    firsts: list[int] = first[of].tolist()
    return firsts


def _is_copy(first: Marks, second: Marks, *, lag: int) -> bool:
    errors, spread = difference(first, second, lag=lag)
    return errors <= MAX_BIT_ERRORS and spread <= MAX_LEVEL_SPREAD


def _loud_words(marks: Marks) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
    """Return the words of a file, and which of them are audible."""
    level = marks[1] * _LEVEL_STEP
    return marks[0], level > level.max(initial=0.0) - _AUDIBLE


def _may_be_copy(
    first: tuple[NDArray[np.uint32], NDArray[np.bool_]],
    second: tuple[NDArray[np.uint32], NDArray[np.bool_]],
    *,
    lag: int,
) -> bool:
    """Compare a few hundred words; this rejects most pairs of a large library."""
    start, other = max(lag, 0), max(-lag, 0)
    n = min(len(first[0]) - start, len(second[0]) - other)
    if n < _OVERLAP:
        return False
    step = n // _LOOKS + 1
    a, b = slice(start, start + n, step), slice(other, other + n, step)
    heard = first[1][a] | second[1][b]
    differ = np.bitwise_count(first[0][a] ^ second[0][b])[heard]
    return len(differ) > 0 and bool(differ.mean() / 32 < _ROUGH)


def _looked_up(marks: Marks) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Return the words that a file is found by, and the first position of each."""
    values, first = np.unique(marks[0], return_index=True)
    if len(values) > _WORDS:  # a sample by the words themselves, so copies keep the same words
        scrambled = values * np.uint32(2654435761)  # Knuth's multiplicative hash
        kept = np.argpartition(scrambled, _WORDS)[:_WORDS]
        values, first = values[kept], first[kept]
    return values, first.astype(np.int32)


def _candidates(
    fingerprints: Sequence[Marks], *, new: Sequence[int] | None = None
) -> list[tuple[int, int, int]]:
    """Return pairs of files that share words at one offset: (first, second, offset).

    If ``new`` names some files, words that none of these has are left out.
    """
    n = len(fingerprints)
    if not n or (new is not None and not new):
        return []
    words, positions = [], []
    wanted = None
    if new is not None:
        wanted = np.unique(np.concatenate([_looked_up(fingerprints[row])[0] for row in new]))
    for marks in fingerprints:
        values, first = _looked_up(marks)
        if wanted is not None:
            shared = np.isin(values, wanted, assume_unique=True)
            values, first = values[shared], first[shared]
        words.append(values)
        positions.append(first)
    files = np.repeat(np.arange(n, dtype=np.int32), [len(values) for values in words])
    word, position = np.concatenate(words), np.concatenate(positions)
    order = np.argsort(word, kind="stable")  # within a word, files stay in their order
    word, position, files = word[order], position[order], files[order]
    _, group, sizes = np.unique(word, return_inverse=True, return_counts=True)
    shared = (sizes[group] > 1) & (sizes[group] <= _COMMON)
    word, position, files = word[shared], position[shared], files[shared]
    span = int(max(marks.shape[1] for marks in fingerprints))
    keys = []
    for step in range(1, _COMMON):
        same = np.flatnonzero(word[step:] == word[:-step])
        if not len(same):
            break
        a, b = same, same + step
        lag = position[a].astype(np.int64) - position[b]
        keys.append((files[a].astype(np.int64) * n + files[b]) * (2 * span) + lag + span)
    if not keys:
        return []
    key, votes = np.unique(np.concatenate(keys), return_counts=True)
    key, votes = key[votes >= _SHARED], votes[votes >= _SHARED]
    pair, lag = np.divmod(key, 2 * span)
    order = np.lexsort((-votes, pair))
    _, best = np.unique(pair[order], return_index=True)
    chosen = order[best]
    return [
        (files_key // n, files_key % n, offset - span)
        for files_key, offset in zip(pair[chosen].tolist(), lag[chosen].tolist(), strict=True)
    ]
