"""The demo library on disk: recordings that MESS performs itself, and how each was made.

::

    audio/demo/demo.csv               the table of all recordings: what the dataset is read from
    audio/demo/<…>.flac, <…>.mid      a recording and its notes
    audio/demo/records/<track>.json   how it was made, and the checksums of its two files
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mess.errors import ArtifactError
from mess.records.demo import DemoRecord
from mess.storage.files import replacing, write_bytes
from mess.storage.records import read_record, write_record

COMMAND = "mess demo"
TABLE = "demo.csv"
_RECORDS = "records"


@dataclass(frozen=True)
class DemoLibraryFiles:
    """The files of the demo library in one folder."""

    folder: Path

    def write_rows(self, rows: Sequence[dict[str, str]]) -> None:
        """Write the table of all recordings."""
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_bytes(self.folder / TABLE, text.getvalue().encode())

    def drop_table(self) -> None:
        """Remove the table, before the files that it describes are written anew."""
        (self.folder / TABLE).unlink(missing_ok=True)

    def write_record(self, track_id: str, record: DemoRecord) -> None:
        """Write how a recording was made."""
        write_record(self.folder / _RECORDS / f"{track_id}.json", record)

    def read_record(self, track_id: str) -> DemoRecord | None:
        """Read how a recording was made; None if that is not known."""
        path = self.folder / _RECORDS / f"{track_id}.json"
        try:
            return read_record(path, DemoRecord, command=COMMAND, sealed=False)
        except ArtifactError:
            return None


def write_flac(path: Path, samples: NDArray[np.float32], *, sample_rate: int) -> None:
    """Write mono samples as a 16-bit FLAC."""
    import soundfile

    with replacing(path) as handle:
        soundfile.write(handle, samples, sample_rate, format="FLAC", subtype="PCM_16")


def write_midi(path: Path, content: bytes) -> None:
    """Write a MIDI file."""
    write_bytes(path, content)
