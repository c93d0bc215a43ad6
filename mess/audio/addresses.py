"""Recordings that lie elsewhere: addresses such as ``s3://bucket/folder``, read like paths.

Task: let every reader of recordings take an address for a path. An `Address` is a path that asks
fsspec for what it says of a file, and that is read through a local copy. Copies lie in a cache: a
copy is whole or absent, it is known by the version that the server states (ETag, or size and time),
and the copies that were used longest ago are removed when all of them exceed `cache_bytes`.

Addresses begin with s3:// (extra ``s3``), gs:// (the package gcsfs) or memory:// (this process).
file:// is the path that it names. Credentials and endpoints are those of fsspec's packages: for S3,
``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_PROFILE`` and ``AWS_ENDPOINT_URL``.

Examples
--------
>>> as_path("s3://bucket/quartets/one.flac").name
'one.flac'
>>> as_path("quartets/one.flac")
PosixPath('quartets/one.flac')
"""

import errno
import hashlib
import os
import stat
import tempfile
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path, PosixPath
from typing import IO, Any, NamedTuple, TypeVar

from mess.data_root import data_root
from mess.errors import AudioError, MessError, MissingDependency

_PACKAGES = {"s3": ("s3fs", "s3"), "gs": ("gcsfs", ""), "memory": ("", "")}  # and their extras
_ATTEMPTS = 3  # at a file that is not as large as the server said; its package tries the rest again
_STALE = 24 * 3600.0  # seconds after which what a killed process left in the cache is removed
_OUR_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_DENIED = ("NoCredentials", "PartialCredentials", "InvalidAccessKey", "SignatureDoesNotMatch")
Result = TypeVar("Result")


class Version(NamedTuple):
    """What a server says of a file."""

    size: int
    mtime_ns: int
    tag: str


_listed: dict[str, Version] = {}  # what the last listing said, by address


def is_address(text: str) -> bool:
    """Tell whether a text is an address, and not a path."""
    return text.partition("://")[0] in {*_PACKAGES, "file"} and "://" in text


def as_path(place: str | Path) -> Path:
    """Return the path, or the `Address`, that a text names.

    >>> as_path("file:///music/one.flac")
    PosixPath('/music/one.flac')
    """
    if isinstance(place, Path):
        return place
    if place.startswith("file://"):
        return Path(place.removeprefix("file://"))
    return Address(place) if is_address(place) else Path(place)


def linked_address(link: Path) -> "Address | None":
    """Return the address that a symbolic link holds, None if it is none or leads to a path."""
    try:
        target = as_path(os.readlink(link))  # noqa: PTH115 (that makes one slash of two)
    except OSError:
        return None
    return target if isinstance(target, Address) else None


