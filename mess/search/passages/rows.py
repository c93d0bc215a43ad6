"""The coordinates of all segments, in memory or on disk, read block by block."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
BLOCK = 50_000


class CoordinateRows(Protocol):
    """Standardised coordinates x and overall vectors u of all segments."""

    @property
    def n(self) -> int:
        """Number of rows."""
        ...

    @property
    def columns(self) -> int:
        """Columns of x."""
        ...

    @property
    def overall_columns(self) -> int:
        """Columns of u."""
        ...

    def blocks(self, size: int = BLOCK) -> Iterator[tuple[int, Floats, Floats]]:
        """Yield the number of the first row, x [k, columns] and u [k, m], in order."""
        ...


class SpooledBlocks(Protocol):
    """Rows that wait on disk (`mess.storage.inverted_lists.Spool`)."""

    n: int
    width: int

    def blocks(self, size: int) -> Iterator[tuple[int, Floats]]:
        """Yield the number of the first row, and rows."""
        ...


@dataclass(frozen=True)
class RowsInMemory:
    """Rows in memory.

    Attributes
    ----------
    x : ndarray [shape=(n, columns)]
    overall : ndarray [shape=(n, m)]
    """

    x: Floats
    overall: Floats

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.x)

    @property
    def columns(self) -> int:
        """Columns of x."""
        return self.x.shape[1]

    @property
    def overall_columns(self) -> int:
        """Columns of u."""
        return self.overall.shape[1]

    def blocks(self, size: int = BLOCK) -> Iterator[tuple[int, Floats, Floats]]:
        """See `CoordinateRows.blocks`."""
        for first in range(0, self.n, size):
            yield first, self.x[first : first + size], self.overall[first : first + size]


class RowsOnDisk:
    """Rows that wait on disk; x is standardised as it is read.

    Parameters
    ----------
    spool : SpooledBlocks
        Rows [x, u].
    columns : int
        Of x.
    """

    def __init__(self, spool: SpooledBlocks, columns: int) -> None:
        self._spool = spool
        self.n, self.columns, self.overall_columns = spool.n, columns, spool.width - columns
        total = np.zeros(columns)
        for _, rows in spool.blocks(BLOCK):
            total += rows[:, :columns].sum(axis=0, dtype=np.float64)
        self.mean = total / max(self.n, 1)
        squares = np.zeros(columns)
        for _, rows in spool.blocks(BLOCK):
            squares += np.square(rows[:, :columns] - self.mean).sum(axis=0)
        deviation = np.sqrt(squares / max(self.n, 1))
        flat = deviation <= 1e-9 * np.maximum(np.abs(self.mean), 1e-12)
        self.deviation = deviation
        self._scale = np.where(flat, np.inf, deviation)

    def blocks(self, size: int = BLOCK) -> Iterator[tuple[int, Floats, Floats]]:
        """See `CoordinateRows.blocks`."""
        for first, rows in self._spool.blocks(size):
            x = (rows[:, : self.columns] - self.mean) / self._scale
            yield first, x.astype(np.float32), rows[:, self.columns :]


def take_rows(rows: CoordinateRows, wanted: Rows) -> tuple[Floats, Floats]:
    """Return x and u of some rows, whose numbers ascend."""
    x = np.empty((len(wanted), rows.columns), dtype=np.float32)
    u = np.empty((len(wanted), rows.overall_columns), dtype=np.float32)
    for first, own_x, own_u in rows.blocks():
        begin, end = np.searchsorted(wanted, [first, first + len(own_x)])
        x[begin:end] = own_x[wanted[begin:end] - first]
        u[begin:end] = own_u[wanted[begin:end] - first]
    return x, u


def read_lists(index: Any, lists: Rows) -> tuple[Rows, Floats]:
    """Return the row numbers and the vectors of some lists of a FAISS index, one after another."""
    own = index.invlists
    sizes = [own.list_size(number) for number in lists.tolist()]
    rows = np.empty(sum(sizes), dtype=np.int64)
    vectors = np.empty((len(rows), index.d), dtype=np.float32)
    first = 0
    for number, size in zip(lists.tolist(), sizes, strict=True):
        if size:
            faiss.memcpy(faiss.swig_ptr(rows[first:]), own.get_ids(number), 8 * size)
            faiss.memcpy(faiss.swig_ptr(vectors[first:]), own.get_codes(number), 4 * index.d * size)
        first += size
    return rows, vectors
