"""The segment index: exact search for few segments, approximate search for many.

Up to `FLAT_UP_TO` rows, a query reads all rows. Above that, `clusters` and `codes` (modules of this
package) are stored beside the rows. The record of the index states, for each kind of query, which
of them is used, how much is read, and the recall that was measured with it.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from mess.records.index import Column, SegmentSearch
from mess.search.coordinate_index import CoordinateIndex, stack_vectors
from mess.search.layer_index import best_rows
from mess.search.passages.clusters import Clusters, Span, assign_clusters, serialise_clusters
from mess.search.passages.codes import Scan, serialise_scan
from mess.search.passages.recall import EPSILON, kind_of, measure_recall

FLAT_UP_TO = 50_000
_MEASURED_FOR = 50  # results that a measured step suffices for; for more results, more is read
_CLUSTERS_OF_BOTH = 128
FLAT = "passages.faiss"
_CLUSTERS, _BOUNDS, _SCAN = "passages.cells.faiss", "passages.cells.npz", "passages.scan.faiss"

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def build_segment_index(
    x: Floats, overall: Floats, columns: Sequence[Column], *, seed: int = 0, queries: int = 100
) -> tuple[dict[str, bytes], SegmentSearch]:
    """Index segments.

    Parameters
    ----------
    x : ndarray [shape=(n, columns)]
        Standardised, finite.
    overall : ndarray [shape=(n, m)]
        Unit vectors.
    columns : sequence of Column
    seed : int
    queries : int
        Number of queries of each kind by which recall is measured.

    Returns
    -------
    parts : dict of str to bytes
        Files by name.
    search : SegmentSearch
        How each kind of query is answered; a part of the record.
    """
    vectors = stack_vectors(x, overall)
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    parts = {FLAT: faiss.serialize_index(flat).tobytes()}
    if len(x) <= FLAT_UP_TO:
        return parts, SegmentSearch(rows=len(x), kinds={})
    count = len(columns)
    parts[_SCAN] = serialise_scan(vectors, columns=count, seed=seed)
    if count:
        content, bounds = serialise_clusters(
            vectors[:, : 2 * count], assign_clusters(x, seed=seed), columns=count
        )
        buffer = io.BytesIO()
        np.savez(buffer, **bounds)
        parts |= {_CLUSTERS: content, _BOUNDS: buffer.getvalue()}
    del vectors, flat
    built = SegmentIndex(
        CoordinateIndex(parts[FLAT], columns), parts, SegmentSearch(rows=len(x), kinds={})
    )
    measured = measure_recall(x, overall, built, seed=seed, queries=queries)
    return parts, SegmentSearch(rows=len(x), epsilon=EPSILON, kinds=measured)


class SegmentIndex:
    """An index of segments, searched as its record states.

    Parameters
    ----------
    coordinates : CoordinateIndex
        All rows.
    parts : mapping of str to bytes
    search : SegmentSearch
        From `build_segment_index`.
    """

    def __init__(
        self, coordinates: CoordinateIndex, parts: Mapping[str, bytes], search: SegmentSearch
    ) -> None:
        self.coordinates = coordinates
        self.plan = search.kinds
        self._columns = len(coordinates.columns)
        self._clusters: Clusters | None = None
        self._scan: Scan | None = None
        if _CLUSTERS in parts:
            with np.load(io.BytesIO(parts[_BOUNDS]), allow_pickle=False) as bounds:
                self._clusters = Clusters(_read(parts[_CLUSTERS]), dict(bounds))
        if _SCAN in parts:
            self._scan = Scan(_read(parts[_SCAN]), coordinates.index, columns=self._columns)

    def best(
        self, query: Floats, *, k: int, exclude: Sequence[tuple[int, int]], unlike: bool
    ) -> Rows:
        """Return the rows with the highest scores, best first.

        Parameters
        ----------
        query : ndarray [shape=(d,)]
            See `CoordinateIndex.query_vector`.
        k : int
        exclude : sequence of (int, int)
            Ranges of rows (first, last excluded) that are left out.
        unlike : bool
            Whether a weight is negative or the query has disliked points.
        """
        kind = kind_of(query, columns=self._columns, unlike=unlike)
        plan = self.plan.get(kind)
        if plan is None:
            return self.search(query, k=k, way="all", step=0, exclude=exclude)[0]
        step = plan.step * max(1, round(k / _MEASURED_FOR))
        return self.search(query, k=k, way=plan.way, step=step, exclude=exclude)[0]

    def search(
        self,
        query: Floats,
        *,
        k: int,
        way: str,
        step: int,
        exclude: Sequence[Span] = (),
    ) -> tuple[Rows, Floats]:
        """Return rows and scores, best first; see `SegmentSearch` for ``way`` and ``step``."""
        query = np.ascontiguousarray(query, dtype=np.float32)
        if way == "cells" and self._clusters is not None:
            return self._clusters.search(query, k=k, clusters=step, exclude=exclude)
        if way == "scan" and self._scan is not None:
            return self._scan.search(query, k=k, ranked=step, exclude=exclude)
        if way == "both" and self._clusters is not None and self._scan is not None:
            # The codes are least exact for rows far out along an aspect, which the clusters find.
            far, _ = self._clusters.search(
                query, k=step, clusters=_CLUSTERS_OF_BOTH, exclude=exclude
            )
            return self._scan.search(query, k=k, ranked=step, exclude=exclude, also=far)
        scores = self.coordinates.scores(query)
        left_out = np.zeros(self.coordinates.n, dtype=bool)
        for first, last in exclude:
            left_out[first:last] = True
        rows = best_rows(scores, k=k, exclude=left_out)
        return rows, scores[rows]


def _read(content: bytes) -> Any:
    return faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8))
