"""How the artifacts of a folder were made, track by track: the base of resuming and staleness."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from mess.errors import ArtifactError
from mess.files import read_json, write_json

Entry = dict[str, Any]


def fingerprint(value: object) -> str:
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
    def read(cls, path: Path, *, command: str) -> "Manifest":
        """Read a manifest and what its journal adds.

        Raises
        ------
        ArtifactError
            If there is neither, or the manifest is damaged.
        """
        journal: list[dict[str, Any]] = []
        if cls._journal_path(path).exists():
            for line in cls._journal_path(path).read_bytes().splitlines():
                try:
                    journal.append(json.loads(line))
                except ValueError:
                    break  # the line that was being written when the process was killed
        if path.exists() or not journal:
            content = read_json(path, command=command)
        else:
            content = {"header": {}, "tracks": {}}
        if not isinstance(content.get("header"), dict) or not isinstance(
            content.get("tracks"), dict
        ):
            raise ArtifactError(str(path), "is damaged", command)
        header, tracks = content["header"], dict(content["tracks"])
        for record in journal:
            if "header" in record:
                if record["header"] != header:
                    header, tracks = record["header"], {}
            else:
                tracks[record["track"]] = record["entry"]
        return cls(path, header, tracks)

    @classmethod
    def resume(cls, path: Path, header: Mapping[str, Any], *, force: bool = False) -> "Manifest":
        """Open for writing: keep the entries that the same header made, drop all others."""
        try:
            old = cls.read(path, command="")
        except ArtifactError:
            old = cls(path, {}, {})
        kept = {} if force or old.header != dict(header) else old.tracks
        manifest = cls(path, header, kept)
        manifest._fold()
        return manifest

    def record(self, track_id: str, entry: Entry) -> None:
        """Add a finished (or failed) track, durably."""
        if self._journal is None:
            self._journal = self._journal_path(self.path).open("ab")
            self._append({"header": self.header})
        self.tracks[track_id] = entry
        self._append({"track": track_id, "entry": entry})

    def _append(self, record: object) -> None:
        assert self._journal is not None  # noqa: S101 (opened by the only caller)
        self._journal.write(json.dumps(record, ensure_ascii=True).encode() + b"\n")
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

    def fingerprint(self) -> str:
        """Return a hash of the settings and the audio; equal inputs give equal hashes."""
        audio = {track_id: entry.get("sha256") for track_id, entry in self.done().items()}
        return fingerprint([self.header, audio])

    def parts(self) -> dict[str, Any]:
        """Return what `fingerprint` is made of, apart: who keeps it can say what has changed."""
        settings = {key: value for key, value in self.header.items() if key != "code_version"}
        audio = {track_id: entry.get("sha256") for track_id, entry in self.done().items()}
        return {
            "audio": fingerprint(audio),
            "settings": fingerprint(settings),
            "code": self.header.get("code_version"),
        }
