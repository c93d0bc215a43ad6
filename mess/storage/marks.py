"""Marks: which files of a mirror are to be sent to its address, kept over kills.

A mark is a small file in ``pending/`` of the mirror. It is written before the file that it names is
replaced, and goes when the file was sent.
"""

import json
import os
import threading
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mess.storage.replacing import replacing_here

Stamp = tuple[int, int]  # size and time in ns


@dataclass(frozen=True)
class Mark:
    """That a file is to be sent, or to be removed at the address if it is not here.

    Attributes
    ----------
    path : str
        Below the root.
    record : bool
    base : (int, int) or None
        Size and time of the version at the address that a record replaces; None for a new one.
    pid : int
        The process that wrote the file.
    number : str
        Another one for each time that the file is written.
    ready : bool
        Whether the file is there. Else it is being written, and nobody may fetch it.
    """

    path: str
    record: bool
    base: Stamp | None
    pid: int
    number: str
    ready: bool


class Marks:
    """The marks of a mirror.

    Parameters
    ----------
    root : Path
        The mirror.
    held : dict of Path to (int, int) or None
        The records that only this process may write, with the version that each was made from.
    """

    def __init__(self, root: Path, held: dict[Path, Stamp | None]) -> None:
        self._root, self._held = root, held
        self._guard = threading.Lock()

    def waits(self, path: Path) -> bool:
        """Tell whether a file was written or removed here and that is not yet sent."""
        return self.path_of(path).exists()

    def path_of(self, path: Path) -> Path:
        """Return where the mark of a file lies."""
        name = uuid.uuid5(uuid.NAMESPACE_URL, path.relative_to(self._root).as_posix())
        return self._root / "pending" / f"{name.hex}.json"

    def put(self, path: Path, *, record: bool, ready: bool = True) -> None:
        """Mark a file; the version that a record replaces is kept from an earlier mark.

        Parameters
        ----------
        path : Path
        record : bool
            Whether it is a record.
        ready : bool
            Whether it is there. Else it is about to be written.
        """
        with self._guard:
            place = self.path_of(path)
            known = self.read(place)
            mark = Mark(
                path=path.relative_to(self._root).as_posix(),
                record=record,
                base=known.base if known else self._held.get(path, stamp(path)),
                pid=os.getpid(),
                number=uuid.uuid4().hex,
                ready=ready,
            )
            write_plain(place, asdict(mark))

    def remove(self, path: Path, mark: Mark) -> None:
        """Remove a mark, unless the file was written again meanwhile."""
        with self._guard:
            place = self.path_of(path)
            if self.read(place) == mark:
                place.unlink(missing_ok=True)

    def read(self, place: Path) -> Mark | None:
        """Return a mark by its own path, None if there is none."""
        try:
            content = json.loads(place.read_bytes())
            base = content["base"]
            return Mark(**content | {"base": None if base is None else (base[0], base[1])})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, IndexError):
            place.unlink(missing_ok=True)  # damaged: a rerun finds what is not at the address
            return None

    def all(self) -> list[Mark]:
        """Return what is to be sent."""
        marks = (self.read(place) for place in (self._root / "pending").glob("*.json"))
        return sorted((one for one in marks if one is not None), key=lambda one: one.path)


def stamp(path: Path) -> Stamp | None:
    """Return the size and the time of a file, None if there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def write_plain(path: Path, content: dict[str, Any]) -> None:
    """Write a small JSON file of this machine."""
    with replacing_here(path) as handle:
        handle.write(json.dumps(content).encode())
