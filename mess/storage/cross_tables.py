"""Cross tables on disk: how well probes that were fitted on one dataset predict another.

``processed/cross/<encoder>.json`` is the record.
"""

from dataclasses import dataclass
from pathlib import Path

from mess.encoders import encoder_slug
from mess.records.cross import CrossRecord
from mess.storage.features import FeatureFiles
from mess.storage.paths import processed
from mess.storage.records import read_record, write_record


@dataclass(frozen=True)
class CrossTableFiles:
    """The cross tables of all encoders, below one root folder."""

    root: Path

    def path(self, encoder: str) -> Path:
        """Return the path of the record."""
        return processed(self.root, "cross", f"{encoder_slug(encoder)}.json")

    def write(self, encoder: str, record: CrossRecord) -> None:
        """Write a cross table."""
        write_record(self.path(encoder), record)

    def read(self, encoder: str) -> CrossRecord:
        """Read a cross table."""
        datasets = FeatureFiles(self.root).datasets(encoder)
        named = ",".join(datasets if len(datasets) > 1 else [*datasets, "ANOTHER"])
        command = f"mess cross --encoder {encoder} --datasets {named}"
        return read_record(self.path(encoder), CrossRecord, command=command)
