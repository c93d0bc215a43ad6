"""Manifests: how the artifacts of a folder were made, track by track.

A resumed run reads here which tracks are done. `mess.status` reads here what has changed.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from mess.errors import ArtifactError, ArtifactMissing
from mess.storage.files import append_line, read_json, read_lines, write_json
from mess.storage.shapes import Shape, fits

Entry = dict[str, Any]
# What the entry of every finished track has, whatever was made of the track.
DONE: Shape = {"sha256": str, "size": int, "mtime_ns": int, "path": str, "work": str}
_SHAPE: Shape = {"header": dict, "tracks": {str: dict}}
_LABELS = ("work", "composer", "extra")  # of a track, that conclusions are drawn from


def digest(value: object) -> str:
    """Return a short hash of a JSON-able value; equal values give equal hashes."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Manifest:
    """How the artifacts of one folder were made, track by track.

    ``header`` holds what all tracks share. Entries of finished tracks go to a journal beside the
    manifest, a line each, synced: a process that is killed loses the track in work and no other.
    `close` folds the journal into the manifest.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], tracks: dict[str, Entry]) -> None:
        self.path = path
        self.header = dict(header)
        self.tracks = tracks
        self._journal: IO[bytes] | None = None

    @staticmethod
    def _journal_path(path: Path) -> Path:
        return path.with_suffix(".journal.jsonl")

    @classmethod
    def read(cls, path: Path, *, command: str, needs: Shape = dict) -> "Manifest":
        """Read a manifest and what its journal adds.

        Parameters
        ----------
        path : Path
        command : str
        needs : Shape
            What the entry of every finished track must be.

        Raises
        ------
        ArtifactError
            If there is neither, or the manifest is damaged.
        """
        journal = cls._read_journal(path)
        try:
            content = cls._read_folded(path, command=command)
        except ArtifactMissing:
            if not journal:
                raise
            content = {"header": {}, "tracks": {}}
        manifest = cls._replay(path, content, journal)
        if not all(fits(entry, needs) for entry in manifest.done().values()):
            read_json(path, command=command)  # says so of what older code wrote
            raise ArtifactError(str(path), "is damaged", command)
        return manifest

    @classmethod
    def resume(
        cls, path: Path, header: Mapping[str, Any], *, force: bool = False, needs: Shape = dict
    ) -> "Manifest":
        """Open for writing: keep the entries that the same header made, drop all others.

        An entry that is not as it must be is dropped, so its track is done again.
        """
        try:
            content = cls._read_folded(path, command="")
        except ArtifactError:
            content = {"header": {}, "tracks": {}}  # the journal may still be whole
        old = cls._replay(path, content, cls._read_journal(path))
        manifest = cls(path, header, {})
        if not force and old.header == manifest.header:
            manifest.tracks = {
                track_id: entry
                for track_id, entry in old.tracks.items()
                if entry.get("status") != "done" or fits(entry, needs)
            }
        manifest._fold()
        return manifest

    @staticmethod
    def _read_folded(path: Path, *, command: str) -> dict[str, Any]:
        content = read_json(path, command=command, shape=_SHAPE, sealed=False)
        if content.keys() != _SHAPE.keys():  # a checksum by another name
            raise ArtifactError(str(path), "is damaged", command)
        return content

    @classmethod
    def _read_journal(cls, path: Path) -> list[dict[str, Any]]:
        """Return the journal up to the line that was being written when the process was killed."""
        try:
            content = cls._journal_path(path).read_bytes()
        except OSError:
            return []
        records: list[dict[str, Any]] = []
        for record in read_lines(content):
            if not fits(record, {"header": dict}) and not fits(
                record, {"track": str, "entry": dict}
            ):
                break
            records.append(record or {})
        return records

    @classmethod
    def _replay(
        cls, path: Path, content: Mapping[str, Any], journal: list[dict[str, Any]]
    ) -> "Manifest":
        header, tracks = content["header"], dict(content["tracks"])
        for record in journal:
            if "header" in record:
                if record["header"] != header:
                    header, tracks = record["header"], {}
            else:
                tracks[record["track"]] = record["entry"]
        return cls(path, header, tracks)

    def record(self, track_id: str, entry: Entry) -> None:
        """Add a finished (or failed) track, durably."""
        if self._journal is None:
            self._journal = self._journal_path(self.path).open("ab")
            self._append({"header": self.header})
        self.tracks[track_id] = entry
        self._append({"track": track_id, "entry": entry})

    def _append(self, record: Mapping[str, Any]) -> None:
        assert self._journal is not None  # noqa: S101 (opened by the only caller)
        append_line(self._journal, record)
        self._journal.flush()
        os.fsync(self._journal.fileno())

    def _fold(self) -> None:
        write_json(self.path, {"header": self.header, "tracks": self.tracks})
        self._journal_path(self.path).unlink(missing_ok=True)

    def close(self) -> None:
        """Fold the journal into the manifest."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        self._fold()

    def done(self) -> dict[str, Entry]:
        """Return the entries of the tracks that succeeded, by id in sorted order."""
        return {
            track_id: entry
            for track_id, entry in sorted(self.tracks.items())
            if entry.get("status") == "done"
        }

    def digest(self) -> str:
        """Return a hash of all that is concluded from: settings, audio, labels, written values.

        A new title or another time of a file leaves it.
        """
        return digest(self.parts())

    def parts(self) -> dict[str, Any]:
        """Return what `digest` is made of, apart: who keeps it can say what has changed."""
        done = self.done()
        settings = {key: value for key, value in self.header.items() if key != "code_version"}
        return {
            "audio": digest({track: entry.get("sha256") for track, entry in done.items()}),
            "settings": digest(settings),
            "code": self.header.get("code_version"),
            "labels": digest(
                {track: [entry.get(key) for key in _LABELS] for track, entry in done.items()}
            ),
            "values": self.values_digest(),
        }

    def values_digest(self) -> str:
        """Return a hash of the checksums of what was written of the finished tracks."""
        return digest(
            {
                track: {key: one for key, one in entry.items() if key.endswith("_crc32")}
                for track, entry in self.done().items()
            }
        )
