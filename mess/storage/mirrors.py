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

import errno
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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from mess.audio.addresses import Address, Version, as_path, version_of
from mess.data_root import mirror_folder
from mess.errors import AddressError, MessError
from mess.storage.replacing import replacing_here

SHARED = "processed"  # the folder that lies at the address, too
_ADDRESS = "address.json"
_FRESH_SECONDS = 10.0  # for which a listing counts as what the server would say
_SENDERS = 4
_ATTEMPTS = 3
Result = TypeVar("Result")
_Stamp = tuple[int, int]  # size and time in ns


@dataclass(frozen=True)
class _Mark:
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
    base: _Stamp | None
    pid: int
    number: str
    ready: bool


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
        _write(root / _ADDRESS, {"address": address, "id": uuid.uuid4().hex})
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


def _write(path: Path, content: dict[str, Any]) -> None:
    with replacing_here(path) as handle:
        handle.write(json.dumps(content).encode())


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
        self._listings: dict[Path, tuple[float, dict[str, Version | None]]] = {}
        self._compared: dict[Path, tuple[_Stamp | None, Version | None]] = {}
        self._guard = threading.Lock()
        self._sending: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
        self.held: dict[Path, _Stamp | None] = {}  # records that only this process may write
        self._pool: tuple[int, ThreadPoolExecutor] | None = None  # with its process
        self._away = threading.Event()  # the server does not answer: leave the rest marked
        self._checked = False

    # What the server says --------------------------------------------------------------------

    def at(self, path: Path) -> Address:
        """Return where a path of the mirror lies."""
        place = as_path(f"{self.address}/{path.relative_to(self.root).as_posix()}")
        if not isinstance(place, Address):
            raise MessError(f"{self.address}: is no address of a server; correct MESS_DATA")
        return place

    def ask(self, path: Path, question: Callable[[Any, str], Result], *, doing: str) -> Result:
        """Return what the server answers.

        Parameters
        ----------
        path : Path
            Of the mirror.
        question : callable
            (fsspec's file system, its name of the path) → the answer.
        doing : str
            What cannot be done if it does not answer.

        Raises
        ------
        AddressError
            In one line, if it does not.
        FileNotFoundError, FileExistsError
            If it says so.
        """
        if not self._checked:
            self._checked = True
            try:
                self._check()
            except BaseException:
                self._checked = False
                raise
        place = self.at(path)
        return place.ask(lambda files: question(files, place.key), doing=doing, error=AddressError)

    def _check(self) -> None:
        """Raise if there is no such bucket: of a file, a server says only that it is not there."""
        place = self.at(self.root / SHARED)
        if self.address.startswith("memory://"):
            return
        bucket = place.key.partition("/")[0]

        def look(files: Any) -> None:
            try:
                files.invalidate_cache()
                files.ls(place.key)
            except FileNotFoundError:
                with suppress(PermissionError):  # it may be ours below the prefix only
                    files.info(bucket)

        try:
            place.ask(look, error=AddressError)
        except FileNotFoundError:
            raise AddressError(
                self.address, f"there is no bucket {bucket!r}", "make it, or correct MESS_DATA"
            ) from None

    def listing(self, folder: Path) -> dict[str, Version | None]:
        """Return what lies in a folder at the address, None for a folder; at most seconds old."""
        known = self._listings.get(folder)
        if known and time.monotonic() - known[0] < _FRESH_SECONDS:
            return known[1]

        def look(files: Any, key: str) -> list[dict[str, Any]]:
            files.invalidate_cache(key)
            found: list[dict[str, Any]] = files.ls(key, detail=True)
            return [one for one in found if str(one["name"]).strip("/") != key.strip("/")]

        began, entries = time.monotonic(), []
        with suppress(FileNotFoundError):
            entries = self.ask(folder, look, doing="read")
        found = {
            str(one["name"]).rstrip("/").rpartition("/")[2]: (
                None if one.get("type") == "directory" else version_of(one)
            )
            for one in entries
        }
        self._listings[folder] = began, found
        return found

    def hold(self, path: Path) -> None:
        """Note that this process alone may write a record: from the version that is there now."""
        self._listings.clear()
        self.refresh(path)
        self.held[path] = _stamp(path)

    def release(self, path: Path) -> None:
        """Note that others may write a record again."""
        self.held.pop(path, None)

    def _version(self, path: Path) -> Version | None:
        """Ask which version of a file there is now; None for none."""

        def look(files: Any, key: str) -> Version | None:
            files.invalidate_cache(key.rpartition("/")[0])
            info = files.info(key)
            return None if info.get("type") == "directory" else version_of(info)

        found = None
        with suppress(FileNotFoundError):
            found = self.ask(path, look, doing="read")
        self._note(path, found)
        return found

    def _note(self, path: Path, version: Version | None) -> None:
        """Keep what is now known of a file in the listing of its folder."""
        known = self._listings.get(path.parent)
        if known and version is None:
            known[1].pop(path.name, None)
        elif known:
            known[1][path.name] = version

    # Reading -----------------------------------------------------------------------------------

    def refresh(self, path: Path) -> None:
        """Make the copy of a record the version that is at the address."""
        if self.waits(path):
            return
        listed = self.listing(path.parent)
        if path.name in listed and listed[path.name] is None:
            return  # a folder
        if _is_version(path, listed.get(path.name)) or _is_version(path, self._version(path)):
            return
        self.fetch(path)

    def fetch(self, path: Path) -> None:
        """Copy a file from the address; if there is none, there is none here either."""
        if self.waits(path):
            return
        came = 0
        for _ in range(_ATTEMPTS):
            version = self._version(path)
            if version is None:
                path.unlink(missing_ok=True)
                return
            try:
                with replacing_here(path) as handle:
                    self.ask(path, _getter(handle.name), doing="read")
                    came = os.fstat(handle.fileno()).st_size
                    if came != version.size:
                        raise _Short
                    os.utime(handle.fileno(), ns=(time.time_ns(), version.mtime_ns))
                    _journal(path).unlink(missing_ok=True)  # it goes on from another version
                return
            except (_Short, FileNotFoundError):  # it changes now
                continue
        raise AddressError(
            self.at(path),
            f"cannot be read ({came:,} bytes came)",
            "check the connection; the same command goes on",
        )

    def modified(self, path: Path) -> float:
        """Return when the version at the address was written, 0 if there is none."""
        if self.waits(path):
            stamp = _stamp(path)
            return stamp[1] / 1e9 if stamp else 0.0
        listed = self.listing(path.parent).get(path.name)
        copy = _stamp(path)
        if copy not in (None, listed and (listed.size, listed.mtime_ns)) and (
            self._compared.get(path) != (copy, listed)
        ):  # another process of this machine may have written it since it was listed
            listed = self._version(path)
            self._compared[path] = copy, listed
        return listed.mtime_ns / 1e9 if listed else 0.0

    def names(self, folder: Path) -> set[str]:
        """Return the names in a folder: at the address, with what is not yet sent."""
        found = set(self.listing(folder))
        for mark in self._marks():
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
            version = self.listing(path.parent).get(path.name)
            return version.size if version else self.ask(path, look, doing="read")
        return 0

    # Writing -----------------------------------------------------------------------------------

    def waits(self, path: Path) -> bool:
        """Tell whether a file was written or removed here and that is not yet sent."""
        return self._mark_path(path).exists()

    def unsent(self) -> int:
        """Return how many files are marked."""
        return len(self._marks())

    @contextmanager
    def writing(self, path: Path, *, record: bool) -> Iterator[None]:
        """Send the file that the block replaces: a record at once, any other one soon."""
        if record and self.waits(path):
            self.send_marked()  # of a process that died
        marked = self.waits(path)
        if record and path not in self.held:
            self.refresh(path)
        # If this process dies after the rename, a record counts and is sent. A named file does not
        # count, because no record names it yet.
        self._mark(path, record=record, ready=record or marked)
        try:
            yield
        except BaseException:
            if not marked:
                self._mark_path(path).unlink(missing_ok=True)
            raise
        if record:
            self.send_marked(last=path)
        else:
            self.send(path)

    def send(self, path: Path) -> None:
        """Send a named file soon, or have it removed at the address if it is not here."""
        self._mark(path, record=False)
        self._senders.submit(self._send_quietly, path)

    def keep(self, path: Path) -> None:
        """Send a named file that is here, if another one or none is at the address."""
        if self.waits(path):
            self.send(path)  # the process that was to send it may be gone
            return
        there = self.listing(path.parent).get(path.name)
        if there is None or there.size != path.stat().st_size:
            self.send(path)

    def remove(self, path: Path) -> None:
        """Remove a file here, and at the address soon."""
        path.unlink(missing_ok=True)
        if self.waits(path) or path.name in self.listing(path.parent):
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
            for one in self._marks()
            if (one.ready and one.pid == os.getpid()) or not _is_alive(one.pid)
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
            mark = self._read_mark(self._mark_path(path))
            if mark is None or (not mark.ready and _is_alive(mark.pid)):
                return
            if not mark.ready:
                pass  # its process died before it was written
            elif mark.record:
                self._send_record(path, mark)
            elif path.exists():
                self.ask(path, lambda files, key: files.put_file(str(path), key), doing="written")
                self._note(path, Version(path.stat().st_size, 0, ""))
            else:
                with suppress(FileNotFoundError):
                    self.ask(path, lambda files, key: files.rm_file(key), doing="removed")
                self._note(path, None)
            self._unmark(path, mark)

    def _send_record(self, path: Path, mark: _Mark) -> None:
        """Replace the version that a record was made from; leave any other version."""
        if not path.exists():
            return  # its process died before it was written
        content, there = path.read_bytes(), self._version(path)
        answer: Any = None
        if there is None or (there.size, there.mtime_ns) == mark.base:
            tag = there.tag if there else None
            try:
                answer = self.ask(
                    path,
                    lambda files, key: put_if(files, key, content, tag=tag, new=there is None),
                    doing="written",
                )
                written = True
            except FileExistsError:
                written = False
        else:
            written = False
        if not written and self.ask(path, lambda files, key: files.cat_file(key), doing="read") != (
            content  # sent before the process died, or the answer was lost
        ):
            self._unmark(path, mark)
            raise _Overtaken(
                self.at(path),
                "another machine has written it meanwhile",
                "nothing of it is lost; run the same command again",
            )
        now = self._version(path)
        if now and path in self.held:
            self.held[path] = now.size, now.mtime_ns
        etag = answer.get("ETag") if isinstance(answer, dict) else None
        if now and now.size == len(content) and etag in (None, now.tag):
            with suppress(FileNotFoundError):
                os.utime(path, ns=(time.time_ns(), now.mtime_ns))

    # Marks -------------------------------------------------------------------------------------

    def _mark_path(self, path: Path) -> Path:
        name = uuid.uuid5(uuid.NAMESPACE_URL, path.relative_to(self.root).as_posix())
        return self.root / "pending" / f"{name.hex}.json"

    def _mark(self, path: Path, *, record: bool, ready: bool = True) -> None:
        with self._guard:
            place = self._mark_path(path)
            known = self._read_mark(place)
            mark = _Mark(
                path=path.relative_to(self.root).as_posix(),
                record=record,
                base=known.base if known else self.held.get(path, _stamp(path)),
                pid=os.getpid(),
                number=uuid.uuid4().hex,
                ready=ready,
            )
            _write(place, asdict(mark))

    def _unmark(self, path: Path, mark: _Mark) -> None:
        """Remove a mark, unless the file was written again meanwhile."""
        with self._guard:
            place = self._mark_path(path)
            if self._read_mark(place) == mark:
                place.unlink(missing_ok=True)

    def _read_mark(self, place: Path) -> _Mark | None:
        try:
            content = json.loads(place.read_bytes())
            base = content["base"]
            return _Mark(**content | {"base": None if base is None else (base[0], base[1])})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, IndexError):
            place.unlink(missing_ok=True)  # damaged: a rerun finds what is not at the address
            return None

    def _marks(self) -> list[_Mark]:
        """Return what is to be sent."""
        marks = (self._read_mark(place) for place in (self.root / "pending").glob("*.json"))
        return sorted((one for one in marks if one is not None), key=lambda one: one.path)


