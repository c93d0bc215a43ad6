"""Experiments with doses on disk: what was measured and predicted of changed recordings.

::

    processed/doses/<dataset>/<encoder>.json               the record
    processed/doses/<dataset>/<encoder>.responses.parquet  all edits, targets, readings and layers
    processed/doses/<dataset>/<encoder>/<track>.parquet    every changed version of a recording

No sound is kept. The table of a recording is written when the recording is done, and carries the
key of what it depends on. So a run that was stopped goes on, and one with more edits adds them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mess.encoders import encoder_slug
from mess.errors import ArtifactError, ArtifactStale
from mess.records.dose import DoseRecord
from mess.storage.files import modified
from mess.storage.paths import command_for, file_stem, processed
from mess.storage.records import read_record, write_record
from mess.storage.tables import read_table, read_table_about, write_table

if TYPE_CHECKING:
    import pandas as pd

POINTS = ("edit", "rendered", "dose", "target", "reading", "layer", "measured", "predicted")


@dataclass(frozen=True)
class DoseFiles:
    """The experiments with doses of all datasets and encoders, below one root folder."""

    root: Path

    def path(self, dataset: str, encoder: str) -> Path:
        """Return the path of the record."""
        return processed(self.root, "doses", dataset, f"{encoder_slug(encoder)}.json")

    def write(
        self, dataset: str, encoder: str, record: DoseRecord, responses: "pd.DataFrame"
    ) -> DoseRecord:
        """Write the table of all responses, then the record; return it with its checksum."""
        path = self.path(dataset, encoder)
        checksum = write_table(_responses_path(path), responses)
        whole = replace(record, responses_crc32=checksum)
        write_record(path, whole)
        return whole

    def read(self, dataset: str, encoder: str) -> DoseRecord:
        """Read the record."""
        command = command_for("dose", dataset, encoder)
        return read_record(self.path(dataset, encoder), DoseRecord, command=command)

    def read_responses(self, dataset: str, encoder: str, record: DoseRecord) -> "pd.DataFrame":
        """Read the responses of all readings and layers."""
        command = command_for("dose", dataset, encoder)
        path = _responses_path(self.path(dataset, encoder))
        if record.responses_crc32 is None:
            raise ArtifactStale(str(path), "is not named by its record", command)
        return read_table(path, command=command, checksum=record.responses_crc32)

    def write_points(
        self, dataset: str, encoder: str, track: str, table: "pd.DataFrame", *, key: str
    ) -> None:
        """Write what was measured and predicted of the versions of a recording."""
        write_table(self._points_path(dataset, encoder, track), table, about={"key": key})

    def kept_points(
        self, dataset: str, encoder: str, track: str, *, key: str
    ) -> "pd.DataFrame | None":
        """Return what an earlier run wrote of a recording; None where it depends on other things.

        A damaged table counts as none: it is made anew.
        """
        path = self._points_path(dataset, encoder, track)
        try:
            table, about = read_table_about(path, command="")
        except ArtifactError:
            return None
        return table if about.get("key") == key and set(POINTS) <= set(table) else None

    def read_points(
        self, dataset: str, encoder: str, record: DoseRecord, tracks: Sequence[str]
    ) -> "pd.DataFrame":
        """Read what was measured and predicted of some recordings, with a column "track".

        Raises
        ------
        ArtifactError
            If a table is missing or damaged, or a later run has replaced it.
        """
        import pandas as pd

        command = command_for("dose", dataset, encoder)
        tables = []
        for track in tracks:
            path = self._points_path(dataset, encoder, track)
            table, about = read_table_about(path, command=command)
            if about.get("key") != record.key:
                raise ArtifactStale(str(path), "is of another run", command)
            tables.append(table.assign(track=track))
        return pd.concat(tables, ignore_index=True)

    def modified(self, dataset: str, encoder: str) -> float:
        """Return when the record was written, 0 if there is none."""
        return modified(self.path(dataset, encoder))

    def _points_path(self, dataset: str, encoder: str, track: str) -> Path:
        folder = processed(self.root, "doses", dataset, encoder_slug(encoder))
        return folder / f"{file_stem(track)}.parquet"


def _responses_path(path: Path) -> Path:
    return path.with_suffix(".responses.parquet")
