"""The tests of the targets on disk: how far each target of a dataset can be trusted.

``processed/targets/<dataset>.reliability.json`` is the record.
"""

from dataclasses import dataclass
from pathlib import Path

from mess.records.reliability import ReliabilityRecord
from mess.storage.paths import command_for, processed
from mess.storage.records import read_record, write_record


@dataclass(frozen=True)
class ReliabilityFiles:
    """The tests of the targets of all datasets, below one root folder."""

    root: Path

    def path(self, dataset: str) -> Path:
        """Return the path of the record."""
        return processed(self.root, "targets", f"{dataset}.reliability.json")

    def write(self, dataset: str, record: ReliabilityRecord) -> None:
        """Write how far the targets of a dataset can be trusted."""
        write_record(self.path(dataset), record)

    def read(self, dataset: str) -> ReliabilityRecord:
        """Read how far the targets of a dataset can be trusted."""
        command = command_for("check-targets", dataset)
        return read_record(self.path(dataset), ReliabilityRecord, command=command)
