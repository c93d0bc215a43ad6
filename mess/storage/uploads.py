"""Uploads: recordings that a person hands over in the browser, kept for a limited time.

::

    uploads/<token>/audio.<suffix>     the file; its content decides the suffix
    uploads/<token>/about.json         the original name, as text, and the time of the upload
    uploads/<token>/<encoder>.wanted   a request to encode it; .started while it is being encoded
    uploads/<token>/<encoder>.npz      the features, or <encoder>.failed with the reason
    uploads/<token>/<encoder>.curves   its measured curves, as npz

A token is a random number. Only those who know it can access the file. The original name never
becomes a part of a path.
"""

import io
import os
import re
import secrets
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mess.audio.containers import SUFFIXES, find_container
from mess.encoders import encoder_slug
from mess.errors import ArtifactError, MessError
from mess.records.upload import EncodingProblem, EncodingRequest, EncodingStart, UploadNote
from mess.storage.files import replacing, write_bytes
from mess.storage.locks import hold
from mess.storage.records import read_record, write_record

KEEP_HOURS = 24.0
WATCHED_SECONDS = 5.0  # a waiting page renews its mark every half second
_TOKEN = re.compile(r"[0-9a-f]{32}")
_LONGEST_NAME = 200
_NAMELESS = "a file without a name"


@dataclass(frozen=True)
class Upload:
    """An uploaded file.

    Attributes
    ----------
    token : str
    name : str
        The original name: text, never a path.
    path : Path
        The path of the file.
    size : int
        Bytes.
    added : float
        Seconds since the epoch.
    """

    token: str
    name: str
    path: Path
    size: int
    added: float


def container_suffix(content: bytes | memoryview) -> str | None:
    """Return the suffix of the container of a file by its content, None if it is unknown.

    >>> container_suffix(b"RIFF....WAVEfmt "), container_suffix(b"just text")
    ('.wav', None)
    """
    container, _, _ = find_container(io.BytesIO(content))
    return SUFFIXES.get(container)


