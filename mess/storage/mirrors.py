"""Data roots elsewhere: artifacts that lie at an address, read and written through a folder.

Task: let ``MESS_DATA`` be an address (``s3://bucket/prefix``). Artifacts are mapped into memory and
handed to FAISS, so they are read as files of this machine: of a folder, the *mirror* of the
address. It is a data root like any other, and the file ``address.json`` in it holds the address.
What lies below ``processed/`` is the same in both. All else is in the mirror alone: jobs, MLflow,
uploads, copies of recordings, journals, reports.

Reading. A *record* is a file whose checksum no other file names: a manifest, say. Its copy has the
size and the time of the version that it is a copy of, so a version that another machine wrote is
noticed. The other files are *named*: a record holds their checksums. A copy with that checksum is
the file, so the server is not asked; any other copy is fetched anew.

Writing. An object store has no rename, but an object is there whole or not at all. A file is
written here first. A mark in ``pending/`` says that it is to be sent, and goes when it was. Named
files are sent by threads. A record is sent after all named files, so what a record at the address
names is there. It replaces only the version that it was made from (``If-Match``,
``If-None-Match``); a version of another machine stays, and this one says so. After a kill or a
broken connection, the marks tell what is to be sent.
"""

import json
import os
import socket
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mess.audio.addresses import Version, version_of
from mess.data_root import mirror_folder
from mess.errors import AddressError, MessError
from mess.storage.address_server import SHARED, Server, put_if
from mess.storage.locks import is_alive
from mess.storage.marks import Mark, Marks, Stamp, stamp, write_plain
from mess.storage.replacing import replacing_here

_ADDRESS = "address.json"
_SENDERS = 4
_ATTEMPTS = 3


_mirrors: dict[str, "Mirror | None"] = {}  # by the root


def mirror_of(path: Path) -> "Mirror | None":
    """Return the mirror in whose shared part a path lies, None for all other paths."""
    text = os.fspath(path)
    at = 0 if text.startswith(f"{SHARED}/") else text.find(f"/{SHARED}/")
    while at >= 0:
        root = text[:at]
        if root not in _mirrors:
            _mirrors[root] = _opened(Path(root or ("/" if text.startswith("/") else ".")))
        if _mirrors[root] is not None:
            return _mirrors[root]
        at = text.find(f"/{SHARED}/", at + 1)
    return None


def open_mirror(address: str) -> Path:
    """Return the mirror of an address, made now if there is none.

    Raises
    ------
    MessError
        If the folder is that of another address, or a data root of this machine.
    """
    address, root = address.rstrip("/"), mirror_folder(address).absolute()
    found = _opened(root)
    if found is None:
        if (root / SHARED).exists():
            raise MessError(f"{root}: has data of this machine; name another by MESS_MIRROR")
        root.mkdir(parents=True, exist_ok=True)
        write_plain(root / _ADDRESS, {"address": address, "id": uuid.uuid4().hex})
        found = _opened(root)
    if found is None or found.address != address:
        of = found.address if found else "nothing"
        raise MessError(f"{root}: is the mirror of {of}; name another by MESS_MIRROR")
    known = _mirrors.get(str(root))
    _mirrors[str(root)] = known if known and known.address == address else found
    return root


