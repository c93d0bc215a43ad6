"""Indices of segments on disk: what the search for similar passages asks.

They lie in the folder of the index of tracks: the record ``passages.json``, and beside it the files
``passages.…<crc32>…`` that it names by their checksums. `mess.search.passages.segment_index` says
what these hold.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mess.errors import ArtifactError
from mess.records.index import PassagesRecord
from mess.storage.files import missing_files, modified, read_bytes
from mess.storage.generations import drop_others, sealed, write_sealed
from mess.storage.indices import IndexFiles
from mess.storage.locks import writing
from mess.storage.paths import command_for
from mess.storage.records import read_record, write_record


@dataclass(frozen=True)
class PassageFiles:
    """The indices of segments of all datasets and encoders, below one root folder."""

    root: Path

    def _folder(self, dataset: str, encoder: str) -> Path:
        return IndexFiles(self.root).folder(dataset, encoder)

    def write(
        self, dataset: str, encoder: str, *, parts: Mapping[str, bytes], record: PassagesRecord
    ) -> None:
        """Write the files of an index of segments by their names, then the record."""
        path = self._folder(dataset, encoder) / "passages.json"
        with writing(path):
            record = replace(record, crc32=write_sealed(path.parent, parts))
            write_record(path, record)
            drop_others(path.parent, ("passages.*",), kept=[path.name, *_files(record)])

    def tidy(self, dataset: str, encoder: str) -> None:
        """Remove what a killed process left of older passages."""
        path = self._folder(dataset, encoder) / "passages.json"
        with writing(path), suppress(ArtifactError):
            record = self.read_record(dataset, encoder)
            drop_others(path.parent, ("passages.*",), kept=[path.name, *_files(record)])

    def read_record(self, dataset: str, encoder: str) -> PassagesRecord:
        """Read the record of an index of segments."""
        path = self._folder(dataset, encoder) / "passages.json"
        return read_record(path, PassagesRecord, command=command_for("index", dataset, encoder))

    def read_part(self, dataset: str, encoder: str, record: PassagesRecord, name: str) -> bytes:
        """Read one file of an index of segments; ``record.crc32`` names them all."""
        return read_bytes(
            self._folder(dataset, encoder) / sealed(name, record.crc32[name]),
            command=command_for("index", dataset, encoder),
            checksum=record.crc32[name],
        )

    def missing(
        self, dataset: str, encoder: str, record: PassagesRecord, *, whole: bool
    ) -> list[str]:
        """Return the files of the index that are missing or, with ``whole``, damaged."""
        return missing_files(self._folder(dataset, encoder), _files(record), whole=whole)

    def drop(self, dataset: str, encoder: str) -> None:
        """Remove an index of segments."""
        for path in self._folder(dataset, encoder).glob("passages*"):
            path.unlink(missing_ok=True)

    def modified(self, dataset: str, encoder: str) -> float:
        """Return when an index of segments was written, 0 if there is none."""
        return modified(self._folder(dataset, encoder) / "passages.json")


def _files(record: PassagesRecord) -> dict[str, int]:
    """Return the checksum of every file that the record names."""
    return {sealed(name, checksum): checksum for name, checksum in record.crc32.items()}
