"""Discoveries on disk: how well each layer predicts each target, and the predictions.

::

    processed/discovery/<dataset>/<encoder>.json                  the record
    processed/discovery/<dataset>/<encoder>.predictions.parquet   out-of-fold predictions

A discovery on segments has ``.segments`` before ``.json``.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from mess.encoders import encoder_slug
from mess.errors import ArtifactStale
from mess.records.discovery import DiscoveryRecord
from mess.storage.files import (
    has_bytes,
    modified,
    read_table,
    write_table,
)
from mess.storage.paths import Level, command_for, processed
from mess.storage.records import read_record, write_record

if TYPE_CHECKING:  # imported where it is used: many readers need no tables
    import pandas as pd


@dataclass(frozen=True)
class DiscoveryFiles:
    """The discoveries of all datasets and encoders, below one root folder."""

    root: Path

    def path(self, dataset: str, encoder: str, level: Level) -> Path:
        """Return the path of the record."""
        suffix = "" if level == "track" else ".segments"
        return processed(self.root, "discovery", dataset, f"{encoder_slug(encoder)}{suffix}.json")

    def paths(self, dataset: str, encoder: str) -> list[Path]:
        """Return all files of the discoveries on tracks and on segments."""
        records = [self.path(dataset, encoder, level) for level in get_args(Level)]
        return records + [_predictions_path(path) for path in records]

    def write(
        self,
        dataset: str,
        encoder: str,
        *,
        record: DiscoveryRecord,
        predictions: "pd.DataFrame",
    ) -> Path:
        """Write the out-of-fold predictions, then the record that names them."""
        path = self.path(dataset, encoder, record.settings.level)
        checksum = write_table(_predictions_path(path), predictions)
        write_record(path, replace(record, predictions_crc32=checksum))
        return path

    def read(self, dataset: str, encoder: str, *, level: Level = "track") -> DiscoveryRecord:
        """Read the record of a discovery.

        Raises
        ------
        ArtifactError
            If it is missing or damaged.
        """
        path = self.path(dataset, encoder, level)
        command = command_for("probe", dataset, encoder, level=level)
        record = read_record(path, DiscoveryRecord, command=command)
        if record.predictions_crc32 is None:
            raise ArtifactStale(str(path), "names no table of predictions", command)
        return record

    def read_predictions(
        self, dataset: str, encoder: str, *, level: Level = "track"
    ) -> "pd.DataFrame":
        """Read out-of-fold predictions: track, segment, target, layer, fold, true, predicted.

        Rows of layer −1 hold the predictions of the layer that each training fold chose.
        """
        record = self.read(dataset, encoder, level=level)
        return read_table(
            _predictions_path(self.path(dataset, encoder, level)),
            command=command_for("probe", dataset, encoder, level=level),
            checksum=record.predictions_crc32,
        )

    def missing(
        self, dataset: str, encoder: str, record: DiscoveryRecord, *, whole: bool
    ) -> list[str]:
        """Return the table of predictions if it is missing or, with ``whole``, damaged."""
        path = _predictions_path(self.path(dataset, encoder, record.settings.level))
        there = has_bytes(path, record.predictions_crc32) if whole else path.is_file()
        return [] if there else [path.name]

    def modified(self, dataset: str, encoder: str, level: Level) -> float:
        """Return when a discovery was written, 0 if there is none."""
        return modified(self.path(dataset, encoder, level))


def _predictions_path(path: Path) -> Path:
    return path.with_suffix(".predictions.parquet")