def _opened(root: Path) -> "Mirror | None":
    """Return the mirror that a root is, None if it is none."""
    try:
        about = json.loads((root / _ADDRESS).read_bytes())
        return Mirror(root, str(about["address"]), name=str(about["id"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise MessError(
            f"{root / _ADDRESS}: is damaged; delete the folder, what was sent is at its address"
        ) from None


class Mirror:
    """The shared part of a data root, here and at its address.

    Parameters
    ----------
    root : Path
        The folder of this machine.
    address : str
    name : str
        Tells this mirror from those of other machines.
    """

    def __init__(self, root: Path, address: str, *, name: str) -> None:
        self.root, self.address = root, address
        self.name = f"{socket.gethostname()} {name}"
        self._compared: dict[Path, tuple[Stamp | None, Version | None]] = {}
        self._guard = threading.Lock()
        self._sending: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
        self.server = Server(root, address)
        self.held: dict[Path, Stamp | None] = {}  # records that only this process may write
        self.marks = Marks(root, self.held)
        self._pool: tuple[int, ThreadPoolExecutor] | None = None  # with its process
        self._away = threading.Event()  # the server does not answer: leave the rest marked

    def hold(self, path: Path) -> None:
        """Note that this process alone may write a record: from the version that is there now."""
        self.server.forget()
        self.refresh(path)
        self.held[path] = stamp(path)

    def release(self, path: Path) -> None:
        """Note that others may write a record again."""
        self.held.pop(path, None)

    # Reading -----------------------------------------------------------------------------------

    def refresh(self, path: Path) -> None:
        """Make the copy of a record the version that is at the address."""
        if self.marks.waits(path):
            return
        listed = self.server.listing(path.parent)
        if path.name in listed and listed[path.name] is None:
            return  # a folder
        if _is_version(path, listed.get(path.name)) or _is_version(path, self.server.version(path)):
            return
        self.fetch(path)

    def fetch(self, path: Path) -> None:
        """Copy a file from the address; if there is none, there is none here either."""
        if self.marks.waits(path):
            return
        came = 0
        for _ in range(_ATTEMPTS):
            version = self.server.version(path)
            if version is None:
                path.unlink(missing_ok=True)
                return
            try:
                with replacing_here(path) as handle:
                    self.server.ask(path, _getter(handle.name), doing="read")
                    came = os.fstat(handle.fileno()).st_size
                    if came != version.size:
                        raise _Short
                    os.utime(handle.fileno(), ns=(time.time_ns(), version.mtime_ns))
                    _journal(path).unlink(missing_ok=True)  # it goes on from another version
                return
            except (_Short, FileNotFoundError):  # it changes now
                continue
        raise AddressError(
            self.server.at(path),
            f"cannot be read ({came:,} bytes came)",
            "check the connection; the same command goes on",
        )

    def modified(self, path: Path) -> float:
        """Return when the version at the address was written, 0 if there is none.

        Another version has another time. Which of a second's versions came last is not known.
        """
        if self.marks.waits(path):
            mine = stamp(path)
            return mine[1] / 1e9 if mine else 0.0
        listed = self.server.listing(path.parent).get(path.name)
        copy = stamp(path)
        if copy not in (None, listed and (listed.size, listed.mtime_ns)) and (
            self._compared.get(path) != (copy, listed)
        ):  # another process of this machine may have written it since it was listed
            listed = self.server.version(path)
            self._compared[path] = copy, listed
        return listed.mtime_ns / 1e9 if listed else 0.0

    def names(self, folder: Path) -> set[str]:
        """Return the names in a folder: at the address, with what is not yet sent."""
        found = set(self.server.listing(folder))
        for mark in self.marks.all():
            path = self.root / mark.path
            if not mark.ready:
                continue
            if path.parent == folder and path.exists():
                found.add(path.name)
            elif path.parent == folder:
                found.discard(path.name)
        return found

    def size(self, path: Path) -> int:
        """Return the bytes of a file or of all files below a folder, 0 if there is none."""

        def look(files: Any, key: str) -> int:
            files.invalidate_cache()
            found: dict[str, Any] = files.find(key, detail=True)
            return sum(version_of(one).size for one in found.values())

        with suppress(FileNotFoundError):
            version = self.server.listing(path.parent).get(path.name)
            return version.size if version else self.server.ask(path, look, doing="read")
        return 0

    # Writing -----------------------------------------------------------------------------------

    def unsent(self) -> int:
        """Return how many files are marked."""
        return len(self.marks.all())

    @contextmanager
    def writing(self, path: Path, *, record: bool) -> Iterator[None]:
        """Send the file that the block replaces: a record at once, any other one soon."""
        if record and self.marks.waits(path):
            self.send_marked()  # of a process that died
        marked = self.marks.waits(path)
        if record and path not in self.held:
            self.refresh(path)
        # If this process dies after the rename, a record counts and is sent. A named file does not
        # count, because no record names it yet.
        self.marks.put(path, record=record, ready=record or marked)
        try:
            yield
        except BaseException:
            if not marked:
                self.marks.path_of(path).unlink(missing_ok=True)
            raise
        if record:
            self.send_marked(last=path)
        else:
            self.send(path)

    def send(self, path: Path) -> None:
        """Send a named file soon, or have it removed at the address if it is not here."""
        self.marks.put(path, record=False)
        self._senders.submit(self._send_quietly, path)

    def keep(self, path: Path) -> None:
        """Send a named file that is here, if another one or none is at the address."""
        if self.marks.waits(path):
            self.send(path)  # the process that was to send it may be gone
            return
        there = self.server.listing(path.parent).get(path.name)
        if there is None or there.size != path.stat().st_size:
            self.send(path)

    def remove(self, path: Path) -> None:
        """Remove a file here, and at the address soon."""
        path.unlink(missing_ok=True)
        if self.marks.waits(path) or path.name in self.server.listing(path.parent):
            self.send(path)

    def send_marked(self, *, last: Path | None = None) -> None:
        """Send what this process and those that died have marked, the record ``last`` at the end.

        Raises
        ------
        AddressError
            If the server does not answer, or another machine has written the record meanwhile.
        """
        self._away.clear()
        mine = [
            one
            for one in self.marks.all()
            if (one.ready and one.pid == os.getpid()) or not is_alive(one.pid)
        ]
        named = [self.root / one.path for one in mine if not one.record]
        for _ in self._senders.map(self._send, named):
            pass
        for path in [self.root / one.path for one in mine if one.record]:
            if path != last:
                try:
                    self._send(path)
                except _Overtaken as problem:  # of a process that is gone
                    print(problem, file=sys.stderr)
        if last is not None:
            self._send(last)

    @property
    def _senders(self) -> ThreadPoolExecutor:
        with self._guard:
            if self._pool is None or self._pool[0] != os.getpid():  # threads do not outlive a fork
                pool = ThreadPoolExecutor(_SENDERS, thread_name_prefix="mess-send")
                self._pool = os.getpid(), pool
            return self._pool[1]

    def _send_quietly(self, path: Path) -> None:
        """Send a file; if that fails, it stays marked, and a record that comes later says so."""
        if self._away.is_set():
            return
        try:
            self._send(path)
        except (MessError, OSError):
            self._away.set()

    def _send(self, path: Path) -> None:
        with self._guard:
            sending = self._sending[path]
        with sending:
            mark = self.marks.read(self.marks.path_of(path))
            if mark is None or (not mark.ready and is_alive(mark.pid)):
                return
            if not mark.ready:
                pass  # its process died before it was written
            elif mark.record:
                self._send_record(path, mark)
            elif path.exists():
                self.server.ask(
                    path, lambda files, key: files.put_file(str(path), key), doing="written"
                )
                self.server.note(path, Version(path.stat().st_size, 0, ""))
            else:
                with suppress(FileNotFoundError):
                    self.server.ask(path, lambda files, key: files.rm_file(key), doing="removed")
                self.server.note(path, None)
            self.marks.remove(path, mark)

    def _send_record(self, path: Path, mark: Mark) -> None:
        """Replace the version that a record was made from; leave any other version."""
        if not path.exists():
            return  # its process died before it was written
        content, there = path.read_bytes(), self.server.version(path)
        answer: Any = None
        if there is None or (there.size, there.mtime_ns) == mark.base:
            tag = there.tag if there else None
            try:
                answer = self.server.ask(
                    path,
                    lambda files, key: put_if(files, key, content, tag=tag, new=there is None),
                    doing="written",
                )
                written = True
            except FileExistsError:
                written = False
        else:
            written = False
        if not written and self.server.ask(
            path, lambda files, key: files.cat_file(key), doing="read"
        ) != (
            content  # sent before the process died, or the answer was lost
        ):
            self.marks.remove(path, mark)
            raise _Overtaken(
                self.server.at(path),
                "another machine has written it meanwhile",
                "nothing of it is lost; run the same command again",
            )
        now = self.server.version(path)
        if now and path in self.held:
            self.held[path] = now.size, now.mtime_ns
        etag = answer.get("ETag") if isinstance(answer, dict) else None
        if now and now.size == len(content) and etag in (None, now.tag):
            with suppress(FileNotFoundError):
                os.utime(path, ns=(time.time_ns(), now.mtime_ns))


class _Short(Exception):
    """Fewer bytes came than the server had said."""


class _Overtaken(AddressError):
    """Another machine has written a record in the meantime."""


def _content(files: Any, key: str) -> Any:
    return files.cat_file(key)


def _getter(to: str) -> Callable[[Any, str], None]:
    return lambda files, key: files.get_file(key, to)


def _is_version(path: Path, version: Version | None) -> bool:
    """Tell whether a copy is of a version; that no file is a copy of none."""
    return stamp(path) == (None if version is None else (version.size, version.mtime_ns))


def _journal(path: Path) -> Path:
    """Return the journal of a manifest, which is kept on this machine alone."""
    return path.with_suffix(".journal.jsonl")
