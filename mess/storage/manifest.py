"""Manifests: how the artifacts of a folder were made, track by track.

A run that is started again reads here which tracks are done. `mess.status` reads here what has
changed since.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Generic, TypeVar

from mess.errors import ArtifactError, ArtifactMissing, ArtifactStale
from mess.records.base import DoesNotFit, Json, Parts, Record
from mess.records.features import FeaturesEntry, FeaturesHeader
from mess.records.manifest import DoneEntry, FailedEntry, ManifestHeader
from mess.records.targets import TargetsEntry, TargetsHeader
from mess.storage.files import append_line, read_json, read_lines, read_sealed, write_json
from mess.storage.garbage import without_collection
from mess.storage.writers import WriterLock, writer_lock

_HEADER = b' "header": '  # with it a manifest begins, after its checksum
Header = TypeVar("Header", bound=ManifestHeader)
Entry = TypeVar("Entry", bound=DoneEntry)


def digest(value: object) -> str:
    """Return a short hash of a JSON-able value; equal values give equal hashes."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class _Content(Record):
    """A manifest as it lies on disk, its header and its entries not yet read."""

    header: Json
    tracks: dict[str, Json]
    away: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _JournalLine(Record):
    """A line of the journal with the entry of a track, the entry not yet read."""

    track: str
    entry: Json


