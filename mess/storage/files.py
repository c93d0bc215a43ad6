"""Reading and writing single files so that a crash or a damaged disk never goes unnoticed.

A writer writes to a temporary file in the same folder, syncs it and renames it. So a reader sees
the old file or the new file, never a part. Every file has a checksum. JSON and Parquet files hold
their own checksum; the checksum of any other file is in the record that names the file. A reader
raises an `ArtifactError` if a file is missing or damaged. The error names ``command``, which makes
the file anew.
"""

import io
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import ArtifactError, ArtifactMissing, ArtifactStale
from mess.records.base import Json
from mess.storage.locks import try_lock, wait_for_lock

if TYPE_CHECKING:  # imported where it is used: the runner of jobs needs no tables
    import pandas as pd

_BLOCK_BYTES = 1 << 22
_NPY_HEADER = 128  # bytes; room for any shape we write
_SEAL = re.compile(rb'\{\n "checksum": "([0-9a-f]{8})",\n')
_LINE = re.compile(rb"([0-9a-f]{8}) (\{.*\})")
_TABLE_SEAL = re.compile(rb"mess-crc32:([0-9a-f]{8})")
_OPEN_SEAL = b"mess-crc32:00000000"
_TEMPORARY = re.compile(r"\..+?\.(\d+)(\.\d+)?\.tmp", re.DOTALL)
_numbers = count()
_swept: set[Path] = set()  # folders, by this process


# Writing ---------------------------------------------------------------------------------------


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that replaces ``path`` when the block succeeds.

    The first time that this process writes to a folder, it removes the temporary files of killed
    processes from it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent not in _swept:
        _swept.add(path.parent)
        sweep(path.parent)
    handle, temporary = _open_temporary(path)
    try:
        with handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
            temporary.replace(path)  # the lock is still held, so no process sweeps the file
    except OSError as error:  # a full disk does not say of which file
        error.filename = error.filename or str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _open_temporary(path: Path) -> tuple[IO[bytes], Path]:
    """Open and lock a file that no other thread or process writes."""
    while True:
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{next(_numbers)}.tmp")
        handle = temporary.open("w+b")
        try:
            wait_for_lock(handle)
            if temporary.stat().st_ino == os.fstat(handle.fileno()).st_ino:
                return handle, temporary
        except FileNotFoundError:
            pass  # swept between opening and locking
        handle.close()


def sweep(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder.

    A running writer holds a lock on its file. The lock ends with the process.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            parts = _TEMPORARY.fullmatch(entry.name)
            if parts and not (parts[2] is None and _is_alive(int(parts[1]))):
                _remove_unlocked(Path(entry.path))


def _remove_unlocked(path: Path) -> None:
    with suppress(OSError), path.open("rb") as handle:  # a system without locks removes nothing
        if try_lock(handle):
            path.unlink()


def _is_alive(process: int) -> bool:
    """Tell whether a process runs. Older code put its number in the name and held no lock."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def write_bytes(path: Path, content: bytes) -> int:
    """Write a file whole and return its checksum."""
    with replacing(path) as handle:
        handle.write(content)
    return zlib.crc32(content)


def copy_file(old: Path, new: Path) -> None:
    """Write a file with the content of another one; without it, there is none."""
    try:
        content = old.read_bytes()
    except FileNotFoundError:
        new.unlink(missing_ok=True)
        return
    write_bytes(new, content)


def write_json(path: Path, value: object) -> int:
    """Write a value as JSON, ASCII only; return the checksum of the file.

    The first line of an object is the checksum of the rest; see `read_json`.
    """
    if isinstance(value, dict):
        value = {key: one for key, one in value.items() if key != "checksum"}
    text = json.dumps(value, indent=1, allow_nan=False).encode() + b"\n"
    if text.startswith(b"{\n"):
        text = b'{\n "checksum": "%08x",\n' % zlib.crc32(text[2:]) + text[2:]
    return write_bytes(path, text)


def append_line(handle: IO[bytes], value: Json) -> None:
    """Append a JSON object as one line with its checksum; see `read_lines`."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
    handle.write(b"%08x %s\n" % (zlib.crc32(text), text))


def write_array(path: Path, array: NDArray[Any]) -> int:
    """Write ``array`` as npy and return the checksum of the file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return write_bytes(path, buffer.getvalue())


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> int:
    """Write arrays as npz and return the checksum of the file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return write_bytes(path, buffer.getvalue())


def write_table(
    path: Path, table: "pd.DataFrame", *, about: Mapping[str, str] | None = None
) -> int:
    """Write a table as Parquet, with a checksum inside. Return the checksum of the file.

    Parameters
    ----------
    path : Path
    table : DataFrame
    about : mapping of str to str, optional
        Stored with the table; `read_table_about` returns it.
    """
    import pyarrow
    from pyarrow import parquet

    arrow = pyarrow.Table.from_pandas(table, preserve_index=False)
    notes = {b"mess.about": json.dumps(dict(about or {})).encode(), b"mess.checksum": _OPEN_SEAL}
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **notes})
    buffer = io.BytesIO()
    parquet.write_table(arrow, buffer, compression="zstd", write_page_checksum=True)
    content = buffer.getvalue()
    seal = b"mess-crc32:%08x" % zlib.crc32(content)
    at = content.rindex(_OPEN_SEAL)
    return write_bytes(path, content[:at] + seal + content[at + len(seal) :])


# Reading ---------------------------------------------------------------------------------------


