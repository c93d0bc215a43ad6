"""What the server of an address says: of the files of a mirror, one question at a time.

Listings are kept for some seconds. An object store has no rename, but an object is there whole or
not at all, and can be written on a condition (`put_if`).
"""

import errno
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from mess.audio.addresses import Address, Version, as_path, version_of
from mess.errors import AddressError, MessError

SHARED = "processed"  # the folder that lies at the address, too
_FRESH_SECONDS = 10.0  # for which a listing counts as what the server would say
Result = TypeVar("Result")


class Server:
    """The server of an address, asked by the paths of the mirror.

    Parameters
    ----------
    root : Path
        The mirror: the folder of this machine.
    address : str
    """

    def __init__(self, root: Path, address: str) -> None:
        self._root, self._address = root, address
        self._listings: dict[Path, tuple[float, dict[str, Version | None]]] = {}
        self._checked = False

    def at(self, path: Path) -> Address:
        """Return where a path of the mirror lies."""
        place = as_path(f"{self._address}/{path.relative_to(self._root).as_posix()}")
        if not isinstance(place, Address):
            raise MessError(f"{self._address}: is no address of a server; correct MESS_DATA")
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
        place = self.at(self._root / SHARED)
        if self._address.startswith("memory://"):
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
                self._address, f"there is no bucket {bucket!r}", "make it, or correct MESS_DATA"
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

    def version(self, path: Path) -> Version | None:
        """Ask which version of a file there is now; None for none."""

        def look(files: Any, key: str) -> Version | None:
            files.invalidate_cache(key.rpartition("/")[0])
            info = files.info(key)
            return None if info.get("type") == "directory" else version_of(info)

        found = None
        with suppress(FileNotFoundError):
            found = self.ask(path, look, doing="read")
        self.note(path, found)
        return found

    def note(self, path: Path, version: Version | None) -> None:
        """Keep what is now known of a file in the listing of its folder."""
        known = self._listings.get(path.parent)
        if known and version is None:
            known[1].pop(path.name, None)
        elif known:
            known[1][path.name] = version

    def forget(self) -> None:
        """Ask anew what lies in each folder."""
        self._listings.clear()


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
