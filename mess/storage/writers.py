"""The right to write some artifacts, which one process has at a time.

On one machine it is a lock on a file. If the artifacts lie at an address, it is a lease, too, so
that one machine has it (`mess.storage.leases`).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from mess.storage.leases import Lease
from mess.storage.locks import try_lock, wait_for_lock
from mess.storage.mirrors import mirror_of


class _Held:
    """The lock of this machine and the lease of an address, shared by all who hold them here."""

    def __init__(self, handle: IO[bytes], lease: Lease | None) -> None:
        self.handle, self.lease = handle, lease
        self.holders = 0


_held: dict[Path, _Held] = {}


class WriterLock:
    """The right to write some files, which one process has at a time.

    It is given back by `free`, or when nothing refers to it any more.
    """

    def __init__(self, path: Path) -> None:
        self._path: Path | None = path
        _held[path].holders += 1

    def free(self) -> None:
        """Give the right back, unless others of this process hold it."""
        path, self._path = self._path, None
        if path is None:
            return
        held = _held[path]
        held.holders -= 1
        if not held.holders:
            del _held[path]
            if held.lease is not None:
                held.lease.free()
            held.handle.close()

    def __del__(self) -> None:
        """Give it back when nothing refers to it."""
        self.free()


def writer_lock(path: Path) -> WriterLock:
    """Take the right to write what lies beside ``path``; wait while another process has it.

    If this process has it already, it has it once more. If the process has to wait, it says so once
    on standard error. On a file system without locks it never waits.

    Parameters
    ----------
    path : Path
        Of the record of these files. The lock is a hidden file beside it.
    """
    if path not in _held:
        _held[path] = _taken(path)
    return WriterLock(path)


def _taken(path: Path) -> _Held:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.with_name(f".{path.stem}.lock").open("ab")
    try:
        with suppress(OSError):  # no locks here
            if not try_lock(handle):
                print(f"{path}: another process writes it; waiting for its end", file=sys.stderr)
                wait_for_lock(handle)
        mirror = mirror_of(path)
        return _Held(handle, Lease(mirror, path) if mirror else None)
    except BaseException:  # Ctrl-C while it waits
        handle.close()
        raise


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Hold the right to write what lies beside ``path`` while the block runs."""
    lock = writer_lock(path)
    try:
        yield
    finally:
        lock.free()