class Manifest(Generic[Header, Entry]):
    """How the artifacts of one folder were made, track by track.

    While a command runs, each finished track is one synced line in a journal beside the manifest.
    So a killed process loses only the track in work. `close` writes the journal into the manifest.
    One process writes at a time; another one waits until then.

    Attributes
    ----------
    path : Path
    header : ManifestHeader
        What all tracks share.
    tracks : dict of str to (DoneEntry or FailedEntry)
        The entry of each track, by its id.
    away : dict of str to DoneEntry
        The entries of tracks whose recordings are gone. Their files are kept, in case the
        recordings come back, under the same name or another.
    """

    def __init__(
        self, path: Path, header: Header, tracks: Mapping[str, Entry | FailedEntry] | None = None
    ) -> None:
        self.path = path
        self.header = header
        self.tracks = dict(tracks or {})
        self.away: dict[str, Entry] = {}
        self._journal: IO[bytes] | None = None
        self._lock: WriterLock | None = None

    @classmethod
    def read(
        cls, path: Path, header: type[Header], entry: type[Entry], *, command: str
    ) -> "Manifest[Header, Entry]":
        """Read a manifest and what its journal adds.

        Parameters
        ----------
        path : Path
        header, entry : type
            The records of this kind of manifest.
        command : str
            What makes the artifacts anew.

        Raises
        ------
        ArtifactError
            If there is neither a manifest nor a journal, or the manifest is damaged.
        ArtifactStale
            If the header or an entry was written by another version of the code.
        """
        with without_collection():
            try:
                content = _read_content(path, command=command)
                known = header.from_json(content.header)
                tracks = dict(_read_entries(content.tracks, entry))
                away = dict(_read_entries(content.away, entry))
            except ArtifactMissing:
                known, tracks, away = None, {}, {}  # the journal may be there
            except DoesNotFit as error:
                reason = f"was made by another version of the code ({error})"
                raise ArtifactStale(str(path), reason, command) from None
            known, tracks = _replay(_read_journal(path, header, entry), known, tracks)
        if known is None:
            raise ArtifactMissing(str(path), command)
        found = cls(path, known, tracks)
        found._remember(away)
        return found

    @classmethod
    def read_header(
        cls, path: Path, header: type[Header], entry: type[Entry], *, command: str
    ) -> Header:
        """Read what all tracks share. No entry is read: 50,000 of them take a second.

        Raises
        ------
        ArtifactError
            As `read` does, but for what is wrong with an entry alone.
        """
        if not _journal_path(path).exists():
            content, seal = read_sealed(path, command=command)
            if seal and content.startswith(_HEADER, seal.end()):
                try:
                    text = content.decode("ascii")  # as it is written, so places stay
                    found, _ = json.JSONDecoder().raw_decode(text, seal.end() + len(_HEADER))
                    return header.from_json(found)
                except (ValueError, RecursionError, DoesNotFit):
                    pass  # the reader of all says what is wrong
        return cls.read(path, header, entry, command=command).header

    @classmethod
    def resume(
        cls, path: Path, header: Header, entry: type[Entry], *, force: bool = False
    ) -> "Manifest[Header, Entry]":
        """Open for writing: keep the entries that the same header made, drop all others.

        An entry of another version of the code is dropped, so its track is done again.

        Raises
        ------
        DoesNotFit
            If a value of the header is of another type than its field.
        """
        kind = type(header)
        header = kind.from_json(header.to_json())
        lock = writer_lock(path)
        known: Header | None = None
        tracks: dict[str, Entry | FailedEntry] = {}
        away: dict[str, Entry | FailedEntry] = {}
        with suppress(ArtifactError, DoesNotFit):  # the journal may still be whole
            content = _read_content(path, command="")
            known = kind.from_json(content.header)
            tracks = dict(_read_entries(content.tracks, entry, skip=True))
            away = dict(_read_entries(content.away, entry, skip=True))
        known_before = known
        known, tracks = _replay(_read_journal(path, kind, entry), known, tracks)
        manifest = cls(path, header, tracks if known == header and not force else {})
        manifest._lock = lock
        if known_before == known == header and not force:
            manifest._remember(away)
        manifest._fold()
        return manifest

    def record(self, track_id: str, entry: Entry | FailedEntry) -> None:
        """Add a finished (or failed) track, durably."""
        if self._journal is None:
            self._journal = _journal_path(self.path).open("ab")
            self._append({"header": self.header.to_json()})
        self.tracks[track_id] = entry
        self.away.pop(track_id, None)
        self._append({"track": track_id, "entry": entry.to_json()})

    def _remember(self, away: Mapping[str, Entry | FailedEntry]) -> None:
        self.away = {
            track: entry
            for track, entry in away.items()
            if track not in self.tracks and not isinstance(entry, FailedEntry)
        }

    def put_away(self, track_id: str) -> None:
        """Take out a track whose recording is gone; what was made of it is kept."""
        entry = self.tracks.pop(track_id)
        if not isinstance(entry, FailedEntry):
            self.away[track_id] = entry

    def _append(self, line: Json) -> None:
        assert self._journal is not None  # noqa: S101 (opened by the only caller)
        append_line(self._journal, line)
        self._journal.flush()
        os.fsync(self._journal.fileno())

    def _fold(self) -> None:
        # In the order of their ids: the same tracks are the same bytes, whichever came first.
        tracks = {track_id: entry.to_json() for track_id, entry in sorted(self.tracks.items())}
        away = {track_id: entry.to_json() for track_id, entry in sorted(self.away.items())}
        content = {"header": self.header.to_json(), "tracks": tracks}
        write_json(self.path, content | ({"away": away} if away else {}))
        _journal_path(self.path).unlink(missing_ok=True)

    def close(self) -> None:
        """Write the journal into the manifest."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        self._fold()
        if self._lock is not None:
            self._lock.free()
            self._lock = None

    def done(self) -> dict[str, Entry]:
        """Return the entries of the tracks that succeeded, by id in sorted order."""
        return {
            track_id: entry
            for track_id, entry in sorted(self.tracks.items())
            if not isinstance(entry, FailedEntry)
        }

    def failed(self) -> dict[str, str]:
        """Return the reason of each track that failed, by id."""
        return {
            track_id: entry.error
            for track_id, entry in self.tracks.items()
            if isinstance(entry, FailedEntry)
        }

    def digest(self) -> str:
        """Return a hash of all that conclusions depend on: settings, audio, labels, values.

        A new title or another time of a file does not change it.
        """
        return digest(asdict(self.parts()))

    def parts(self) -> Parts:
        """Return the digests of the parts of the manifest; `digest` is made of them."""
        settings = self.header.to_json()
        del settings["code_version"]
        with without_collection():
            done = self.done()
            return Parts(
                audio=digest({track: entry.sha256 for track, entry in done.items()}),
                settings=digest(settings),
                code=self.header.code_version,
                labels=digest({track: _labels(entry) for track, entry in done.items()}),
                values=_values_digest(done),
            )

    def values_digest(self) -> str:
        """Return a hash of the checksums of all files of the finished tracks."""
        return _values_digest(self.done())


FeaturesManifest = Manifest[FeaturesHeader, FeaturesEntry]
TargetsManifest = Manifest[TargetsHeader, TargetsEntry]
AnyManifest = FeaturesManifest | TargetsManifest


def _labels(entry: DoneEntry) -> list[object]:
    return [entry.work, entry.composer, entry.extra]


def _values_digest(done: Mapping[str, DoneEntry]) -> str:
    return digest({track: dict(entry.checksums()) for track, entry in done.items()})


def _journal_path(path: Path) -> Path:
    return path.with_suffix(".journal.jsonl")


def _read_content(path: Path, *, command: str) -> _Content:
    content = read_json(path, command=command, sealed=False)
    if content.keys() - {"away"} != {"header", "tracks"}:  # a checksum by another name
        raise ArtifactError(str(path), "is damaged", command)
    try:
        return _Content.from_json(content)
    except DoesNotFit:
        raise ArtifactError(str(path), "is damaged", command) from None


def _read_entry(content: Json, kind: type[Entry]) -> Entry | FailedEntry:
    if content.get("status") == "failed":
        return FailedEntry.from_json(content)
    return kind.from_json(content)


def _read_entries(
    tracks: Mapping[str, Json], kind: type[Entry], *, skip: bool = False
) -> Iterator[tuple[str, Entry | FailedEntry]]:
    """Yield each track with its entry; ``skip`` leaves out what another version wrote."""
    for track, content in tracks.items():
        try:
            yield track, _read_entry(content, kind)
        except DoesNotFit as error:
            if not skip:
                raise DoesNotFit(f"{track}: {error}") from None


def _read_journal(
    path: Path, header: type[Header], entry: type[Entry]
) -> Iterator[Header | tuple[str, Entry | FailedEntry]]:
    """Yield the headers and the entries of a journal, up to the first line that is damaged.

    When a process is killed, the last line may be written in part.
    """
    try:
        content = _journal_path(path).read_bytes()
    except OSError:
        return
    for line in read_lines(content):
        try:
            if line is None:
                return
            if "header" in line:
                yield header.from_json(line["header"])
            else:
                one = _JournalLine.from_json(line)
                yield one.track, _read_entry(one.entry, entry)
        except DoesNotFit:
            return


def _replay(
    journal: Iterable[Header | tuple[str, Entry | FailedEntry]],
    header: Header | None,
    tracks: dict[str, Entry | FailedEntry],
) -> tuple[Header | None, dict[str, Entry | FailedEntry]]:
    """Return the header and the entries after the lines of a journal."""
    for line in journal:
        if isinstance(line, tuple):
            tracks[line[0]] = line[1]
        elif line != header:
            header, tracks = line, {}
    return header, tracks
