"""Leases: of the machines that write at one address, one at a time writes the same artifacts.

A lock of a file system belongs to one machine. A store has no locks, but a server that knows
``If-None-Match`` creates an object for one of several machines only. So whoever creates the object
with the next number below ``locks/`` has the *lease*. Its holder writes the object anew every few
seconds. If an object stays as it is for `_PATIENCE` seconds by the clock of the one who waits, its
holder is dead or away, and the next number may be taken. Numbers never begin again, so of two that
wait for the same holder, one takes the lease. A holder that was away too long finds another version
of its record and leaves it (`mess.storage.mirrors`).
"""

import atexit
import json
import os
import socket
import sys
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from mess.errors import MessError
from mess.storage.address_server import put_if
from mess.storage.locks import is_alive
from mess.storage.mirrors import Mirror

_BEAT = 15.0  # seconds
_PATIENCE = 60.0
_PAUSE = 1.0
_exclusive: dict[str, bool] = {}  # whether a server refuses to create an object twice, by address


class Lease:
    """The right to write a record and what it names, which one machine has at a time.

    Parameters
    ----------
    mirror : Mirror
    path : Path
        Of the record. This process holds the lock of this machine already.
    """

    def __init__(self, mirror: Mirror, path: Path) -> None:
        self._mirror, self._path = mirror, path
        self._folder = mirror.root / "locks" / path.relative_to(mirror.root)
        self._number = 0
        self._ended = threading.Event()
        self._about = {
            "mirror": mirror.name,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "token": uuid.uuid4().hex,
        }
        mirror.send_marked()  # what a process that died has left
        self._take()
        mirror.hold(path)
        self._beating = threading.Thread(target=self._beat, daemon=True)
        self._beating.start()
        atexit.register(self.free)

    def free(self) -> None:
        """Give the right back. If the server does not hear that, others wait for a while."""
        if self._ended.is_set() or sys.is_finalizing():  # fsspec's own thread is gone then
            return
        self._ended.set()
        atexit.unregister(self.free)
        self._mirror.release(self._path)
        if self._about["pid"] == os.getpid():  # and not of a fork
            self._beating.join()
            with suppress(MessError, OSError):
                self._write(free=True)

    def _take(self) -> None:
        seen, since, told = "", time.monotonic(), False
        while True:
            number, content = self._last()
            if content != seen:
                seen, since = content, time.monotonic()
            if self._is_over(content) or time.monotonic() - since > _PATIENCE:
                if self._create(number + 1):
                    self._number = number + 1
                    self._drop_older()
                    return
                continue
            if not told:
                told = True
                print(f"{self._mirror.server.at(self._path)}: {_who(content)}", file=sys.stderr)
            time.sleep(_PAUSE)

    def _last(self) -> tuple[int, str]:
        """Return the highest number and what its object holds, 0 and "" if there is none."""
        numbers = self._numbers()
        if not numbers:
            return 0, ""
        with suppress(FileNotFoundError):
            content = self._mirror.server.ask(self._object(numbers[-1]), _read, doing="read")
            return numbers[-1], content.decode(errors="replace")
        return numbers[-1], ""

    def _numbers(self) -> list[int]:
        def look(files: Any, key: str) -> list[str]:
            files.invalidate_cache(key)
            return [str(one).rpartition("/")[2] for one in files.ls(key, detail=False)]

        with suppress(FileNotFoundError):
            names = self._mirror.server.ask(self._folder, look, doing="read")
            return sorted(int(name) for name in names if name.isdecimal())
        return []

    def _is_over(self, content: str) -> bool:
        """Tell whether nobody holds a lease."""
        about = _read_json(content)
        if not about or about.get("free"):
            return True
        # Of this mirror: its lock on this machine is ours now, so its process is gone.
        return about.get("mirror") == self._mirror.name and not _lives(about.get("pid"))

    def _create(self, number: int) -> bool:
        """Create the object of a number; return False if another machine was faster."""
        content = self._content()
        place = self._object(number)

        def create(files: Any, key: str) -> None:
            put_if(files, key, content, tag=None, new=True)

        # It may be there by another machine, or by this one and the answer was lost.
        with suppress(FileExistsError):
            self._mirror.server.ask(place, create, doing="written")
        if self._mirror.server.ask(place, _read, doing="read") != content:
            return False
        if self._mirror.address not in _exclusive:
            try:
                self._mirror.server.ask(place, create, doing="written")
                _exclusive[self._mirror.address] = False
            except FileExistsError:
                _exclusive[self._mirror.address] = True
            if not _exclusive[self._mirror.address]:
                print(
                    f"{self._mirror.address}: this server creates an object twice "
                    "(it does not know If-None-Match): let one machine write at a time",
                    file=sys.stderr,
                )
        return True

    def _drop_older(self) -> None:
        for number in self._numbers():
            if number < self._number:
                with suppress(MessError, OSError):
                    place = self._object(number)
                    self._mirror.server.ask(
                        place, lambda files, key: files.rm_file(key), doing="removed"
                    )

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT):
            with suppress(MessError, OSError):
                self._write(beat=time.time())

    def _write(self, **more: object) -> None:
        content = self._content(**more)
        place = self._object(self._number)
        self._mirror.server.ask(
            place, lambda files, key: files.pipe_file(key, content), doing="written"
        )

    def _content(self, **more: object) -> bytes:
        return json.dumps(self._about | more).encode()

    def _object(self, number: int) -> Path:
        return self._folder / f"{number:08d}"


def _read(files: Any, key: str) -> bytes:
    content: bytes = files.cat_file(key)
    return content


def _read_json(content: str) -> dict[str, Any]:
    with suppress(ValueError):
        about = json.loads(content)
        if isinstance(about, dict):
            return about
    return {}


def _who(content: str) -> str:
    about = _read_json(content)
    return (
        f"{about.get('host')} (process {about.get('pid')}) writes it; waiting for its end. "
        f"If it says nothing for {_PATIENCE:.0f} s, it counts as dead"
    )


def _lives(pid: object) -> bool:
    """Tell whether another process of this machine lives."""
    return isinstance(pid, int) and pid != os.getpid() and is_alive(pid)
