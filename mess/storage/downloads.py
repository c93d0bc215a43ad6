"""Files on their way from a server: what has arrived outlives the process.

``downloads/<name>/`` has the parts of files that are not whole yet, and the lock of the command
that writes them. A file reaches its place by `place`, once it is whole and its checksum is right.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mess.errors import ArtifactError
from mess.storage.files import read_json, replacing, write_bytes, write_json
from mess.storage.locks import hold
from mess.storage.paths import folder_name

_BLOCK_BYTES = 1 << 20
_PATIENCE = 0.3  # seconds


@dataclass(frozen=True)
class DownloadFiles:
    """The downloads below one root folder."""

    root: Path

    def folder(self, name: str) -> Path:
        """Return the folder of what `mess fetch` downloads under this name."""
        return self.root / "downloads" / folder_name(name)

    def lock(self, name: str) -> IO[bytes] | None:
        """Lock a name until the file is closed; None while another process has it."""
        return hold(self.folder(name) / "lock", patience=_PATIENCE)

    def part(self, name: str, key: str) -> "Part":
        """Return what has arrived of one file, which ``key`` tells from others."""
        digest = hashlib.sha256(key.encode()).hexdigest()[:20]
        return Part(self.folder(name) / f"{digest}.part")

    def free_bytes(self, folder: Path) -> int:
        """Return the free space of the disk that a folder lies on, or will lie on."""
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        return shutil.disk_usage(there).free


class Part:
    """The beginning of a file; more is appended until it is whole.

    Attributes
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._about = path.with_suffix(".json")

    @property
    def size(self) -> int:
        """The number of bytes that have arrived."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def version(self) -> str:
        """What the server called this version of the file; "" if it said nothing."""
        try:
            return str(read_json(self._about, command="mess fetch").get("version", ""))
        except ArtifactError:
            return ""

    def begin(self, version: str) -> None:
        """Start anew, with a version of the file."""
        self.discard()
        write_json(self._about, {"version": version})

    def append(self, blocks: Iterable[bytes]) -> None:
        """Append blocks as they come."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab", buffering=0) as handle:
            for block in blocks:
                handle.write(block)

    def digest(self, algorithm: str) -> str:
        """Return the checksum of what has arrived, in hexadecimal."""
        with self.path.open("rb") as handle:
            return hashlib.file_digest(handle, algorithm).hexdigest()

    def discard(self) -> None:
        """Remove what has arrived."""
        self.path.unlink(missing_ok=True)
        self._about.unlink(missing_ok=True)

    def move(self, target: Path) -> None:
        """Put the file, which is whole, into its place on the same disk."""
        with self.path.open("rb") as handle:
            os.fsync(handle.fileno())
        self.path.replace(target)
        self.discard()


def blocks_of(handle: IO[bytes]) -> Iterator[bytes]:
    """Yield what is left of an open file in blocks."""
    while block := handle.read(_BLOCK_BYTES):
        yield block


def place(target: Path, blocks: Iterable[bytes]) -> None:
    """Write a file whole, or not at all if ``blocks`` raises."""
    with replacing(target) as handle:
        for block in blocks:
            handle.write(block)


def mark_absent(path: Path) -> None:
    """Note, as the hub's client does, that a model has no file of this name."""
    write_bytes(path, b"")
