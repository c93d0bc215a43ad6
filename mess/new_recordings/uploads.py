"""Recordings that a person hands over in the browser: kept apart, nameless, and not for long.

::

    uploads/<token>/audio.<suffix>     the file; its suffix is what its content says
    uploads/<token>/about.json         the name that it came with, as text, and when
    uploads/<token>/<encoder>.wanted   asks the encoding process; .started while it is at it
    uploads/<token>/<encoder>.npz      the features, or <encoder>.failed with the reason

A token is drawn at random: who knows it may hear the file and nobody else. Nothing of the name that
a file came with becomes a path.
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

from mess.audio.containers import SUFFIXES, find_container
from mess.encoders import encoder_slug
from mess.errors import ArtifactError, MessError
from mess.new_recordings.encoding import EncodedRecording
from mess.storage.files import read_json, replacing, write_bytes, write_json
from mess.storage.shapes import NUMBER
from mess.storage.store import Store

KEEP_HOURS = 24.0
WATCHED_SECONDS = 5.0  # a page that waits says so every half second
_TOKEN = re.compile(r"[0-9a-f]{32}")
_LONGEST_NAME = 200
_NAMELESS = "a file without a name"


@dataclass(frozen=True)
class Upload:
    """A file that was handed over.

    Attributes
    ----------
    token : str
    name : str
        The name that it came with: text, never a path.
    path : Path
        Where it lies.
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
    """Return the suffix of the container that a file's content announces, None if none.

    >>> container_suffix(b"RIFF....WAVEfmt "), container_suffix(b"just text")
    ('.wav', None)
    """
    container, _, _ = find_container(io.BytesIO(content))
    return SUFFIXES.get(container)


