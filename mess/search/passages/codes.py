"""Search by the overall vector among very many segments: product quantisation, then exact scores.

Every pair of numbers of a row is also stored as a code of four bits. FAISS (``IndexPQFastScan``)
scans some billion codes a second. The rows with the highest approximate scores are ranked again by
their exact scores. x and x² of a column form one pair, so any weights are possible: near the query,
the similarity in an aspect is about linear in the squared distance.

The number of rows to rank again is chosen when the index is built (`mess.search.passages.recall`).

References
----------
H. Jégou, M. Douze, C. Schmid: Product quantization for nearest neighbor search. IEEE Transactions
on Pattern Analysis and Machine Intelligence 33, 2011. F. André, A.-M. Kermarrec, N. Le Scouarnec:
Cache locality is not enough: high-performance nearest neighbor search with product quantization
fast scan. Proceedings of the VLDB Endowment 9, 2015.
"""

from collections.abc import Sequence
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from mess.search.coordinate_index import stack_vectors
from mess.search.layer_index import one_thread
from mess.search.passages.clusters import Span
from mess.search.passages.rows import CoordinateRows, take_rows
from mess.search.ranking import Part

_BITS = 4
_TAUGHT = 8192  # rows that the codes are trained on

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def serialise_scan(rows: CoordinateRows, *, seed: int = 0) -> bytes:
    """Return a FAISS index of the codes of all rows."""
    width = 2 * rows.columns + rows.overall_columns
    width += width % 2
    pairs = faiss.IndexPQFastScan(width, width // 2, _BITS, faiss.METRIC_INNER_PRODUCT)
    chosen = np.sort(np.random.default_rng(seed).permutation(rows.n)[:_TAUGHT])
    with one_thread():
        pairs.train(_paired(stack_vectors(*take_rows(rows, chosen)), rows.columns))
    return _filled(pairs, rows)


def encode_anew(content: bytes, rows: CoordinateRows) -> bytes:
    """Return an index of the codes of other rows, by the same codebook.

    Parameters
    ----------
    content : bytes
        From `serialise_scan`.
    rows : CoordinateRows
    """
    pairs = faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8))
    pairs.reset()
    return _filled(pairs, rows)


def _filled(pairs: Any, rows: CoordinateRows) -> bytes:
    for _, x, overall in rows.blocks():
        pairs.add(_paired(stack_vectors(x, overall), rows.columns))
    return faiss.serialize_index(pairs).tobytes()


def _paired(vectors: Floats, columns: int) -> Floats:
    """Return [x₀, x₀², x₁, x₁², …, u], padded with a 0 to an even length."""
    out = np.zeros((len(vectors), vectors.shape[1] + vectors.shape[1] % 2), dtype=np.float32)
    out[:, 0 : 2 * columns : 2] = vectors[:, :columns]
    out[:, 1 : 2 * columns : 2] = vectors[:, columns : 2 * columns]
    out[:, 2 * columns : vectors.shape[1]] = vectors[:, 2 * columns :]
    return out


class Scan:
    """The codes of all rows.

    Parameters
    ----------
    codes : faiss.IndexPQFastScan
        From `serialise_scan`.
    columns : int
    """

    def __init__(self, codes: Any, *, columns: int) -> None:
        self._codes, self._columns = codes, columns
        self.count = int(codes.ntotal)

    def search(self, parts: Sequence[Part], *, ranked: int, exclude: Sequence[Span] = ()) -> Rows:
        """Return the rows with the best codes, in no order.

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
        query = linear_query(parts, columns=self._columns, width=self._codes.d)
        with one_thread():
            rows = self._codes.search(_paired(query[None], self._columns), wanted)[1][0]
        rows = rows[rows >= 0]
        for first, last in exclude:
            rows = rows[(rows < first) | (rows >= last)]
        return np.asarray(rows, dtype=np.int64)


def linear_query(parts: Sequence[Part], *, columns: int, width: int) -> Floats:
    """Return the vector whose inner product with [x, x², u] orders rows about as the scores do."""
    out = np.zeros(width, dtype=np.float64)
    for part in parts:
        own = part.term.column_weights
        if own is None or part.point is None:
            continue
        # The line through the similarities 1 (no distance) and 0 (the median distance).
        scale = part.scale
        median = max(float(np.interp(0.0, -scale.values, scale.distances)), 1e-9)
        if own.overall:
            size = len(part.point.overall)
            out[2 * columns : 2 * columns + size] += part.weight / median * part.point.overall
            continue
        counts = part.weight / median * own.shares
        out[own.columns] += 2 * counts * (part.point.x[own.columns] + part.move)
        out[columns + own.columns] -= counts
    return out.astype(np.float32)
