"""Locks on files: the lock of a dataset's jobs, of its runner, of a slot.

A lock is a `flock`. A process that dies holds none.
"""

import fcntl
import time
from pathlib import Path
from typing import IO


def hold(path: Path, *, patience: float = 0.0) -> IO[bytes] | None:
    """Take the lock on a file.

    Parameters
    ----------
    path : Path
        Made if it does not exist.
    patience : float
        Seconds to try. A process that asks `is_held` holds the lock for a moment.

    Returns
    -------
    file or None
        The lock is held until this file is closed. None if another process holds the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("ab")
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                handle.close()
                return None
            time.sleep(0.01)
        else:
            return handle


def is_held(path: Path) -> bool:
    """Tell whether a living process holds the lock on a file."""
    try:
        with path.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