class Uploads:
    """The files that were handed over below one root.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self.folder = store.uploads_dir

    def add(self, content: bytes | memoryview, name: str, *, most: int) -> Upload:
        """Keep a file.

        Parameters
        ----------
        content : bytes
        name : str
            As it came; shown, never used.
        most : int
            Bytes that are allowed.

        Raises
        ------
        MessError
            If it is empty, too large or no audio by its first bytes.
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
        about = {"name": shown, "size": len(content), "added": time.time()}
        write_json(self.folder / token / "about.json", about)
        found = self.find(token)
        if found is None:
            raise MessError(f"{shown}: could not be kept; try again")
        return found

    def find(self, token: str) -> Upload | None:
        """Return the file of a token, None if there is none."""
        if not _TOKEN.fullmatch(token):
            return None
        path = next((self.folder / token).glob("audio.*"), None)
        if path is None:
            return None
        shape = {"name": str, "size": int, "added": NUMBER}
        with suppress(OSError):  # gone meanwhile
            try:
                note = self.folder / token / "about.json"
                about = read_json(note, command="", shape=shape, sealed=False)
            except ArtifactError:  # the recording is what counts
                stat = path.stat()
                about = {"name": _NAMELESS, "size": stat.st_size, "added": stat.st_mtime}
            return Upload(token, about["name"], path, about["size"], about["added"])
        return None

    def forget(self, token: str) -> None:
        """Remove a file and all that was made of it."""
        if _TOKEN.fullmatch(token):
            shutil.rmtree(self.folder / token, ignore_errors=True)

    def give(self, token: str, path: Path) -> None:
        """Copy a file to where its owner wants it."""
        upload = self.find(token)
        if upload is None:
            raise MessError("there is no such file: choose it again")
        with upload.path.open("rb") as source, replacing(path) as sink:
            shutil.copyfileobj(source, sink)

    def sweep(self, *, hours: float = KEEP_HOURS) -> None:
        """Remove what nobody came back for."""
        for folder in self._folders():
            with suppress(OSError):
                if time.time() - folder.stat().st_mtime > 3600 * hours:
                    shutil.rmtree(folder, ignore_errors=True)

    def others(self, mine: Collection[str]) -> tuple[int, int]:
        """Return number and bytes of the files that are kept, but for those of some tokens."""
        tokens = (folder.name for folder in self._folders() if folder.name not in mine)
        sizes = [found.size for token in tokens if (found := self.find(token)) is not None]
        return len(sizes), sum(sizes)

    def _folders(self) -> list[Path]:
        with suppress(OSError):
            return [path for path in self.folder.iterdir() if _TOKEN.fullmatch(path.name)]
        return []

    # Encoding --------------------------------------------------------------------------------

    def want(self, token: str, *, dataset: str, encoder: str) -> None:
        """Ask for the features of a file, unless they are there or it failed."""
        if self.state(token, encoder) == "":
            write_json(
                self._path(token, encoder, "wanted"), {"dataset": dataset, "encoder": encoder}
            )

    def watch(self, token: str, encoder: str) -> None:
        """Say that somebody waits for the features of a file at this moment."""
        if self.state(token, encoder) == "waiting":
            with suppress(OSError):
                self._path(token, encoder, "watched").touch()

    def state(self, token: str, encoder: str) -> str:
        """Return "done", "failed", "waiting", or "" where nobody has asked."""
        for suffix, state in (("npz", "done"), ("failed", "failed"), ("wanted", "waiting")):
            if self._path(token, encoder, suffix).is_file():
                return state
        return ""

    def problem(self, token: str, encoder: str) -> str:
        """Return why a file could not be encoded."""
        with suppress(MessError):
            path = self._path(token, encoder, "failed")
            note = read_json(path, command="", shape={"message": str}, sealed=False)
            return str(note["message"])
        return "it could not be encoded"

    def encoded(self, token: str, encoder: str) -> EncodedRecording:
        """Return the features of a file.

        Raises
        ------
        MessError
            If there are none.
        """
        path = self._path(token, encoder, "npz")
        try:
            return EncodedRecording.deserialise(path.read_bytes())
        except OSError:
            raise MessError("this file is not encoded (any more): choose it again") from None
        except ValueError:
            path.unlink(missing_ok=True)  # so that it is encoded again
            raise MessError("what was encoded of this file is damaged: choose it again") from None

    def waiting(self) -> Iterator[tuple[Upload, str, str]]:
        """Yield file, dataset and encoder of all that was asked for.

        What somebody waits for comes before what nobody does, then the oldest first.
        """
        asked = [path for folder in self._folders() for path in folder.glob("*.wanted")]
        lately = time.time() - WATCHED_SECONDS

        def turn(path: Path) -> tuple[bool, float]:
            return _time(path.with_suffix(".watched")) < lately, _time(path)

        for path in sorted(asked, key=turn):
            upload = self.find(path.parent.name)
            try:
                shape = {"dataset": str, "encoder": str}
                request = read_json(path, command="", shape=shape, sealed=False)
            except ArtifactError:
                path.unlink(missing_ok=True)  # so that the page can ask again
                continue
            if upload is not None:
                yield upload, request["dataset"], request["encoder"]

    def begin(self, token: str, encoder: str) -> bool:
        """Note that a file is being encoded; return whether nobody died of it before."""
        started = self._path(token, encoder, "started")
        if started.is_file():
            return False
        write_json(started, {"pid": os.getpid()})
        return True

    def finish(self, token: str, encoder: str, result: EncodedRecording | str) -> None:
        """Keep what was made of a file: its features, or why there are none."""
        if not (self.folder / token).is_dir():
            return  # forgotten meanwhile
        if isinstance(result, str):
            write_json(self._path(token, encoder, "failed"), {"message": result})
        else:
            write_bytes(self._path(token, encoder, "npz"), result.serialise())
        for suffix in ("wanted", "started", "watched"):
            self._path(token, encoder, suffix).unlink(missing_ok=True)

    def _path(self, token: str, encoder: str, suffix: str) -> Path:
        if not _TOKEN.fullmatch(token):
            raise MessError("there is no such file: choose it again")
        return self.folder / token / f"{encoder_slug(encoder)}.{suffix}"


def safe_name(name: str) -> str:
    """Return a name that a file of a dataset may have: letters, digits, spaces, - and _.

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
