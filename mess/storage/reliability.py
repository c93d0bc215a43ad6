"""The tests of the targets on disk: how far each target of a dataset can be trusted.

``processed/targets/<dataset>.reliability.json`` is the record.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mess.storage.files import read_json, write_json
from mess.storage.paths import command_for, processed
from mess.storage.shapes import Shape

_RECORD: Shape = {"tracks": int, "targets": {str: {"trusted": bool}}}


@dataclass(frozen=True)
class ReliabilityFiles:
    """The tests of the targets of all datasets, below one root folder."""

    root: Path

    def path(self, dataset: str) -> Path:
        """Return the path of the record."""
        return processed(self.root, "targets", f"{dataset}.reliability.json")

    def write(self, dataset: str, record: dict[str, Any]) -> None:
        """Write how far the targets of a dataset can be trusted."""
        write_json(self.path(dataset), record)

    def read(self, dataset: str) -> dict[str, Any]:
        """Read how far the targets of a dataset can be trusted."""
        command = command_for("check-targets", dataset)
        return read_json(self.path(dataset), command=command, shape=_RECORD)
