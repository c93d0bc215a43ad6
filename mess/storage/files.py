"""Reading and writing single files so that a crash or a damaged disk never goes unnoticed.

A writer writes to a temporary file in the same folder, syncs it and renames it. So a reader sees
the old file or the new file, never a part. Every file has a checksum. JSON and Parquet files hold
their own checksum; the checksum of any other file is in the record that names the file. A reader
raises an `ArtifactError` if a file is missing or damaged. The error names ``command``, which makes
the file anew.
"""

import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

from mess.errors import ArtifactError, ArtifactMissing, ArtifactStale
from mess.records.base import Json
from mess.storage.held import may_wait
from mess.storage.mirrors import mirror_of
from mess.storage.replacing import replacing_here

_BLOCK_BYTES = 1 << 22
_SEAL = re.compile(rb'\{\n "checksum": "([0-9a-f]{8})",\n')
_LINE = re.compile(rb"([0-9a-f]{8}) (\{.*\})")


# Writing ---------------------------------------------------------------------------------------


@contextmanager
def replacing(path: Path, *, record: bool = False) -> Iterator[IO[bytes]]:
    """Open a temporary file that replaces ``path`` when the block succeeds.

    In a data root at an address, the file is then sent there; see `mess.storage.mirrors`.

    Parameters
    ----------
    path : Path
    record : bool
        Whether the file names others, which must be there before it.
    """
    mirror = mirror_of(path)
    sent = mirror.writing(path, record=record) if mirror else nullcontext()
    with sent, replacing_here(path) as handle:
        yield handle


def write_bytes(path: Path, content: bytes, *, record: bool = False) -> int:
    """Write a file whole and return its checksum; for ``record`` see `replacing`."""
    with replacing(path, record=record) as handle:
        handle.write(content)
    return zlib.crc32(content)


def copy_file(old: Path, new: Path) -> None:
    """Write a file with the content of another one; without it, there is none."""
    try:
        content = old.read_bytes()
    except FileNotFoundError:
        remove(new)
        return
    write_bytes(new, content)


def send(path: Path) -> None:
    """In a data root at an address, send a file there that was not written by `replacing`."""
    mirror = mirror_of(path)
    if mirror is not None:
        mirror.send(path)


def remove(path: Path) -> None:
    """Remove a file, if there is one."""
    mirror = mirror_of(path)
    if mirror is None:
        path.unlink(missing_ok=True)
    else:
        mirror.remove(path)


def write_json(path: Path, value: object, *, record: bool = True) -> int:
    """Write a value as JSON, ASCII only; return the checksum of the file.

    The first line of an object is the checksum of the rest; see `read_json`. ``record`` is False
    where another file names the checksum of this one; see `replacing`.
    """
    if isinstance(value, dict):
        value = {key: one for key, one in value.items() if key != "checksum"}
    text = json.dumps(value, indent=1, allow_nan=False).encode() + b"\n"
    if text.startswith(b"{\n"):
        text = b'{\n "checksum": "%08x",\n' % zlib.crc32(text[2:]) + text[2:]
    return write_bytes(path, text, record=record)


def append_line(handle: IO[bytes], value: Json) -> None:
    """Append a JSON object as one line with its checksum; see `read_lines`."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
    handle.write(b"%08x %s\n" % (zlib.crc32(text), text))


# Reading ---------------------------------------------------------------------------------------


def read_bytes(path: Path, *, command: str, checksum: int | None = None) -> bytes:
    """Read a whole file. If a record names its checksum, verify it."""
    bring(path, checksum=checksum)
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ArtifactMissing(str(path), command) from None
    except OSError as error:
        raise ArtifactError(str(path), f"cannot be read ({error.strerror})", command) from None
    if checksum is not None and zlib.crc32(content) != checksum:
        raise ArtifactError(str(path), "is damaged", command)
    return content


def bring(path: Path, *, checksum: int | None = None) -> None:
    """In a data root at an address, make the copy on this machine what is there.

    Whoever reads a file calls this first.

    Parameters
    ----------
    path : Path
    checksum : int, optional
        Where a record names it. A copy that has it is not asked for again.

    Raises
    ------
    AddressError
        If the server does not answer.
    NotHeld
        If nothing may be read here (`mess.storage.held`).
    """
    may_wait()
    mirror = mirror_of(path)
    if mirror is not None and checksum is None:
        mirror.refresh(path)
    elif mirror is not None and not _is_here(path, checksum):
        mirror.fetch(path)


def bring_size(path: Path, size: int) -> None:
    """As `bring`, for a file that is too large to be read for its checksum."""
    may_wait()
    mirror = mirror_of(path)
    if mirror is not None and not (path.is_file() and path.stat().st_size == size):
        mirror.fetch(path)


def has_bytes(path: Path, checksum: object) -> bool:
    """Tell whether a file exists and has this checksum."""
    mirror = mirror_of(path)
    if mirror is not None and isinstance(checksum, int):
        bring(path, checksum=checksum)
    there = _is_here(path, checksum)
    if mirror is not None and there:
        mirror.keep(path)
    return there


def _is_here(path: Path, checksum: object) -> bool:
    try:
        return checksum_of(path) == checksum
    except OSError:
        return False


def exists(path: Path) -> bool:
    """Tell whether there is a file, without reading it."""
    mirror = mirror_of(path)
    return path.is_file() if mirror is None else path.name in mirror.names(path.parent)


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
        if not (has_bytes(folder / name, checksum) if whole else exists(folder / name))
    ]


def modified(path: Path) -> float:
    """Return the time of the last change of a file, 0 if there is no file."""
    mirror = mirror_of(path)
    if mirror is not None:
        return mirror.modified(path)
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def names_in(folder: Path) -> set[str]:
    """Return the names in a folder, none if there is no such folder."""
    mirror = mirror_of(folder / "any")
    if mirror is not None:
        return mirror.names(folder)
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries}
    except OSError:
        return set()


def matching(folder: Path, pattern: str) -> list[Path]:
    """Return the paths below a folder that a pattern as ``*/manifest.json`` names."""
    mirror = mirror_of(folder / "any")
    if mirror is None:
        return list(folder.glob(pattern))
    found = [folder]
    for part in pattern.split("/"):
        inside = ((one, name) for one in found for name in mirror.names(one))
        found = [one / name for one, name in inside if fnmatchcase(name, part)]
    return found


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder; 0 if there is neither."""
    mirror = mirror_of(path)
    if mirror is not None:
        return mirror.size(path)
    if path.is_dir():
        return folder_size(path)
    with suppress(OSError):
        return path.stat().st_size
    return 0


def folder_size(folder: Path) -> int:
    """Return the bytes of all files below a folder of this machine; links to folders are left."""
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    total += folder_size(Path(entry.path))
                elif entry.is_file():
                    total += entry.stat().st_size
    except OSError:
        return total
    return total


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
    content, seal = read_sealed(path, command=command, checksum=checksum)
    try:
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


def read_sealed(
    path: Path, *, command: str, checksum: int | None = None
) -> tuple[bytes, re.Match[bytes] | None]:
    """Read the bytes of a JSON object, and its checksum, if it has one.

    Raises
    ------
    ArtifactError
        If the file is missing or damaged.
    """
    content = read_bytes(path, command=command, checksum=checksum)
    seal = _SEAL.match(content)
    if seal and zlib.crc32(memoryview(content)[seal.end() :]) != int(seal[1], 16):
        raise ArtifactError(str(path), "is damaged", command)
    return content, seal


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