class _Short(Exception):
    """Fewer bytes came than the server had said."""


class _Overtaken(AddressError):
    """Another machine has written a record in the meantime."""


def put_if(files: Any, key: str, content: bytes, *, tag: str | None, new: bool) -> Any:
    """Write an object only if there is none (``new``), or only over the version of a tag.

    Without a tag, or where fsspec's package does not say this to the server, an object is written
    in any case.

    Raises
    ------
    FileExistsError
        If the server has refused.
    """
    how: dict[str, Any] = {}
    if new:
        how = {"mode": "create"}
    elif tag and "s3" in files.protocol:
        how = {"IfMatch": tag}
    try:
        return files.pipe_file(key, content, **how)
    except OSError as problem:
        if how and problem.errno == errno.EINVAL:  # s3fs's name for "precondition failed"
            raise FileExistsError(errno.EEXIST, "was written meanwhile", key) from None
        if how and problem.errno in (errno.ENOSYS, errno.ENOTSUP):
            return files.pipe_file(key, content)
        raise


def _getter(to: str) -> Callable[[Any, str], None]:
    return lambda files, key: files.get_file(key, to)


def _stamp(path: Path) -> _Stamp | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _is_version(path: Path, version: Version | None) -> bool:
    """Tell whether a copy is of a version; that no file is a copy of none."""
    return _stamp(path) == (None if version is None else (version.size, version.mtime_ns))


def _journal(path: Path) -> Path:
    """Return the journal of a manifest, which is kept on this machine alone."""
    return path.with_suffix(".journal.jsonl")


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
