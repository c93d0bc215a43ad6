"""Comparisons on disk: the encoders of a dataset side by side.

``processed/comparison/<dataset>.json`` is the record.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mess.storage.files import modified, read_json, write_json
from mess.storage.paths import command_for, processed
from mess.storage.shapes import Shape

_RECORD: Shape = {
    "dataset": str,
    "encoders": [{"name": str}],
    "targets": [str],
    "pairs": [{"a": str, "b": str}],
    "missing": [{"name": str}],
}


@dataclass(frozen=True)
class ComparisonFiles:
    """The comparisons of all datasets, below one root folder."""

    root: Path

    def path(self, dataset: str) -> Path:
        """Return the path of the record."""
        return processed(self.root, "comparison", f"{dataset}.json")

    def write(self, dataset: str, record: dict[str, Any]) -> None:
        """Write a comparison.

        The speed of the encoders is left out: it is another number every time.
        """
        rows = [
            {key: value for key, value in row.items() if key != "seconds_per_minute"}
            for row in record["encoders"]
        ]
        write_json(self.path(dataset), record | {"encoders": rows})

    def read(self, dataset: str) -> dict[str, Any]:
        """Read a comparison."""
        command = command_for("compare", dataset)
        return read_json(self.path(dataset), command=command, shape=_RECORD)

    def modified(self, dataset: str) -> float:
        """Return when a comparison was written, 0 if there is none."""
        return modified(self.path(dataset))
