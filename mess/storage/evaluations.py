"""Evaluations on disk: how well the search of an index does what it says.

``processed/evaluation/<dataset>/<encoder>.json`` is the record.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mess.encoders import encoder_slug
from mess.storage.files import modified, read_json, write_json
from mess.storage.paths import command_for, processed
from mess.storage.shapes import Shape

_RECORD: Shape = {"index": str, "faithfulness": dict, "defaults": {str: {"method": str}}}


@dataclass(frozen=True)
class EvaluationFiles:
    """The evaluations of all datasets and encoders, below one root folder."""

    root: Path

    def path(self, dataset: str, encoder: str) -> Path:
        """Return the path of the record."""
        return processed(self.root, "evaluation", dataset, f"{encoder_slug(encoder)}.json")

    def write(self, dataset: str, encoder: str, record: dict[str, Any]) -> None:
        """Write an evaluation."""
        write_json(self.path(dataset, encoder), record)

    def read(self, dataset: str, encoder: str) -> dict[str, Any]:
        """Read an evaluation."""
        command = command_for("evaluate", dataset, encoder)
        return read_json(self.path(dataset, encoder), command=command, shape=_RECORD)

    def modified(self, dataset: str, encoder: str) -> float:
        """Return when an evaluation was written, 0 if there is none."""
        return modified(self.path(dataset, encoder))
