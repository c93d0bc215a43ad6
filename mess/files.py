"""Reading and writing single files so that a crash or a damaged disk never goes unnoticed.

A file is written under a temporary name in its own folder, synced and renamed: a reader sees the
old file or the new one and never a half. A reader that finds a file missing or damaged raises an
`ArtifactError` that names ``command``, which makes it anew.
"""

import io
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import ArtifactError, ArtifactMissing

if TYPE_CHECKING:  # imported where it is used: the runner of jobs needs no tables
    import pandas as pd

_NPY_HEADER = 128  # bytes; room for any shape we write


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file beside ``path`` that takes its place when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w+b") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole."""
    with replacing(path) as handle:
        handle.write(content)


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON, ASCII only."""
    write_bytes(path, json.dumps(value, indent=1, allow_nan=False).encode() + b"\n")


def write_array(path: Path, array: NDArray[Any]) -> int:
    """Write ``array`` as npy and return the checksum of the file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_bytes(path, buffer.getvalue())
    return zlib.crc32(buffer.getbuffer())


def write_table(path: Path, table: "pd.DataFrame") -> None:
    """Write a table as Parquet, with a checksum for each page."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False, compression="zstd", write_page_checksum=True)
    write_bytes(path, buffer.getvalue())


def read_bytes(path: Path, *, command: str) -> bytes:
    """Read a file whole."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ArtifactMissing(str(path), command) from None
    except OSError as error:
        raise ArtifactError(str(path), f"cannot be read ({error.strerror})", command) from None


def read_json(path: Path, *, command: str) -> dict[str, Any]:
    """Read a JSON object."""
    try:
        value = json.loads(read_bytes(path, command=command))
    except ValueError:
        raise ArtifactError(str(path), "is damaged", command) from None
    if not isinstance(value, dict):
        raise ArtifactError(str(path), "is damaged", command)
    return value


def read_array(path: Path, *, checksum: int, command: str) -> NDArray[Any]:
    """Read an npy file whose checksum is known."""
    content = read_bytes(path, command=command)
    if zlib.crc32(content) != checksum:
        raise ArtifactError(str(path), "is damaged", command)
    array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    return array


def read_table(path: Path, *, command: str) -> "pd.DataFrame":
    """Read a Parquet table."""
    import pandas as pd

    content = read_bytes(path, command=command)
    try:
        return pd.read_parquet(io.BytesIO(content), page_checksum_verification=True)
    except Exception:  # pyarrow's errors share no base class of their own
        raise ArtifactError(str(path), "is damaged", command) from None


class RawWriter:
    """An npy file [segments, layers, time, dim] that grows by a segment at a time."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self._shape: tuple[int, ...] = ()
        self._count = 0
        self.size = 0  # bytes, once finished
        handle.write(b"\0" * _NPY_HEADER)

    def append(self, states: NDArray[np.float32]) -> None:
        """Add the hidden states of one segment, [layers, time, dim]."""
        self._shape = states.shape
        self._count += 1
        self._handle.write(np.ascontiguousarray(states, dtype=np.float16).data)

    def finish(self) -> None:
        """Write the header, now that the number of segments is known."""
        shape = (self._count, *self._shape)
        text = f"{{'descr': '<f2', 'fortran_order': False, 'shape': {shape}, }}"
        self._handle.seek(0)
        self._handle.write(b"\x93NUMPY\x01\x00" + (_NPY_HEADER - 10).to_bytes(2, "little"))
        self._handle.write(text.ljust(_NPY_HEADER - 11).encode() + b"\n")
        self.size = self._handle.seek(0, io.SEEK_END)
