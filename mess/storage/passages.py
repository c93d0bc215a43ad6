"""Indices of segments on disk: what the search for similar passages asks.

They lie in the folder of the index of tracks: the record ``passages.json``, and beside it the files
``passages.…<crc32>…`` that it names by their checksums. `mess.search.passages.segment_index` says
what these hold. Vectors that are too large for the memory are in one file of lists
(`mess.storage.inverted_lists`).
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import ArtifactError
from mess.records.index import PassagesRecord
from mess.storage.files import matching, missing_files, modified, read_bytes, remove
from mess.storage.generations import drop_others, sealed, write_sealed
from mess.storage.indices import IndexFiles
from mess.storage.inverted_lists import ListsWriter, Spool, open_lists
from mess.storage.paths import command_for
from mess.storage.records import read_record, write_record
from mess.storage.writers import writing

_LISTS, _UNFINISHED = "passages.ivfdata", ".passages-unfinished-"


@dataclass(frozen=True)
class ListsFile:
    """The file of the vectors of one index that stay on disk; its name has its checksum."""

    folder: Path
    command: str

    def path(self, checksum: int) -> Path:
        """Return the file."""
        return self.folder / sealed(_LISTS, checksum)

    def write(self, *, sizes: NDArray[np.int64], width: int) -> ListsWriter:
        """Return what writes the lists; see `ListsWriter`."""
        unfinished = self.folder / f"{_UNFINISHED}{os.getpid()}"
        return ListsWriter(unfinished, sizes=sizes, width=width, name=self.path)

    def open(self, checksum: int, *, of_rows: NDArray[np.integer[Any]], width: int) -> Any:
        """Map the lists; see `open_lists`."""
        path = self.path(checksum)
        return open_lists(path, of_rows=of_rows, width=width, command=self.command)


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

    def lists(self, dataset: str, encoder: str) -> ListsFile:
        """Return the file of the vectors that stay on disk."""
        command = command_for("index", dataset, encoder)
        return ListsFile(self._folder(dataset, encoder), command)

    def spool(self, dataset: str, encoder: str, width: int) -> Spool:
        """Return where coordinates wait on disk until all are known."""
        return Spool(self._folder(dataset, encoder), width)

    def missing(
        self, dataset: str, encoder: str, record: PassagesRecord, *, whole: bool
    ) -> list[str]:
        """Return the files of the index that are missing or, with ``whole``, damaged."""
        return missing_files(self._folder(dataset, encoder), _files(record), whole=whole)

    def drop(self, dataset: str, encoder: str) -> None:
        """Remove an index of segments."""
        folder = self._folder(dataset, encoder)
        for path in matching(folder, "passages*"):
            remove(path)
        for path in folder.glob(f"{_UNFINISHED}*"):
            path.unlink(missing_ok=True)

    def modified(self, dataset: str, encoder: str) -> float:
        """Return when an index of segments was written, 0 if there is none."""
        return modified(self._folder(dataset, encoder) / "passages.json")


def _files(record: PassagesRecord) -> dict[str, int]:
    """Return the checksum of every file that the record names."""
    checksums = dict(record.crc32)
    if record.search.lists is not None:
        checksums[_LISTS] = record.search.lists.crc32
    return {sealed(name, checksum): checksum for name, checksum in checksums.items()}