def read_bytes(path: Path, *, command: str, checksum: int | None = None) -> bytes:
    """Read a whole file. If a record names its checksum, verify it."""
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ArtifactMissing(str(path), command) from None
    except OSError as error:
        raise ArtifactError(str(path), f"cannot be read ({error.strerror})", command) from None
    if checksum is not None and zlib.crc32(content) != checksum:
        raise ArtifactError(str(path), "is damaged", command)
    return content


def has_bytes(path: Path, checksum: object) -> bool:
    """Tell whether a file exists and has this checksum."""
    try:
        return checksum_of(path) == checksum
    except OSError:
        return False


def checksum_of(path: Path) -> int:
    """Return the checksum of a file, which may be larger than memory."""
    found = 0
    with path.open("rb") as handle:
        while block := handle.read(_BLOCK_BYTES):
            found = zlib.crc32(block, found)
    return found


def missing_files(folder: Path, checksums: Mapping[str, int], *, whole: bool) -> list[str]:
    """Return the files that are missing or, with ``whole``, damaged.

    Parameters
    ----------
    folder : Path
    checksums : mapping of str to int
        The checksum of each file, by its name.
    whole : bool
        Whether every file is read.
    """
    return [
        name
        for name, checksum in checksums.items()
        if not (has_bytes(folder / name, checksum) if whole else (folder / name).is_file())
    ]


def modified(path: Path) -> float:
    """Return the time of the last change of a file, 0 if there is no file."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def names_in(folder: Path) -> set[str]:
    """Return the names in a folder, none if there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries}
    except OSError:
        return set()


def read_json(
    path: Path, *, command: str, checksum: int | None = None, sealed: bool = True
) -> Json:
    """Read a JSON object that `write_json` wrote.

    Parameters
    ----------
    path : Path
    command : str
        The command that makes the file anew.
    checksum : int, optional
        The checksum of the whole file, if a record names it.
    sealed : bool
        If False, a file without a checksum is read, too. Older code and other programs write such
        files.

    Raises
    ------
    ArtifactError
        If the file is missing, damaged or no object.
    """
    content = read_bytes(path, command=command, checksum=checksum)
    seal = _SEAL.match(content)
    try:
        if seal and zlib.crc32(memoryview(content)[seal.end() :]) != int(seal[1], 16):
            raise ValueError
        value = json.loads(content)
        if seal:
            del value["checksum"]
        elif isinstance(value, dict) and "checksum" in value:
            raise ValueError
        if not isinstance(value, dict):
            raise ValueError
    except (ValueError, RecursionError):
        raise ArtifactError(str(path), "is damaged", command) from None
    if sealed and not seal and value:
        raise ArtifactStale(str(path), "is of older code and has no checksum", command)
    return value


def read_lines(content: bytes) -> Iterator[Json | None]:
    """Yield the JSON objects that `append_line` wrote; None for a damaged line.

    Lines of older code have no checksum.
    """
    for line in content.splitlines():
        seal = _LINE.fullmatch(line)
        try:
            if seal and zlib.crc32(seal[2]) != int(seal[1], 16):
                raise ValueError
            value = json.loads(seal[2] if seal else line)
        except (ValueError, RecursionError):
            value = None
        yield value if isinstance(value, dict) else None


def read_array(path: Path, *, checksum: int, command: str) -> NDArray[Any]:
    """Read an npy file whose checksum is known."""
    content = read_bytes(path, command=command, checksum=checksum)
    array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    return array


def map_array(path: Path, *, checksum: int, command: str) -> NDArray[Any]:
    """Map an npy file into memory, after its checksum was verified. Unused parts take no memory."""
    try:
        with path.open("rb") as handle:
            actual = 0
            while block := handle.read(_BLOCK_BYTES):
                actual = zlib.crc32(block, actual)
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


def read_table(path: Path, *, command: str, checksum: int | None = None) -> "pd.DataFrame":
    """Read a Parquet table that `write_table` wrote."""
    return read_table_about(path, command=command, checksum=checksum)[0]


def read_table_about(
    path: Path, *, command: str, checksum: int | None = None
) -> "tuple[pd.DataFrame, dict[str, str]]":
    """Read a Parquet table and the text that was stored with it.

    Raises
    ------
    ArtifactError
        If it is missing or damaged, or not the one with ``checksum``.
    """
    import pandas as pd
    from pyarrow import parquet

    content = read_bytes(path, command=command, checksum=checksum)
    seals = list(_TABLE_SEAL.finditer(content))
    if seals:
        first, last = seals[-1].span()
        crc = zlib.crc32(memoryview(content)[:first])
        crc = zlib.crc32(memoryview(content)[last:], zlib.crc32(_OPEN_SEAL, crc))
        if crc != int(seals[-1][1], 16):
            raise ArtifactError(str(path), "is damaged", command)
    try:
        notes = parquet.read_schema(io.BytesIO(content)).metadata or {}
        table = pd.read_parquet(io.BytesIO(content), page_checksum_verification=True)
    except Exception:  # the errors of pyarrow have no common base class
        raise ArtifactError(str(path), "is damaged", command) from None
    if not seals:
        raise ArtifactStale(str(path), "is of older code and has no checksum", command)
    return table, json.loads(notes[b"mess.about"])


def table_about(path: Path) -> dict[str, str]:
    """Return the text that was stored with a table, without the table; empty if unreadable."""
    from pyarrow import parquet

    try:
        notes = parquet.read_schema(path).metadata or {}
        return dict(json.loads(notes.get(b"mess.about", b"{}")))
    except Exception:  # as in `read_table_about`
        return {}


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
