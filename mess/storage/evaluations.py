"""Evaluations on disk: how well the search of an index does what it says.

``processed/evaluation/<dataset>/<encoder>.json`` is the record.
"""

from dataclasses import dataclass
from pathlib import Path

from mess.encoders import encoder_slug
from mess.records.evaluation import EvaluationRecord
from mess.storage.files import modified
from mess.storage.paths import command_for, processed
from mess.storage.records import read_record, write_record


@dataclass(frozen=True)
class EvaluationFiles:
    """The evaluations of all datasets and encoders, below one root folder."""

    root: Path

    def path(self, dataset: str, encoder: str) -> Path:
        """Return the path of the record."""
        return processed(self.root, "evaluation", dataset, f"{encoder_slug(encoder)}.json")

    def write(self, dataset: str, encoder: str, record: EvaluationRecord) -> None:
        """Write an evaluation."""
        write_record(self.path(dataset, encoder), record)

    def read(self, dataset: str, encoder: str) -> EvaluationRecord:
        """Read an evaluation."""
        command = command_for("evaluate", dataset, encoder)
        return read_record(self.path(dataset, encoder), EvaluationRecord, command=command)

    def modified(self, dataset: str, encoder: str) -> float:
        """Return when an evaluation was written, 0 if there is none."""
        return modified(self.path(dataset, encoder))
