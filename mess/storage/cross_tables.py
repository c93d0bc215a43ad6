"""Cross tables on disk: how well probes that were fitted on one dataset predict another.

``processed/cross/<encoder>.json`` is the record.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mess.encoders import encoder_slug
from mess.storage.features import FeatureFiles
from mess.storage.files import read_json, write_json
from mess.storage.paths import processed
from mess.storage.shapes import MAYBE, Shape

_RECORD: Shape = {
    "datasets": [str],
    "rows": [{"train": str, "test": str, "target": str, "layer": int, "r2": MAYBE}],
}


@dataclass(frozen=True)
class CrossTableFiles:
    """The cross tables of all encoders, below one root folder."""

    root: Path

    def path(self, encoder: str) -> Path:
        """Return the path of the record."""
        return processed(self.root, "cross", f"{encoder_slug(encoder)}.json")

    def write(self, encoder: str, record: dict[str, Any]) -> None:
        """Write a cross table."""
        write_json(self.path(encoder), record)

    def read(self, encoder: str) -> dict[str, Any]:
        """Read a cross table."""
        datasets = FeatureFiles(self.root).datasets(encoder)
        named = ",".join(datasets if len(datasets) > 1 else [*datasets, "ANOTHER"])
        command = f"mess cross --encoder {encoder} --datasets {named}"
        return read_json(self.path(encoder), command=command, shape=_RECORD)
