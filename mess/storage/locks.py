"""Locks on files between processes.

A lock is a `flock`: it belongs to an open file. Processes that inherit the open file hold the lock
together. It is free when all of them have closed the file or died.
"""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

_PAUSE_SECONDS = 0.01


def try_lock(file: IO[bytes] | int, *, shared: bool = False) -> bool:
    """Take the lock of an open file, and tell whether that succeeded; never wait.

    Parameters
    ----------
    file : file or int
        The file, or its descriptor.
    shared : bool
        Other processes may hold a shared lock at the same time.
    """
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for_lock(file: IO[bytes] | int) -> None:
    """Take the lock of an open file, and wait until it is free.

    On a file system without locks nothing happens.
    """
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX)


def unlock(file: IO[bytes] | int) -> None:
    """Free the lock of an open file, for all processes that hold it together."""
    fcntl.flock(file, fcntl.LOCK_UN)


def hold(path: Path, *, patience: float = 0.0) -> IO[bytes] | None:
    """Open a file and take its lock.

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
    while not try_lock(handle):
        if time.monotonic() >= until:
            handle.close()
            return None
        time.sleep(_PAUSE_SECONDS)
    return handle


def is_held(path: Path) -> bool:
    """Tell whether a living process holds the lock of a file."""
    try:
        with path.open("rb") as handle:
            return not try_lock(handle, shared=True)
    except FileNotFoundError:
        return False


def is_alive(process: int) -> bool:
    """Tell whether a process of this machine runs, by its number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