class Address(PosixPath):
    """A file or folder on a server, as a path.

    Raises
    ------
    MissingDependency, AudioError
        By everything that asks the server, in one line: the package is not installed, access is
        denied, or the server does not answer.
    """

    def __str__(self) -> str:
        """Return the address as it is written: pathlib makes one slash of two."""
        text = super().__str__()
        protocol, separator, rest = text.partition(":/")
        if separator and protocol in _PACKAGES and not rest.startswith("/"):
            return f"{protocol}://{rest}"
        return text

    @property
    def _protocol(self) -> str:
        return str(self).partition("://")[0]

    @property
    def key(self) -> str:
        """What fsspec calls it: bucket and name."""
        return str(self).partition("://")[2]

    def _files(self) -> Any:
        package, extra = _PACKAGES[self._protocol]
        try:
            import fsspec

            return fsspec.filesystem(self._protocol)
        except ImportError:
            if extra:
                raise MissingDependency(f"{package} (needed for {self})", extra) from None
            raise MessError(f"{self}: needs {package}; run `pip install {package}`") from None

    def ask(
        self,
        question: Callable[[Any], Result],
        *,
        doing: str = "read",
        error: Callable[[object, str, str], MessError] = AudioError,
    ) -> Result:
        """Return what the server answers; what goes wrong is one line.

        Parameters
        ----------
        question : callable
            fsspec's file system → the answer.
        doing : str
            What cannot be done if it does not answer.
        error : callable
            (address, reason, way out) → what is raised.

        Raises
        ------
        FileNotFoundError, FileExistsError
            If the server says so.
        """
        files = self._files()
        try:
            return question(files)
        except MessError:
            raise
        except Exception as problem:  # each package has errors of its own
            # fsspec holds it in a circle with its frames. They would keep what our callers hold,
            # a lock for example, until the garbage is collected.
            problem.__traceback__ = None
            if isinstance(problem, FileNotFoundError):
                raise FileNotFoundError(errno.ENOENT, "No such file", str(self)) from None
            if isinstance(problem, FileExistsError):
                raise FileExistsError(errno.EEXIST, "There is one", str(self)) from None
            if isinstance(problem, OSError) and problem.errno in _OUR_DISK:
                raise
            name = type(problem).__name__
            told = " ".join(str(problem).split()) or name
            if isinstance(problem, PermissionError) or any(
                one in name or one in told for one in _DENIED
            ):
                raise error(
                    self, f"access is denied ({told[:120]})", "check the credentials"
                ) from None
            raise error(
                self,
                f"cannot be {doing} ({told[:120]})",
                "check the address and the connection; the same command goes on",
            ) from None

    def _version(self) -> Version:
        known = _listed.get(str(self))
        return known or self.ask(lambda files: version_of(files.info(self.key)))

    def stat(self, **_: bool) -> os.stat_result:
        """Return size and time of a file; a folder has neither."""
        found, mode = _listed.get(str(self)), stat.S_IFREG
        if found is None:
            info = self.ask(lambda files: files.info(self.key))
            found = version_of(info)
            mode = stat.S_IFDIR if info.get("type") == "directory" else stat.S_IFREG
        seconds, rest = divmod(found.mtime_ns, 10**9)
        times = (seconds, seconds, seconds)
        more = {"st_mtime": seconds + rest / 1e9, "st_mtime_ns": found.mtime_ns}
        return os.stat_result((mode | 0o444, 0, 0, 1, 0, 0, found.size, *times), more)

    def exists(self, **_: bool) -> bool:
        """Tell whether there is a file or folder of this name."""
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True

    def is_file(self, **_: bool) -> bool:
        """Tell whether there is a file of this name."""
        return self.exists() and stat.S_ISREG(self.stat().st_mode)

    def is_dir(self, **_: bool) -> bool:
        """Tell whether it is a folder; False, too, where the server does not say."""
        with suppress(OSError, MessError):
            return bool(self.ask(lambda files: files.isdir(self.key)))
        return False

    def absolute(self) -> "Address":
        """Return it: an address is whole."""
        return self

    def resolve(self, *_: bool) -> "Address":
        """Return it: an address has no links."""
        return self

    def expanduser(self) -> "Address":
        """Return it."""
        return self

    def glob(self, pattern: str) -> Iterator["Address"]:  # type: ignore[override]
        """Yield what matches a pattern below the folder."""
        found = self.ask(lambda files: files.glob(f"{self.key}/{pattern}"))
        return (Address(f"{self._protocol}://{str(key).lstrip('/')}") for key in sorted(found))

    def find(self) -> list[str]:
        """Return the names of all files below the folder, with ``/``; asks the server anew."""

        def look(files: Any) -> dict[str, Any]:
            files.invalidate_cache()
            found: dict[str, Any] = files.find(self.key, detail=True)
            return found

        try:
            answer = self.ask(look)
        except FileNotFoundError:
            return []
        begin = f"{self.key.rstrip('/')}/"
        names = []
        for key, info in answer.items():
            name = key.lstrip("/").removeprefix(begin)
            if name and info.get("type") == "file" and not name.endswith("/"):
                _listed[str(self / name)] = version_of(info)
                names.append(name)
        return sorted(names)

    def open(self, mode: str = "r", *args: Any, **how: Any) -> IO[Any]:  # type: ignore[override]
        """Open a copy of the file for reading; it stays readable until it is closed."""
        if set(mode) & set("wax+"):
            raise MessError(f"{self}: recordings that lie elsewhere are read, not written")
        while True:
            try:
                return self._copy().open(mode, *args, **how)
            except FileNotFoundError as error:  # another process made room
                if error.filename == str(self):
                    raise

    def _copy(self) -> Path:
        """Return the copy in the cache, made now if there is none."""
        folder = _cache_dir()
        for _ in range(_ATTEMPTS):
            version = self._version()
            name = hashlib.sha256(f"{self}\n{version}".encode()).hexdigest()[:40]
            copy = folder / f"{name}{self.suffix}"
            with suppress(OSError):
                if copy.stat().st_size == version.size:
                    os.utime(copy)  # it was used now
                    return copy
            part = folder / f".{name}.{uuid.uuid4().hex}.part"
            try:
                self.ask(partial(_get, key=self.key, to=str(part)))
                if part.stat().st_size == version.size:
                    part.replace(copy)
                    _make_room(folder, keep=copy)
                    return copy
                reason = f"{part.stat().st_size:,} of {version.size:,} bytes came"
            finally:
                part.unlink(missing_ok=True)
            _listed.pop(str(self), None)  # it may have changed since it was listed
            self._files().invalidate_cache()
        raise AudioError(
            self,
            f"cannot be read ({reason})",
            "check the connection; the same command goes on",
        )


