"""Search by aspects among very many segments: an inverted file over k-means clusters (IVF).

Most queries weigh only some of the columns, so the mean of a cluster says little about its best
row. Instead, every cluster keeps the range of each column. The least and the greatest distance to
that range bound the similarities of its rows, and so their scores. (The near end of the range is
narrowed to the bulk of the rows, so the bound is approximate.) Only the clusters with the highest
bounds are read, and their rows are scored exactly.

The number of clusters to read is chosen when the index is built (`mess.search.passages.recall`).

References
----------
J. L. Bentley: Multidimensional binary search trees used for associative searching. Communications
of the ACM 18, 1975 (bounds decide what is read).
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from mess.search.coordinate_index import CoordinateIndex
from mess.search.interpolation import Scales
from mess.search.passages.rows import CoordinateRows, read_lists, take_rows
from mess.search.ranking import Part, total_scores
from mess.storage.arrays import load_arrays

_ROWS_PER_CLUSTER = 60
MOST_CLUSTERS = 16_384
_TAUGHT_PER_CLUSTER = 20
_ITERATIONS = 6
_CORE = 1.5  # standard deviations around the mean of a cluster that hold most of its rows
_READ = 1 << 16  # rows of lists on disk that are read at once

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Span = tuple[int, int]  # rows from the first to before the last


def assign_clusters(
    rows: CoordinateRows, *, seed: int = 0, most: int = MOST_CLUSTERS
) -> NDArray[np.int32]:
    """Return the cluster of every row, by k-means on a sample.

    Parameters
    ----------
    rows : CoordinateRows
    seed : int
    most : int
        Largest number of clusters.
    """
    clusters = max(1, min(most, rows.n // _ROWS_PER_CLUSTER))
    taught = min(rows.n, clusters * _TAUGHT_PER_CLUSTER)
    chosen = np.sort(np.random.default_rng(seed).choice(rows.n, taught, replace=False))
    own_of = 0 if rows.columns else 1  # without targets, by the overall vectors
    sample = take_rows(rows, chosen)[own_of]
    means = faiss.Kmeans(
        sample.shape[1],
        clusters,
        niter=_ITERATIONS,
        seed=seed + 1,
        min_points_per_centroid=1,
        max_points_per_centroid=_TAUGHT_PER_CLUSTER,
    )
    means.train(sample)
    out = np.empty(rows.n, dtype=np.int32)
    for first, x, overall in rows.blocks():
        block = np.ascontiguousarray((x, overall)[own_of])
        out[first : first + len(block)] = means.index.search(block, 1)[1][:, 0]
    return out


class Grouping:
    """Clusters, and the range of each column in each of them.

    Parameters
    ----------
    rows : CoordinateRows
    clusters : ndarray [shape=(n,), dtype=int]
        Of each row; those without rows are left out of all else.

    Attributes
    ----------
    of_rows : ndarray [shape=(n,), dtype=int32]
        The cluster of each row: consecutive numbers from 0.
    sizes : ndarray [shape=(clusters,)]
    """

    def __init__(self, rows: CoordinateRows, clusters: NDArray[np.integer[Any]]) -> None:
        counts = np.bincount(clusters)
        used = np.flatnonzero(counts)
        number = np.full(len(counts), -1, dtype=np.int32)
        number[used] = np.arange(len(used))
        self.of_rows, self.sizes = number[clusters], counts[used]
        shape = (rows.columns, len(used))
        self._least, self._most = np.full(shape, np.inf), np.full(shape, -np.inf)
        self._sums, self._squares = np.zeros(shape), np.zeros(shape)
        for first, x, _ in rows.blocks():
            self._add(x, self.of_rows[first : first + len(x)])

    def _add(self, x: Floats, own: NDArray[np.int32]) -> None:
        order = np.argsort(own, kind="stable")
        values = x[order].T.astype(np.float64)
        present, first = np.unique(own[order], return_index=True)
        for kept, of, values_of in (
            (self._least, np.minimum, values),
            (self._most, np.maximum, values),
            (self._sums, np.add, values),
            (self._squares, np.add, np.square(values)),
        ):
            kept[:, present] = of(kept[:, present], of.reduceat(values_of, first, axis=1))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return where each cluster begins, and the ranges of its columns."""
        mean = self._sums / self.sizes
        power = self._squares / self.sizes - np.square(mean)
        core = _CORE * np.sqrt(np.maximum(power, 0))
        least, most = self._least, self._most
        found = {
            "least": least,
            "most": most,
            "low": np.maximum(least, mean - core),
            "high": np.minimum(most, mean + core),
        }
        return {
            "first": np.append(0, np.cumsum(self.sizes)),
            **{name: values.astype(np.float32) for name, values in found.items()},
        }


