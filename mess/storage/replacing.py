"""How a file of this machine is replaced: a reader sees the old file or the new one, never a part.

A writer writes to a temporary name in the same folder, syncs, and renames. The temporary file is
locked, so one without a lock belongs to a process that was killed.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import IO

from mess.storage.locks import is_alive, try_lock, wait_for_lock

_TEMPORARY = re.compile(r"\..+?\.(\d+)(\.\d+)?\.tmp", re.DOTALL)
_numbers = count()
_swept: set[Path] = set()  # folders, by this process


@contextmanager
def replacing_here(path: Path) -> Iterator[IO[bytes]]:
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
            # Older code put its process in the name and held no lock.
            if parts and not (parts[2] is None and is_alive(int(parts[1]))):
                _remove_unlocked(Path(entry.path))


def _remove_unlocked(path: Path) -> None:
    with suppress(OSError), path.open("rb") as handle:  # a system without locks removes nothing
        if try_lock(handle):
            path.unlink()