def _get(files: Any, *, key: str, to: str) -> None:
    files.get_file(key, to)


def version_of(info: dict[str, Any]) -> Version:
    """Return what tells this version of a file from others, of what fsspec says of it."""
    when = next(
        (info[key] for key in ("LastModified", "mtime", "updated", "created") if info.get(key)), 0
    )
    if hasattr(when, "timestamp"):
        when = when.timestamp()
    elif isinstance(when, str):
        from datetime import datetime

        when = datetime.fromisoformat(when).timestamp()
    tag = str(info.get("ETag") or info.get("etag") or "")
    mtime_ns = round(when * 1e6) * 1000
    if tag and mtime_ns % 10**9 == 0:
        # S3 states whole seconds. A file that replaces another of its size within one would count
        # as the same; what is left of the second tells their tags apart.
        mtime_ns += zlib.crc32(tag.encode()) % 10**9
    return Version(int(info.get("size") or 0), mtime_ns, tag)


def cache_bytes() -> float:
    """Return the most that copies take on the disk: ``MESS_CACHE_GB``, by default 10."""
    text = os.environ.get("MESS_CACHE_GB") or "10"
    try:
        gigabytes = float(text)
    except ValueError:
        gigabytes = -1.0
    if not gigabytes >= 0:
        raise MessError(f"MESS_CACHE_GB={text!r} is no number of gigabytes: correct it")
    return gigabytes * 1e9


def _cache_dir() -> Path:
    """Return the folder of the copies: below the data root, if there is one."""
    root = data_root()
    if not (root.is_dir() and os.access(root, os.W_OK)):
        root = Path(tempfile.gettempdir()) / "mess"
    folder = root / "cache" / "audio"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _make_room(folder: Path, *, keep: Path) -> None:
    """Remove the copies that were used longest ago, and what killed processes left."""
    copies = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                found = entry.stat()
                if not entry.name.startswith("."):
                    copies.append((found.st_mtime, found.st_size, Path(entry.path)))
                elif time.time() - found.st_mtime > _STALE:
                    Path(entry.path).unlink()
    total, most = sum(size for _, size, _ in copies), cache_bytes()
    for _, size, path in sorted(copies):
        if total <= most:
            return
        if path != keep:
            path.unlink(missing_ok=True)
            total -= size