@dataclass(frozen=True)
class UploadFiles:
    """The uploaded files below one root folder."""

    root: Path

    @property
    def folder(self) -> Path:
        """Folder of all of them."""
        return self.root / "uploads"

    def add(self, content: bytes | memoryview, name: str, *, most: int) -> Upload:
        """Keep a file.

        Parameters
        ----------
        content : bytes
        name : str
            The original name; it is only displayed.
        most : int
            Largest size in bytes.

        Raises
        ------
        MessError
            If it is empty, too large, or not audio by its first bytes.
        """
        shown = " ".join(name.split())[:_LONGEST_NAME] or _NAMELESS
        if not len(content):
            raise MessError(f"{shown}: is empty; choose another file")
        if len(content) > most:
            raise MessError(
                f"{shown}: is larger than {most / 2**20:.0f} MB; cut it or convert it to MP3"
            )
        suffix = container_suffix(content)
        if suffix is None:
            raise MessError(
                f"{shown}: is no recording that can be read, whatever its name says; "
                "convert it to wav, flac or mp3"
            )
        token = secrets.token_hex(16)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / token).mkdir(mode=0o700)
        write_bytes(self.folder / token / f"audio{suffix}", bytes(content))
        note = UploadNote(name=shown, size=len(content), added=time.time())
        write_record(self.folder / token / "about.json", note)
        upload = self.find(token)
        if upload is None:
            raise MessError(f"{shown}: could not be kept; try again")
        return upload

    def find(self, token: str) -> Upload | None:
        """Return the file of a token, None if there is none."""
        if not _TOKEN.fullmatch(token):
            return None
        path = next((self.folder / token).glob("audio.*"), None)
        if path is None:
            return None
        with suppress(OSError):  # it may have been removed meanwhile
            try:
                about = self.folder / token / "about.json"
                note = read_record(about, UploadNote, command="", sealed=False)
            except ArtifactError:  # the recording is usable without its note
                stat = path.stat()
                note = UploadNote(name=_NAMELESS, size=stat.st_size, added=stat.st_mtime)
            return Upload(token, note.name, path, note.size, note.added)
        return None

    def forget(self, token: str) -> None:
        """Remove a file and everything made from it."""
        if _TOKEN.fullmatch(token):
            shutil.rmtree(self.folder / token, ignore_errors=True)

    def give(self, token: str, path: Path) -> None:
        """Copy a file to another path."""
        upload = self.find(token)
        if upload is None:
            raise MessError("there is no such file: choose it again")
        with upload.path.open("rb") as source, replacing(path) as sink:
            shutil.copyfileobj(source, sink)

    def sweep(self, *, hours: float = KEEP_HOURS) -> None:
        """Remove the files that were not used for some hours."""
        for folder in self._folders():
            with suppress(OSError):
                if time.time() - folder.stat().st_mtime > 3600 * hours:
                    shutil.rmtree(folder, ignore_errors=True)

    def others(self, mine: Collection[str]) -> tuple[int, int]:
        """Return the number and the total size of the files, without those of some tokens."""
        tokens = (folder.name for folder in self._folders() if folder.name not in mine)
        sizes = [upload.size for token in tokens if (upload := self.find(token)) is not None]
        return len(sizes), sum(sizes)

    def _folders(self) -> list[Path]:
        with suppress(OSError):
            return [path for path in self.folder.iterdir() if _TOKEN.fullmatch(path.name)]
        return []

    # Encoding --------------------------------------------------------------------------------

    def want(self, token: str, *, dataset: str, encoder: str) -> None:
        """Request the features of a file, unless they exist or encoding has failed."""
        if self.state(token, encoder) == "":
            request = EncodingRequest(dataset=dataset, encoder=encoder)
            write_record(self._path(token, encoder, "wanted"), request)

    def watch(self, token: str, encoder: str) -> None:
        """Mark that a page is waiting for the features of a file now."""
        if self.state(token, encoder) == "waiting":
            with suppress(OSError):
                self._path(token, encoder, "watched").touch()

    def state(self, token: str, encoder: str) -> str:
        """Return "done", "failed", "waiting", or "" if the features were not requested."""
        for suffix, state in (("npz", "done"), ("failed", "failed"), ("wanted", "waiting")):
            if self._path(token, encoder, suffix).is_file():
                return state
        return ""

    def problem(self, token: str, encoder: str) -> str:
        """Return why a file could not be encoded."""
        with suppress(MessError):
            path = self._path(token, encoder, "failed")
            return read_record(path, EncodingProblem, command="", sealed=False).message
        return "it could not be encoded"

    def read_features(self, token: str, encoder: str) -> bytes:
        """Read the features of a file, as `keep_features` wrote them.

        Raises
        ------
        MessError
            If there are none.
        """
        try:
            return self._path(token, encoder, "npz").read_bytes()
        except OSError:
            raise MessError("this file is not encoded (any more): choose it again") from None

    def read_in_time(self, token: str, encoder: str) -> bytes:
        """Read the measured curves of a file, as `keep_in_time` wrote them.

        Raises
        ------
        MessError
            If there are none.
        """
        try:
            return self._path(token, encoder, "curves").read_bytes()
        except OSError:
            raise MessError(f"no curves of this file by {encoder!r}: choose it again") from None

    def drop_features(self, token: str, encoder: str) -> None:
        """Remove the features of a file, so that it can be encoded again."""
        self._path(token, encoder, "npz").unlink(missing_ok=True)

    def waiting(self) -> Iterator[tuple[Upload, str, str]]:
        """Yield the file, dataset and encoder of every request.

        Requests that a page is waiting for come first, then the oldest.
        """
        asked = [path for folder in self._folders() for path in folder.glob("*.wanted")]
        lately = time.time() - WATCHED_SECONDS

        def order(path: Path) -> tuple[bool, float]:
            return _time(path.with_suffix(".watched")) < lately, _time(path)

        for path in sorted(asked, key=order):
            upload = self.find(path.parent.name)
            try:
                request = read_record(path, EncodingRequest, command="", sealed=False)
            except ArtifactError:
                path.unlink(missing_ok=True)  # so that the page can ask again
                continue
            if upload is not None:
                yield upload, request.dataset, request.encoder

    def begin(self, token: str, encoder: str) -> bool:
        """Mark a file as being encoded; return False if a process ended while encoding it."""
        started = self._path(token, encoder, "started")
        if started.is_file():
            return False
        write_record(started, EncodingStart(pid=os.getpid()))
        return True

    def keep_in_time(self, token: str, encoder: str, in_time: bytes) -> None:
        """Store the measured curves of a file, unless it was removed meanwhile."""
        if (self.folder / token).is_dir():
            write_bytes(self._path(token, encoder, "curves"), in_time)

    def keep_features(self, token: str, encoder: str, features: bytes) -> None:
        """Store the features of a file, unless it was removed meanwhile."""
        if (self.folder / token).is_dir():
            write_bytes(self._path(token, encoder, "npz"), features)
            self._end(token, encoder)

    def keep_problem(self, token: str, encoder: str, message: str) -> None:
        """Store why a file has no features, unless it was removed meanwhile."""
        if (self.folder / token).is_dir():
            write_record(self._path(token, encoder, "failed"), EncodingProblem(message=message))
            self._end(token, encoder)

    def _end(self, token: str, encoder: str) -> None:
        for suffix in ("wanted", "started", "watched"):
            self._path(token, encoder, suffix).unlink(missing_ok=True)

    # The process that encodes -----------------------------------------------------------------

    @property
    def lock(self) -> Path:
        """The file whose lock the encoding process holds."""
        return self.folder / "encoding.lock"

    def take_lock(self) -> IO[bytes] | None:
        """Take the lock of the encoding process; None if another process holds it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return hold(self.lock)

    def open_log(self) -> IO[bytes]:
        """Open the log of the encoding process for writing, empty."""
        return (self.folder / "encoding.log").open("wb")

    def _path(self, token: str, encoder: str, suffix: str) -> Path:
        if not _TOKEN.fullmatch(token):
            raise MessError("there is no such file: choose it again")
        return self.folder / token / f"{encoder_slug(encoder)}.{suffix}"


def safe_name(name: str) -> str:
    """Return a safe file name: letters, digits, spaces, - and _ only.

    >>> safe_name("../<b>Étude</b> no. 3.mp3")
    'b Étude b no 3'
    """
    stem = re.sub(r"\.[A-Za-z0-9]{2,4}$", "", name.strip())
    kept = re.sub(r"[^\w -]+", " ", stem)
    return " ".join(kept.split())[:80].strip(" -_") or "recording"


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
