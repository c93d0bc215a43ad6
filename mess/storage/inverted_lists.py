"""Vectors on disk that are larger than memory: inverted lists, which are mapped and not read.

The format is FAISS's own (``OnDiskInvertedLists``): one file holds the lists one after another,
of each list the vectors and then their rows. A reader maps the file, so only what a query touches
comes into memory. The lengths of the lists are kept elsewhere. The file is too large to be read for
its checksum at every start: then only its size is verified, and `mess status` reads it.

References
----------
M. Douze et al.: The Faiss library. arXiv 2401.08281, 2024.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import ArtifactError, ArtifactMissing, MessError
from mess.storage.files import bring_size, checksum_of, send

_ID_BYTES = 8

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


class Spool:
    """Rows that wait on disk until all of them are known; they are gone with the process.

    Parameters
    ----------
    folder : Path
    width : int
        Numbers in a row.
    """

    def __init__(self, folder: Path, width: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._handle: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self.width, self.n = width, 0

    def append(self, rows: Floats) -> None:
        """Append rows [k, width]."""
        self._handle.write(np.ascontiguousarray(rows, dtype=np.float32).data)
        self.n += len(rows)

    def blocks(self, size: int) -> Iterator[tuple[int, Floats]]:
        """Yield the number of the first row, and at most ``size`` rows, in their order."""
        self._handle.seek(0)
        for first in range(0, self.n, size):
            count = min(size, self.n - first)
            content = self._handle.read(4 * self.width * count)
            yield first, np.frombuffer(content, dtype=np.float32).reshape(count, self.width).copy()

    def close(self) -> None:
        """Give the space back."""
        self._handle.close()


class ListsWriter:
    """Write vectors into lists whose lengths are known.

    Parameters
    ----------
    path : Path
        Of the unfinished file.
    sizes : ndarray [shape=(lists,)]
    width : int
        Numbers in a vector.
    name : callable
        Returns the final path of a file with some checksum.

    Raises
    ------
    MessError
        If there is not enough space; nothing is written then.
    """

    def __init__(self, path: Path, *, sizes: Rows, width: int, name: Callable[[int], Path]) -> None:
        self._path, self._name = path, name
        self._filled = np.zeros(len(sizes), dtype=np.int64)
        path.parent.mkdir(parents=True, exist_ok=True)
        total = _bytes_of(sizes, width)
        # What is written through a mapping to a full disk kills the process: ask for it before.
        try:
            with path.open("wb") as handle:
                os.posix_fallocate(handle.fileno(), 0, total)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise MessError(
                f"{total / 1e9:.1f} GB for {path} cannot be had ({error.strerror}): make space"
            ) from None
        self._lists = _map(path, sizes, width, read_only=False)

    def add(self, first: int, lists: NDArray[np.integer[Any]], vectors: Floats) -> None:
        """Add vectors whose rows are numbered from ``first`` on [k, width], each to its list."""
        import faiss

        order = np.argsort(lists, kind="stable")
        rows = np.ascontiguousarray(first + order, dtype=np.int64)
        codes = np.ascontiguousarray(vectors[order], dtype=np.float32)
        own, begins, counts = np.unique(lists[order], return_index=True, return_counts=True)
        for number, begin, count in zip(
            own.tolist(), begins.tolist(), counts.tolist(), strict=True
        ):
            self._lists.update_entries(
                number,
                int(self._filled[number]),
                count,
                faiss.swig_ptr(rows[begin:]),
                faiss.swig_ptr(codes[begin:].view(np.uint8)),
            )
        self._filled[own] += counts

    def finish(self) -> int:
        """Sync the file, give it its name, and return its checksum."""
        del self._lists  # unmaps it
        with self._path.open("rb") as handle:
            os.fsync(handle.fileno())
        checksum = checksum_of(self._path)
        path = self._name(checksum)
        self._path.replace(path)
        send(path)
        return checksum


def open_lists(path: Path, *, of_rows: NDArray[np.integer[Any]], width: int, command: str) -> Any:
    """Map lists that `ListsWriter` wrote; return them as a FAISS index of vectors by their rows.

    Parameters
    ----------
    path : Path
    of_rows : ndarray [shape=(n,)]
        The list of each row.
    width : int
        Numbers in a vector.
    command : str
        What makes the file anew.

    Raises
    ------
    ArtifactError
        If the file is missing, or has another size than the lists.
    """
    import faiss

    sizes = np.bincount(of_rows)
    bring_size(path, _bytes_of(sizes, width))
    if not path.is_file():
        raise ArtifactMissing(str(path), command)
    if path.stat().st_size != _bytes_of(sizes, width):
        raise ArtifactError(str(path), "is damaged", command)
    lists = _map(path, sizes, width, read_only=True)
    index: Any = faiss.IndexIVFFlat(
        faiss.IndexFlatL2(width), width, len(sizes), faiss.METRIC_INNER_PRODUCT
    )
    index.replace_invlists(lists, True)
    lists.this.disown()  # the index owns them
    index.ntotal = len(of_rows)
    # Where each row is follows from its list. FAISS would read the numbers of all rows for that.
    order = np.argsort(of_rows, kind="stable")
    places = np.empty(len(order), dtype=np.int64)
    own = of_rows[order].astype(np.int64)
    places[order] = (own << 32) | (np.arange(len(order)) - (np.cumsum(sizes) - sizes)[own])
    faiss.copy_array_to_vector(places, index.direct_map.array)
    index.direct_map.type = index.direct_map.Array
    return index


def _bytes_of(sizes: Rows, width: int) -> int:
    return int(sizes.sum()) * (4 * width + _ID_BYTES)


def _map(path: Path, sizes: Rows, width: int, *, read_only: bool) -> Any:
    import faiss

    lists: Any = faiss.OnDiskInvertedLists(len(sizes), 4 * width, str(path))
    lists.read_only = read_only
    lists.totsize = _bytes_of(sizes, width)
    lists.do_mmap()
    # `resize` would round every list up to a power of two, so their places are set at once.
    offsets = (np.cumsum(sizes) - sizes) * (4 * width + _ID_BYTES)
    places = np.stack([sizes, sizes, offsets], axis=1).astype(np.uint64)
    faiss.memcpy(lists.lists.data(), faiss.swig_ptr(places), places.nbytes)
    return lists
