"""Search by aspects among very many segments: an inverted file over k-means clusters (IVF).

A query is linear in v = [x, x²], and most queries weigh only some of the columns. So the mean of a
cluster says little about its best row. Instead, every cluster keeps the range of each column. Along
one column the score is a parabola, and its maximum over that range bounds the score of every row.
(The range is narrowed to the bulk of the rows, so the bound is approximate.) FAISS
(``IndexIVFFlat``) reads only the clusters with the highest bounds.

The number of clusters to read is chosen when the index is built (`mess.search.passages.recall`).

References
----------
J. L. Bentley: Multidimensional binary search trees used for associative searching. Communications
of the ACM 18, 1975 (bounds decide what is read).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from mess.search.layer_index import one_thread

_ROWS_PER_CLUSTER = 60
_MOST_CLUSTERS = 16_384
_TAUGHT_PER_CLUSTER = 20
_ITERATIONS = 6
_CORE = 1.5  # standard deviations around the mean of a cluster that hold most of its rows
_BLOCK = 50_000

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Span = tuple[int, int]  # rows from the first to before the last


def assign_clusters(values: Floats, *, seed: int = 0) -> Rows:
    """Return the cluster of every row, by k-means.

    Parameters
    ----------
    values : ndarray [shape=(n, d)]
    seed : int
    """
    clusters = max(1, min(_MOST_CLUSTERS, len(values) // _ROWS_PER_CLUSTER))
    rng = np.random.default_rng(seed)
    taught = rng.choice(
        len(values), min(len(values), clusters * _TAUGHT_PER_CLUSTER), replace=False
    )
    means = faiss.Kmeans(
        values.shape[1],
        clusters,
        niter=_ITERATIONS,
        seed=seed + 1,
        min_points_per_centroid=1,
        max_points_per_centroid=_TAUGHT_PER_CLUSTER,
    )
    means.train(np.ascontiguousarray(values[np.sort(taught)]))
    out = np.empty(len(values), dtype=np.int64)
    for first in range(0, len(values), _BLOCK):
        block = np.ascontiguousarray(values[first : first + _BLOCK])
        out[first : first + _BLOCK] = means.index.search(block, 1)[1][:, 0]
    return np.unique(out, return_inverse=True)[1].astype(np.int64)


def serialise_clusters(
    vectors: Floats, clusters: Rows, *, columns: int
) -> tuple[bytes, dict[str, Any]]:
    """Return a FAISS index of the rows by cluster, and statistics of each cluster.

    Parameters
    ----------
    vectors : ndarray [shape=(n, d)]
        [x, x²].
    clusters : ndarray [shape=(n,)]
        From `assign_clusters`: consecutive numbers from 0.
    columns : int
        Of x.

    Returns
    -------
    content : bytes
    bounds : dict of str to ndarray
        For `Clusters`.
    """
    count = int(clusters.max()) + 1
    order = np.argsort(clusters, kind="stable")
    sizes = np.bincount(clusters, minlength=count)
    first = np.cumsum(sizes) - sizes
    bounds = {
        name: np.empty((columns, count), dtype=np.float32) for name in ("least", "most", "mean")
    }
    for column in range(columns):
        values = vectors[order, column]
        bounds["least"][column] = np.minimum.reduceat(values, first)
        bounds["most"][column] = np.maximum.reduceat(values, first)
    centres = np.empty((count, vectors.shape[1]), dtype=np.float32)
    for column in range(vectors.shape[1]):
        centres[:, column] = np.add.reduceat(vectors[order, column], first) / sizes
    bounds["mean"] = np.ascontiguousarray(centres[:, :columns].T)
    power = np.maximum(centres[:, columns : 2 * columns].T - np.square(bounds["mean"]), 0)
    bounds["deviation"] = np.sqrt(power).astype(np.float32)
    quantizer = faiss.IndexFlatIP(vectors.shape[1])
    quantizer.add(centres)
    index = faiss.IndexIVFFlat(quantizer, vectors.shape[1], count, faiss.METRIC_INNER_PRODUCT)
    index.is_trained = True
    vectors, clusters = np.ascontiguousarray(vectors), np.ascontiguousarray(clusters)
    index.add_core(len(vectors), faiss.swig_ptr(vectors), None, faiss.swig_ptr(clusters))
    return faiss.serialize_index(index).tobytes(), bounds


class Clusters:
    """An inverted file: all rows, grouped by cluster.

    Parameters
    ----------
    index : faiss.IndexIVFFlat
        From `serialise_clusters`.
    bounds : mapping of str to ndarray
    """

    def __init__(self, index: Any, bounds: Mapping[str, Any]) -> None:
        self._index = index
        self._least, self._most = bounds["least"], bounds["most"]
        self._mean, self._deviation = bounds["mean"], bounds["deviation"]
        self.count = int(index.nlist)

    def upper_bounds(self, query: Floats) -> Floats:
        """Return an approximate upper bound of the scores in each cluster [clusters]."""
        columns = len(self._mean)
        linear, square = query[:columns], query[columns : 2 * columns]
        out = np.zeros(self.count, dtype=np.float32)
        for column in np.flatnonzero((linear != 0) | (square != 0)):
            a, b = float(linear[column]), float(square[column])
            least, most = self._least[column], self._most[column]
            if b < 0:  # the maximum is at the vertex, or at the end nearest to it
                core = _CORE * self._deviation[column]
                mean = self._mean[column]
                best = np.clip(
                    np.float32(-a / (2 * b)),
                    np.maximum(least, mean - core),
                    np.minimum(most, mean + core),
                )
                out += (a + b * best) * best
            else:  # the maximum is at one of the ends
                out += np.maximum((a + b * least) * least, (a + b * most) * most)
        return out

    def search(
        self, query: Floats, *, k: int, clusters: int, exclude: Sequence[Span] = ()
    ) -> tuple[Rows, Floats]:
        """Return the rows with the largest inner products in the clusters with the highest bounds.

        Parameters
        ----------
        query : ndarray [shape=(2 · columns + m,)]
        k : int
        clusters : int
            Number of clusters that are read; reading all gives the exact answer.
        exclude : sequence of (int, int)
            Ranges of rows (first, last excluded) that are left out.

        Returns
        -------
        rows, scores : ndarray [shape=(≤ k,)]
            Best first.
        """
        clusters = min(clusters, self.count)
        if clusters < self.count:
            chosen = np.argpartition(-self.upper_bounds(query), clusters - 1)[:clusters]
        else:
            chosen = np.arange(self.count)
        chosen = np.ascontiguousarray(chosen, dtype=np.int64)
        query = np.ascontiguousarray(query[: self._index.d], dtype=np.float32)
        nothing = np.zeros(clusters, dtype=np.float32)
        scores, rows = np.empty(k, dtype=np.float32), np.empty(k, dtype=np.int64)
        parameters: Any = faiss.SearchParametersIVF()
        parameters.nprobe = clusters
        kept: list[Any] = []  # keeps these objects alive while FAISS searches
        for first, last in exclude:
            span = faiss.IDSelectorRange(first, last)
            outside = faiss.IDSelectorNot(span)
            both = faiss.IDSelectorAnd(kept[-1], outside) if kept else outside
            kept += [span, outside, both]
        if kept:
            parameters.sel = kept[-1]
        with one_thread():
            self._index.search_preassigned_c(
                1,
                faiss.swig_ptr(query),
                k,
                faiss.swig_ptr(chosen),
                faiss.swig_ptr(nothing),
                faiss.swig_ptr(scores),
                faiss.swig_ptr(rows),
                False,
                parameters,
            )
        return rows[rows >= 0], scores[rows >= 0]
