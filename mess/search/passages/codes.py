"""Search by all that an encoder hears among very many segments: a look at all rows, then at some.

Every row is kept a second time in four bits for each pair of numbers, which FAISS reads at some
billion pairs a second (``IndexPQFastScan``); those that look best are ranked again by their exact
scores. x and x² of a column are one pair, so any weights can be asked for.

How many must be ranked again is measured when the index is built (`mess.search.passages.recall`).

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

from mess.search.layer_index import one_thread
from mess.search.passages.clusters import Span

_BITS = 4
_TAUGHT = 8192  # rows that teach the codes
_BLOCK = 50_000

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def serialise_scan(vectors: Floats, *, columns: int, seed: int = 0) -> bytes:
    """Return a FAISS index of codes.

    Parameters
    ----------
    vectors : ndarray [shape=(n, d)]
        [x, x², u].
    columns : int
        Of x.
    seed : int
    """
    width = vectors.shape[1] + vectors.shape[1] % 2
    pairs = faiss.IndexPQFastScan(width, width // 2, _BITS, faiss.METRIC_INNER_PRODUCT)
    chosen = np.random.default_rng(seed).permutation(len(vectors))[:_TAUGHT]
    with one_thread():
        pairs.train(_paired(vectors[np.sort(chosen)], columns))
    for first in range(0, len(vectors), _BLOCK):
        pairs.add(_paired(vectors[first : first + _BLOCK], columns))
    return faiss.serialize_index(pairs).tobytes()


def _paired(vectors: Floats, columns: int) -> Floats:
    """Return [x₀, x₀², x₁, x₁², …, u], one more 0 where that is an odd number."""
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
    exact : faiss.IndexFlatIP
        The rows themselves.
    columns : int
    """

    def __init__(self, codes: Any, exact: Any, *, columns: int) -> None:
        self._codes, self._exact, self._columns = codes, exact, columns
        self.count = int(codes.ntotal)

    def search(
        self,
        query: Floats,
        *,
        k: int,
        ranked: int,
        exclude: Sequence[Span] = (),
        also: Rows | None = None,
    ) -> tuple[Rows, Floats]:
        """Return the rows with the largest inner products among those that look best.

        Parameters
        ----------
        query : ndarray [shape=(d,)]
        k : int
        ranked : int
            How many are ranked by their exact scores.
        exclude : sequence of (int, int)
            Rows from the first to before the last are left out.
        also : ndarray [shape=(r,)], optional
            Rows that are ranked by their exact scores, too.

        Returns
        -------
        rows, scores : ndarray [shape=(≤ k,)]
            Best first.
        """
        more = sum(last - first for first, last in exclude)
        wanted = min(max(ranked, k) + more, self.count)
        with one_thread():
            rows = self._codes.search(_paired(query[None], self._columns), wanted)[1][0]
            rows = rows[rows >= 0]
            for first, last in exclude:
                rows = rows[(rows < first) | (rows >= last)]
            if also is not None:
                rows = np.union1d(rows, also)
            rows, scores = np.ascontiguousarray(rows), np.empty(len(rows), dtype=np.float32)
            query = np.ascontiguousarray(query, dtype=np.float32)
            self._exact.compute_distance_subset(
                1, faiss.swig_ptr(query), len(rows), faiss.swig_ptr(scores), faiss.swig_ptr(rows)
            )
        if len(rows) > k:
            best = np.argpartition(-scores, k - 1)[:k]
            rows, scores = rows[best], scores[best]
        order = np.lexsort((rows, -scores))
        return rows[order], scores[order]
