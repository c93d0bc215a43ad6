"""Arrays on disk: npy and npz files, and one that grows segment by segment."""

import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import ArtifactError, ArtifactMissing
from mess.storage.files import bring, checksum_of, read_bytes, replacing, write_bytes

_NPY_HEADER = 128  # bytes; room for any shape we write


def write_array(path: Path, array: NDArray[Any]) -> int:
    """Write ``array`` as npy and return the checksum of the file."""
    buffer = io.BytesIO()
    if not array.flags.c_contiguous or array.dtype.hasobject:
        np.save(buffer, array, allow_pickle=False)
        return write_bytes(path, buffer.getvalue())
    # The same bytes without a copy of them: a thread that copies keeps the others waiting.
    about = np.lib.format.header_data_from_array_1_0(array)
    np.lib.format.write_array_header_1_0(buffer, about)
    values = array.reshape(-1).view(np.uint8).data
    with replacing(path) as handle:
        handle.write(buffer.getbuffer())
        handle.write(values)
    return zlib.crc32(values, zlib.crc32(buffer.getbuffer()))


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> int:
    """Write arrays as npz and return the checksum of the file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return write_bytes(path, buffer.getvalue())


def read_array(path: Path, *, checksum: int, command: str) -> NDArray[Any]:
    """Read an npy file whose checksum is known."""
    content = read_bytes(path, command=command, checksum=checksum)
    array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    return array


def map_array(path: Path, *, checksum: int, command: str) -> NDArray[Any]:
    """Map an npy file into memory, after its checksum was verified. Unused parts take no memory."""
    bring(path, checksum=checksum)
    try:
        actual = checksum_of(path)
    except FileNotFoundError:
        raise ArtifactMissing(str(path), command) from None
    except OSError as error:
        raise ArtifactError(str(path), f"cannot be read ({error.strerror})", command) from None
    if actual != checksum:
        raise ArtifactError(str(path), "is damaged", command)
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def read_arrays(path: Path, *, checksum: int, command: str) -> dict[str, NDArray[Any]]:
    """Read an npz file whose checksum is known."""
    return load_arrays(read_bytes(path, command=command, checksum=checksum))


def load_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of an npz file.

    Raises
    ------
    ValueError
        If it is damaged, by the checksums of the format, or is no npz file.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)
    except Exception as error:  # zipfile and zlib raise errors of several classes
        raise ValueError("no arrays") from error


class RawWriter:
    """Write an npy file [segments, layers, time, dim], one segment after another."""

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
