"""Segments in LanceDB, a vector store that runs in this process and splits a table into fragments.

It is another home for the vectors of an index on disk, for those who have one already or share it
over an object store. Queries, scales and scores are those of `SegmentIndex`: LanceDB finds the rows
with the best approximate inner products (IVF_PQ), and these are ranked by their exact scores. The
extra ``mess[lance]`` installs it. ``python -m benchmarks.scale`` compares both.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError
from mess.records.index import Column
from mess.search.coordinate_index import Block, CoordinateIndex, stack_vectors
from mess.search.passages.clusters import Span
from mess.search.passages.rows import CoordinateRows
from mess.search.ranking import Part, tie_break, total_scores

RANKED = 4000  # rows that are ranked again
_TABLE = "segments"
_ROWS_PER_PARTITION = 4000
_FEWEST = 10_000  # rows: with fewer, LanceDB reads all

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def build_lance(folder: Path, rows: CoordinateRows) -> None:
    """Write all rows into a table, and index it.

    Parameters
    ----------
    folder : Path
        Of the database; a table of it is replaced.
    rows : CoordinateRows
        They are read block by block.
    """
    import pyarrow as pa

    width = 2 * rows.columns + rows.overall_columns
    schema = pa.schema(
        [pa.field("row", pa.int64()), pa.field("vector", pa.list_(pa.float32(), width))]
    )

    def batches() -> Iterator[Any]:
        for first, x, overall in rows.blocks():
            vectors = stack_vectors(x, overall)
            numbers = pa.array(np.arange(first, first + len(vectors)))
            column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), width)
            yield pa.record_batch([numbers, column], schema=schema)

    table = _connect(folder).create_table(_TABLE, data=batches(), schema=schema, mode="overwrite")
    if rows.n >= _FEWEST:
        from lancedb.index import IvfPq

        partitions = max(1, rows.n // _ROWS_PER_PARTITION)
        settings = IvfPq(distance_type="dot", num_partitions=partitions, num_sub_vectors=width // 2)
        table.create_index("vector", config=settings)


class LanceSegments:
    """A table of segments, searched like a `SegmentIndex`.

    Parameters
    ----------
    folder : Path
        Where `build_lance` wrote.
    columns : sequence of Column
    """

    def __init__(self, folder: Path, columns: Sequence[Column]) -> None:
        self._table = _connect(folder).open_table(_TABLE)
        self.coordinates = CoordinateIndex(_Vectors(self._table), columns)
        # Weights differ from query to query, so no partition can be left out beforehand.
        self._probes = max(1, self.coordinates.n // _ROWS_PER_PARTITION)

    def best(self, parts: Sequence[Part], *, k: int, exclude: Sequence[Span] = ()) -> Rows:
        """Return the rows with the highest scores, best first; see `SegmentIndex.best`."""
        return self.search(parts, k=k, exclude=exclude)[0]

    def search(
        self, parts: Sequence[Part], *, k: int, exclude: Sequence[Span] = ()
    ) -> tuple[Rows, NDArray[np.float64]]:
        """Return rows and scores, best first.

        Parameters
        ----------
        parts : sequence of Part
        k : int
        exclude : sequence of (int, int)
            Ranges of rows (first, last excluded) that are left out.
        """
        columns = len(self.coordinates.columns)
        width = self.coordinates.index.width
        query = _linear_query(parts, columns=columns, width=width)
        found = (
            self._table.search(query)
            .distance_type("dot")
            .nprobes(self._probes)
            .limit(max(RANKED, k) + sum(last - first for first, last in exclude))
            .select(["row", "vector", "_distance"])
            .to_arrow()
        )
        rows = found["row"].to_numpy()
        kept = np.ones(len(rows), dtype=np.bool_)
        for first, last in exclude:
            kept &= (rows < first) | (rows >= last)
        block = self.coordinates.block_of(_vectors(found, width)[kept])
        rows, scores = rows[kept], total_scores(parts, block)
        ties = np.broadcast_to(tie_break(parts, block), scores.shape)
        order = np.lexsort((rows, -ties, -scores))[:k]
        return rows[order], scores[order]

    def blocks(self) -> Iterator[tuple[Rows, Block]]:
        """Yield the numbers and the coordinates of all rows."""
        for batch in self._table.search().select(["row", "vector"]).to_batches(50_000):
            vectors = _vectors(batch, self.coordinates.index.width)
            yield batch["row"].to_numpy(), self.coordinates.block_of(vectors)


class _Vectors:
    """The vectors of a table, as a `CoordinateIndex` asks for them."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self.ntotal = int(table.count_rows())
        self.width = int(table.schema.field("vector").type.list_size)

    def reconstruct_batch(self, rows: Rows) -> Floats:
        """Return the vectors of some rows [k, width]."""
        wanted, place = np.unique(rows, return_inverse=True)
        found = self._table.take_offsets(wanted.tolist()).to_arrow()
        order = np.argsort(found["row"].to_numpy())
        return np.asarray(_vectors(found, self.width)[order][place])

    def reconstruct_n(self, first: int, count: int) -> Floats:
        """Return the vectors of ``count`` rows."""
        return self.reconstruct_batch(np.arange(first, first + count))


def _linear_query(parts: Sequence[Part], *, columns: int, width: int) -> Floats:
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


def _vectors(table: Any, width: int) -> Floats:
    column = table["vector"]
    column = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    return np.asarray(column.flatten(), dtype=np.float32).reshape(-1, width)


def _connect(folder: Path) -> Any:
    try:
        import lancedb
    except ImportError:
        raise MessError("LanceDB is not installed: run `pip install 'mess[lance]'`") from None
    return lancedb.connect(folder)