def serialise_clusters(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays as npz."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


class Clusters:
    """An inverted file: all rows, grouped by cluster, in lists on disk.

    Parameters
    ----------
    content : bytes
        From `Grouping.arrays`.
    coordinates : CoordinateIndex
        The lists, one for each cluster.
    """

    def __init__(self, content: bytes, coordinates: CoordinateIndex) -> None:
        arrays = load_arrays(content)
        self._first = arrays["first"]
        self._coordinates = coordinates
        self._least, self._most = arrays["least"], arrays["most"]
        self._low, self._high = arrays["low"], arrays["high"]
        self.count = len(self._first) - 1

    def upper_bounds(self, parts: Sequence[Part]) -> NDArray[np.float64]:
        """Return an approximate upper bound of the scores in each cluster [clusters].

        Of ``overall`` nothing is known of a cluster, so it bounds nothing.
        """
        bounded = along_columns(parts)
        if not bounded:
            return np.zeros(self.count)
        apart = np.zeros((len(bounded), self.count), dtype=np.float32)
        for number, part in enumerate(bounded):
            for at, column, share in _places(part):
                if part.weight > 0:
                    off = np.maximum(self._low[column] - at, at - self._high[column])
                    off = np.maximum(off, 0)
                else:
                    off = np.maximum(self._most[column] - at, at - self._least[column])
                apart[number] += share * np.square(off)
        similar = Scales([part.scale for part in bounded]).similarities(apart)
        similar *= np.array([part.weight for part in bounded])[:, None]
        return np.asarray(similar.sum(axis=0))

    def search(
        self, parts: Sequence[Part], *, k: int, clusters: int, exclude: Sequence[Span] = ()
    ) -> tuple[Rows, NDArray[np.float64]]:
        """Return the rows with the highest scores in the clusters with the highest bounds.

        Parameters
        ----------
        parts : sequence of Part
            ``overall`` is left out of the scores.
        k : int
        clusters : int
            Number of clusters that are read; reading all gives the exact answer.
        exclude : sequence of (int, int)
            Ranges of rows (first, last excluded) that are left out.

        Returns
        -------
        rows, scores : ndarray [shape=(≤ k,)]
            In no order.
        """
        chosen: NDArray[np.int64] = np.arange(self.count)
        if clusters < self.count:
            chosen = np.argpartition(-self.upper_bounds(parts), clusters - 1)[:clusters]
        found: list[Rows] = []
        of_found: list[NDArray[np.float64]] = []
        for rows, scores in self._score(along_columns(parts), chosen):
            leave_out(rows, scores, exclude)
            rows, scores = best_of(rows, scores, k)
            found.append(rows)
            of_found.append(scores)
        return best_of(np.concatenate(found), np.concatenate(of_found), k)

    def _score(
        self, parts: Sequence[Part], chosen: Rows
    ) -> Iterator[tuple[Rows, NDArray[np.float64]]]:
        """Yield the rows of some clusters, and their scores."""
        first, last = self._first[chosen], self._first[chosen + 1]
        sizes = last - first
        for group in np.split(chosen, _groups(sizes)):
            rows, vectors = read_lists(self._coordinates.index, group)
            yield rows, total_scores(parts, self._coordinates.block_of(vectors))


def _groups(sizes: Rows) -> Rows:
    """Return where to part lists so that no group is much larger than `_READ` rows."""
    return np.flatnonzero(np.diff(np.cumsum(sizes) // _READ)) + 1


def leave_out(rows: NDArray[Any], scores: NDArray[np.float64], exclude: Sequence[Span]) -> None:
    """Give the rows of some spans the score −∞, in place."""
    for begin, end in exclude:
        scores[(rows >= begin) & (rows < end)] = -np.inf


def best_of(rows: Rows, scores: NDArray[np.float64], k: int) -> tuple[Rows, NDArray[np.float64]]:
    """Return the k highest scores and their rows, in no order; none is left out."""
    if len(rows) > k:
        best = np.argpartition(-scores, k - 1)[:k]
        rows, scores = rows[best], scores[best]
    kept = np.isfinite(scores)
    return rows[kept], scores[kept]


def along_columns(parts: Sequence[Part]) -> list[Part]:
    """Return the parts that rank along columns."""
    return [
        part
        for part in parts
        if part.point is not None
        and part.term.column_weights is not None
        and not part.term.column_weights.overall
    ]


def _places(part: Part) -> Iterator[tuple[np.float32, int, np.float32]]:
    """Yield where a part stands in each of its columns, the column and its share."""
    own, point = part.term.column_weights, part.point
    if own is not None and point is not None:
        for column, share in zip(own.columns.tolist(), own.shares.tolist(), strict=True):
            yield np.float32(point.x[column] + part.move), column, np.float32(share)
