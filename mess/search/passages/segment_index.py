"""The segment index: exact search for few segments, approximate search for many.

Up to `FLAT_UP_TO` rows, a query reads all rows. Above that, `clusters` and `codes` (modules of this
package) are stored beside the rows. The record of the index states, for each kind of query, which
of them is used, how much is read, and the recall that was measured with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mess.records.index import Column, ListsRecord, SegmentSearch, Way
from mess.search.coordinate_index import Block, CoordinateIndex, stack_vectors
from mess.search.layer_index import best_rows, flat_vectors, serialise_layer
from mess.search.passages.clusters import (
    MOST_CLUSTERS,
    Clusters,
    Grouping,
    Span,
    along_columns,
    assign_clusters,
    best_of,
    leave_out,
    serialise_clusters,
)
from mess.search.passages.codes import Scan, encode_anew, serialise_scan
from mess.search.passages.recall import EPSILON, kind_of, measure_recall
from mess.search.passages.rows import CoordinateRows, RowsInMemory, read_lists
from mess.search.passages.threshold import SortedColumns
from mess.search.ranking import Part, tie_break, total_scores
from mess.storage.arrays import load_arrays
from mess.storage.inverted_lists import ListsWriter

FLAT_UP_TO = 50_000
_MEASURED_FOR = 50  # results that a measured step suffices for; for more results, more is read
_WRITTEN = 200_000  # rows of an index on disk that are in memory at once
FLAT = "passages.faiss"
_CLUSTERS, _SCAN = "passages.cells.npz", "passages.scan.npz"

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def build_segment_index(
    x: Floats, overall: Floats, columns: Sequence[Column], *, seed: int = 0, queries: int = 60
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
    parts = {FLAT: serialise_layer(vectors)}
    del vectors
    if len(x) <= FLAT_UP_TO:
        return parts, SegmentSearch(rows=len(x), kinds={})
    rows = RowsInMemory(x, overall)
    parts[_SCAN] = serialise_scan(rows, seed=seed)
    built = SegmentIndex(
        CoordinateIndex(parts[FLAT], columns), parts, SegmentSearch(rows=len(x), kinds={})
    )
    measured = measure_recall(built, seed=seed, queries=queries)
    return parts, SegmentSearch(rows=len(x), epsilon=EPSILON, kinds=measured)


def change_rows(
    parts: Mapping[str, bytes],
    search: SegmentSearch,
    *,
    columns: int,
    old_rows: Rows,
    placed: Floats,
) -> tuple[dict[str, bytes], SegmentSearch]:
    """Return an index of segments with other rows; nothing is fitted or measured anew.

    It must be in memory.

    Parameters
    ----------
    parts : mapping of str to bytes
    search : SegmentSearch
        From `build_segment_index`.
    columns : int
        Of x.
    old_rows : ndarray [shape=(n,)]
        Of each row its number in ``parts``; −1 of a new row.
    placed : ndarray [shape=(new rows, d)]
        [x, x², u] of the new rows, in their order.
    """
    old = flat_vectors(parts[FLAT])
    vectors = np.empty((len(old_rows), old.shape[1]), dtype=np.float32)
    new = old_rows < 0
    vectors[~new], vectors[new] = old[old_rows[~new]], placed
    out = {FLAT: serialise_layer(vectors)}
    x = np.ascontiguousarray(vectors[:, :columns])
    rows = RowsInMemory(x, vectors[:, 2 * columns :])
    if _SCAN in parts:
        out[_SCAN] = encode_anew(parts[_SCAN], rows)
    return out, replace(search, rows=len(vectors))


class Lists(Protocol):
    """Where lists of vectors are written and mapped (`mess.storage.passages`)."""

    def write(self, *, sizes: Rows, width: int) -> ListsWriter:
        """Return what writes the lists."""
        ...

    def open(self, checksum: int, *, of_rows: NDArray[np.integer[Any]], width: int) -> Any:
        """Return the lists as a FAISS index."""
        ...


def build_on_disk(
    rows: CoordinateRows,
    columns: Sequence[Column],
    *,
    lists: Lists,
    seed: int = 0,
    most_clusters: int = MOST_CLUSTERS,
    queries: int = 20,
) -> tuple[dict[str, bytes], SegmentSearch]:
    """Index segments whose vectors stay on disk; see `build_segment_index`.

    The vectors of each cluster are one list. Clusters and codes are trained on a sample; the codes
    of all rows, and the ranges of the clusters, are in memory.

    Parameters
    ----------
    rows : CoordinateRows
        They are read block by block.
    columns : sequence of Column
    lists : Lists
    seed : int
    most_clusters : int
    queries : int
        Number of queries of each kind by which recall is measured; each reads all rows.

    Returns
    -------
    parts : dict of str to bytes
    search : SegmentSearch
    """
    parts = {_SCAN: serialise_scan(rows, seed=seed)}
    grouping = Grouping(rows, assign_clusters(rows, seed=seed, most=most_clusters))
    parts[_CLUSTERS] = serialise_clusters(
        grouping.arrays() | {"lists": grouping.of_rows.astype(np.uint16)}
    )
    width = 2 * rows.columns + rows.overall_columns
    writer = lists.write(sizes=grouping.sizes, width=width)
    for first, x, overall in rows.blocks(_WRITTEN):
        own = grouping.of_rows[first : first + len(x)]
        writer.add(first, own, stack_vectors(x, overall))
    checksum = writer.finish()
    found = SegmentSearch(
        rows=rows.n, kinds={}, lists=ListsRecord(grouping.sizes.tolist(), width, checksum)
    )
    built = SegmentIndex(open_coordinates(parts, found, columns, lists=lists), parts, found)
    measured = measure_recall(built, seed=seed, queries=queries)
    return parts, replace(found, epsilon=EPSILON, kinds=measured)


def open_coordinates(
    parts: Mapping[str, bytes], search: SegmentSearch, columns: Sequence[Column], *, lists: Lists
) -> CoordinateIndex:
    """Return the coordinates of all segments, which are in ``parts`` or in lists on disk."""
    if search.lists is None:
        return CoordinateIndex(parts[FLAT], columns)
    of_rows = load_arrays(parts[_CLUSTERS])["lists"]
    index = lists.open(search.lists.crc32, of_rows=of_rows, width=search.lists.width)
    return CoordinateIndex(index, columns)


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
        self._lists = search.lists
        self._clusters = Clusters(parts[_CLUSTERS], coordinates) if _CLUSTERS in parts else None
        self._scan = Scan(parts[_SCAN]) if _SCAN in parts else None

    @cached_property
    def _sorted(self) -> SortedColumns:
        return SortedColumns(self.coordinates.everything)

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways in which this index can be read in part."""
        return ("cells", "scan") if self._lists else ("columns", "scan")

    def best(self, parts: Sequence[Part], *, k: int, exclude: Sequence[tuple[int, int]]) -> Rows:
        """Return the rows with the highest scores, best first.

        Parameters
        ----------
        parts : sequence of Part
            The query (`mess.search.ranking.SearchSpace.parts`).
        k : int
        exclude : sequence of (int, int)
            Ranges of rows (first, last excluded) that are left out.
        """
        plan = self.plan.get(kind_of(parts))
        if plan is None:
            return self.search(parts, k=k, way="all", step=0, exclude=exclude)[0]
        step = plan.step * max(1, round(k / _MEASURED_FOR))
        return self.search(parts, k=k, way=plan.way, step=step, exclude=exclude)[0]

    def search(
        self,
        parts: Sequence[Part],
        *,
        k: int,
        way: str,
        step: int,
        exclude: Sequence[Span] = (),
    ) -> tuple[Rows, NDArray[np.float64]]:
        """Return rows and scores, best first; see `SegmentSearch` for ``way`` and ``step``.

        Candidates are found by ``way``; their scores are exact.
        """
        rows = self._candidates(parts, k=k, way=way, step=step, exclude=exclude)
        if rows is not None:
            scores, ties = self.score(parts, rows)
            if len(rows) > k:  # most of them need no order
                near = np.flatnonzero(scores >= np.partition(scores, -k)[-k])
                rows, scores, ties = rows[near], scores[near], ties[near]
            order = np.lexsort((rows, -ties, -scores))[:k]
            return rows[order], scores[order]
        scores, ties = self.score(parts, None)
        left_out = np.zeros(self.coordinates.n, dtype=bool)
        for first, last in exclude:
            left_out[first:last] = True
        rows = best_rows((scores + ties).astype(np.float32), k=k, exclude=left_out)
        return rows, scores[rows]

    def _candidates(
        self, parts: Sequence[Part], *, k: int, way: str, step: int, exclude: Sequence[Span]
    ) -> Rows | None:
        """Return the rows among which the best are; None if all rows must be read."""
        if way == "cells" and self._clusters is not None:
            return self._clusters.search(parts, k=k, clusters=step, exclude=exclude)[0]
        if way == "scan" and self._scan is not None:
            return self._scan.search(parts, ranked=max(step, k), exclude=exclude)
        if way == "columns" and not self._lists:
            found = self._sorted.search(
                along_columns(parts),
                k=k,
                most=step,
                drop=lambda rows, scores: leave_out(rows, scores, exclude),
            )
            return None if found is None else best_of(*found, k)[0]
        return None

    def score(
        self, parts: Sequence[Part], rows: Rows | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the exact scores of some rows (of all: None), and what decides between equals."""
        if rows is not None:
            block = self.coordinates.block(rows)
            scores = total_scores(parts, block)
            return scores, np.broadcast_to(tie_break(parts, block), scores.shape)
        scores, ties = np.zeros(self.coordinates.n), np.zeros(self.coordinates.n)
        for own, block in self.blocks():
            scores[own], ties[own] = total_scores(parts, block), tie_break(parts, block)
        return scores, ties

    def blocks(self) -> Iterator[tuple[Rows, Block]]:
        """Yield the numbers and the coordinates of all rows, so that few are in memory."""
        if not self._lists:
            yield np.arange(self.coordinates.n), self.coordinates.everything
            return
        bounds = np.flatnonzero(np.diff(np.cumsum(self._lists.sizes) // _WRITTEN)) + 1
        for group in np.split(np.arange(len(self._lists.sizes)), bounds):
            own, vectors = read_lists(self.coordinates.index, group)
            yield own, self.coordinates.block_of(vectors)
