"""Comparisons on disk: the encoders of a dataset side by side.

``processed/comparison/<dataset>.json`` is the record.
"""

from dataclasses import dataclass
from pathlib import Path

from mess.records.comparison import ComparisonRecord
from mess.storage.files import modified, write_json
from mess.storage.paths import command_for, processed
from mess.storage.records import read_record


@dataclass(frozen=True)
class ComparisonFiles:
    """The comparisons of all datasets, below one root folder."""

    root: Path

    def path(self, dataset: str) -> Path:
        """Return the path of the record."""
        return processed(self.root, "comparison", f"{dataset}.json")

    def write(self, dataset: str, record: ComparisonRecord) -> None:
        """Write a comparison.

        The speed of the encoders is left out: it is another number every time.
        """
        content = record.to_json()
        for row in content["encoders"]:
            row.pop("seconds_per_minute", None)
        write_json(self.path(dataset), content)

    def read(self, dataset: str) -> ComparisonRecord:
        """Read a comparison."""
        command = command_for("compare", dataset)
        return read_record(self.path(dataset), ComparisonRecord, command=command)

    def modified(self, dataset: str) -> float:
        """Return when a comparison was written, 0 if there is none."""
        return modified(self.path(dataset))
