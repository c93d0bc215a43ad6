"""Search among very many segments: a table of scores for each column, then exact scores.

Every row keeps codes of four bits: two for each column of its coordinates, which say in which of 16
intervals its value lies, and one for each pair of numbers of its overall vector. A query becomes a
table for each code: what a row in that interval adds to the score. So whatever the form of a
similarity is, likeness or unlikeness, its table has it. FAISS (``IndexPQFastScan``) adds up the
tables of some hundred million rows a second. The rows with the highest sums are ranked again by
their exact scores.

The bounds of the two codes of a column are half an interval apart, so together they tell 31
intervals apart. Bounds lie half way between those that hold equally many rows and those that are
equally wide, because what is unlike lies in the ends.

The number of rows to rank again is chosen when the index is built (`mess.search.passages.recall`).

References
----------
H. Jégou, M. Douze, C. Schmid: Product quantization for nearest neighbor search. IEEE Transactions
on Pattern Analysis and Machine Intelligence 33, 2011. F. André, A.-M. Kermarrec, N. Le Scouarnec:
Cache locality is not enough: high-performance nearest neighbor search with product quantization
fast scan. Proceedings of the VLDB Endowment 9, 2015.
"""

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from mess.search.layer_index import one_thread
from mess.search.passages.clusters import Span
from mess.search.passages.rows import CoordinateRows, take_rows
from mess.search.ranking import Part
from mess.storage.arrays import load_arrays

_BITS, _LEVELS = 4, 16
_SHIFTS = (-0.25, 0.25)  # of the bounds of the two codes of a column, in intervals
_TAUGHT = 16_384  # rows that the codes are trained on
_TAILS = 0.002  # share of the rows on each side that no equally wide interval covers
_ITERATIONS = 15

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


class Codebook(NamedTuple):
    """What the codes mean.

    Attributes
    ----------
    bounds : ndarray [shape=(2, columns, 15)]
        Between the intervals of each code of a column.
    centres : ndarray [shape=(2, columns, 16)]
        A value for each interval.
    pairs : ndarray [shape=(pairs, 16, 2)]
        The pairs of numbers of the overall vector that the codes stand for.
    """

    bounds: Floats
    centres: Floats
    pairs: Floats

    @property
    def codes(self) -> int:
        """Codes of a row."""
        return self.centres.shape[0] * self.centres.shape[1] + len(self.pairs)


def serialise_scan(rows: CoordinateRows, *, seed: int = 0) -> bytes:
    """Return the codes of all rows, and what they mean, as npz."""
    chosen = np.sort(np.random.default_rng(seed).permutation(rows.n)[:_TAUGHT])
    with one_thread():
        return _filled(_train(*take_rows(rows, chosen), seed=seed), rows)


def encode_anew(content: bytes, rows: CoordinateRows) -> bytes:
    """Return the codes of other rows, with the same meaning.

    Parameters
    ----------
    content : bytes
        From `serialise_scan`.
    rows : CoordinateRows
    """
    return _filled(_codebook(load_arrays(content)), rows)


def _train(x: Floats, overall: Floats, *, seed: int) -> Codebook:
    low, high = np.quantile(x, [_TAILS, 1 - _TAILS], axis=0)
    bounds = np.empty((len(_SHIFTS), x.shape[1], _LEVELS - 1), dtype=np.float32)
    centres = np.empty((len(_SHIFTS), x.shape[1], _LEVELS), dtype=np.float32)
    for code, shift in enumerate(_SHIFTS):
        inner = (np.arange(1, _LEVELS) + shift) / _LEVELS
        middle = np.convolve(np.concatenate([[0.0], inner, [1.0]]), [0.5, 0.5], mode="valid")
        for shares, out in ((inner, bounds), (middle, centres)):
            as_many, as_wide = np.quantile(x, shares, axis=0), low + shares[:, None] * (high - low)
            out[code] = ((as_many + as_wide) / 2).T
    pairs = [
        _learn_pair(np.ascontiguousarray(_pair(overall, first)), seed=seed)
        for first in range(0, overall.shape[1], 2)
    ]
    empty = np.empty((0, _LEVELS, 2), dtype=np.float32)
    return Codebook(bounds, centres, np.stack(pairs) if pairs else empty)


def _pair(overall: Floats, first: int) -> Floats:
    """Return two numbers of each vector; 0 behind the last."""
    pair = overall[:, first : first + 2]
    return pair if pair.shape[1] == 2 else np.pad(pair, ((0, 0), (0, 1)))


def _learn_pair(pair: Floats, *, seed: int) -> Floats:
    means = faiss.Kmeans(
        2, min(_LEVELS, len(pair)), niter=_ITERATIONS, seed=seed + 1, min_points_per_centroid=1
    )
    means.train(pair)
    learned = np.asarray(means.centroids)
    found = np.full((_LEVELS, 2), learned[0], dtype=np.float32)
    found[: len(learned)] = learned
    return found


def _filled(book: Codebook, rows: CoordinateRows) -> bytes:
    """Return codes and codebook; FAISS keeps two codes in a byte."""
    nearest = []
    for pair in book.pairs:
        nearest.append(faiss.IndexFlatL2(2))
        nearest[-1].add(pair)
    packed = np.zeros((rows.n, -(-book.codes // 2)), dtype=np.uint8)
    for first, x, overall in rows.blocks():
        codes = np.zeros((len(x), 2 * packed.shape[1]), dtype=np.uint8)
        at = 0
        for bounds in book.bounds:
            for column, own in enumerate(bounds):
                codes[:, at] = np.searchsorted(own, x[:, column])
                at += 1
        for number, index in enumerate(nearest):
            pair = np.ascontiguousarray(_pair(overall, 2 * number))
            codes[:, at] = index.search(pair, 1)[1][:, 0]
            at += 1
        packed[first : first + len(x)] = codes[:, 0::2] | codes[:, 1::2] << _BITS
    buffer = io.BytesIO()
    np.savez(buffer, codes=packed, **book._asdict())
    return buffer.getvalue()


def _codebook(arrays: dict[str, NDArray[Any]]) -> Codebook:
    return Codebook(**{name: arrays[name] for name in Codebook._fields})


class Scan:
    """The codes of all rows.

    Parameters
    ----------
    content : bytes
        From `serialise_scan`.
    """

    def __init__(self, content: bytes) -> None:
        arrays = load_arrays(content)
        self._book = _codebook(arrays)
        self.count = len(arrays["codes"])
        self._index = _fast_index(arrays["codes"], codes=self._book.codes)

    def search(self, parts: Sequence[Part], *, ranked: int, exclude: Sequence[Span] = ()) -> Rows:
        """Return the rows with the highest sums, in no order.

        Parameters
        ----------
        parts : sequence of Part
        ranked : int
            How many rows.
        exclude : sequence of (int, int)
            Ranges of rows (first, last excluded) that are left out.
        """
        more = sum(last - first for first, last in exclude)
        wanted = min(ranked + more, self.count)
        tables = score_tables(parts, self._book)
        with one_thread():
            rows = self._index.search(tables.reshape(1, -1), wanted)[1][0]
        rows = rows[rows >= 0]
        for first, last in exclude:
            rows = rows[(rows < first) | (rows >= last)]
        return np.asarray(rows, dtype=np.int64)


def _fast_index(packed: NDArray[np.uint8], *, codes: int) -> Any:
    """Return a FAISS index that adds up tables.

    Its centroids are unit vectors, so an inner product with one is an entry of the query. The query
    is all tables, one after another.
    """
    plain: Any = faiss.IndexPQ(_LEVELS * codes, codes, _BITS, faiss.METRIC_INNER_PRODUCT)
    units = np.tile(np.eye(_LEVELS, dtype=np.float32), (codes, 1))
    faiss.copy_array_to_vector(units.ravel(), plain.pq.centroids)
    faiss.copy_array_to_vector(packed.ravel(), plain.codes)
    plain.is_trained, plain.ntotal = True, len(packed)
    return faiss.IndexPQFastScan(plain)


def score_tables(parts: Sequence[Part], book: Codebook) -> Floats:
    """Return about what a row with each code adds to the score [codes, 16].

    Along one column this is the similarity at the centre of the interval; along several, each
    column adds its share of what it would be alone. Of the overall vector it is the line through
    the similarities 1 (no distance) and 0 (the median distance).

    Parameters
    ----------
    parts : sequence of Part
    book : Codebook
    """
    of_columns = np.zeros(book.centres.shape)
    of_pairs = np.zeros(book.pairs.shape[:2])
    for part in parts:
        own, scale = part.term.column_weights, part.scale
        if own is None or part.point is None:
            continue
        if own.overall:
            median = max(float(np.interp(0.0, -scale.values, scale.distances)), 1e-9)
            point = np.zeros(2 * len(book.pairs))
            point[: len(part.point.overall)] = part.point.overall
            of_pairs += (
                part.weight / median * np.einsum("pld,pd->pl", book.pairs, point.reshape(-1, 2))
            )
            continue
        for column, share in zip(own.columns.tolist(), own.shares.tolist(), strict=True):
            off = book.centres[:, column] - (part.point.x[column] + part.move)
            alone = scale.similarity(np.square(off))
            of_columns[:, column] += part.weight * share / len(_SHIFTS) * alone
    flat = np.concatenate([of_columns.reshape(-1, _LEVELS), of_pairs])
    return flat.astype(np.float32)
