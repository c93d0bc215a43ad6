"""What is concluded of a dataset: discovery, index, evaluation, reliability, the cross table.

A base of `mess.store.Store`, which holds features and targets.
"""

import zlib
from pathlib import Path
from typing import Any

import pandas as pd

from mess.errors import ArtifactError
from mess.files import read_bytes, read_json, read_table, write_bytes, write_json, write_table
from mess.places import Level, Places, command_for


class Records(Places):
    """Readers and writers of conclusions."""

    # Discovery -------------------------------------------------------------------------------

    def write_discovery(
        self, dataset: str, encoder: str, *, record: dict[str, Any], predictions: pd.DataFrame
    ) -> Path:
        """Write all cells with how they were made, and the out-of-fold predictions beside."""
        path = self._discovery_path(dataset, encoder, record["settings"]["level"])
        write_table(path.with_suffix(".predictions.parquet"), predictions)
        write_json(path, record)
        return path

    def read_discovery(
        self, dataset: str, encoder: str, *, level: Level = "track"
    ) -> dict[str, Any]:
        """Read the record of a discovery.

        Raises
        ------
        ArtifactError
            If it is missing or damaged.
        """
        path = self._discovery_path(dataset, encoder, level)
        command = command_for("probe", dataset, encoder, level=level)
        return _complete(path, {"cells", "settings", "features"}, command=command)

    def read_predictions(
        self, dataset: str, encoder: str, *, level: Level = "track"
    ) -> pd.DataFrame:
        """Read out-of-fold predictions: track, segment, target, layer, fold, true, predicted.

        The layer that each training fold chose for itself stands as layer −1.
        """
        path = self._discovery_path(dataset, encoder, level).with_suffix(".predictions.parquet")
        return read_table(path, command=command_for("probe", dataset, encoder, level=level))

    # Indices ---------------------------------------------------------------------------------

    def write_index(
        self,
        dataset: str,
        encoder: str,
        *,
        layers: list[bytes],
        record: dict[str, Any],
        steering: bytes | None = None,
    ) -> None:
        """Write one FAISS index per layer and one of coordinates (serialised), and the record."""
        folder = self._index_dir(dataset, encoder)
        if steering is not None:
            write_bytes(folder / "steering.faiss", steering)
            record = record | {"steering_crc32": zlib.crc32(steering)}
        checksums = []
        for number, content in enumerate(layers):
            write_bytes(folder / f"layer-{number:02d}.faiss", content)
            checksums.append(zlib.crc32(content))
        write_json(folder / "manifest.json", record | {"crc32": checksums})

    def read_index_record(self, dataset: str, encoder: str) -> dict[str, Any]:
        """Read an index's record: ids, works, centres, fingerprint of the features."""
        path = self._index_dir(dataset, encoder) / "manifest.json"
        command = command_for("index", dataset, encoder)
        return _complete(path, {"tracks", "works", "features", "crc32"}, command=command)

    def read_index_layer(self, dataset: str, encoder: str, layer: int, *, checksum: int) -> bytes:
        """Read one layer's FAISS index, serialised."""
        return self._read_index(dataset, encoder, f"layer-{layer:02d}.faiss", checksum)

    def read_steering(self, dataset: str, encoder: str, *, checksum: int) -> bytes:
        """Read the FAISS index of coordinates, serialised."""
        return self._read_index(dataset, encoder, "steering.faiss", checksum)

    def _read_index(self, dataset: str, encoder: str, name: str, checksum: int) -> bytes:
        path = self._index_dir(dataset, encoder) / name
        command = command_for("index", dataset, encoder)
        content = read_bytes(path, command=command)
        if zlib.crc32(content) != checksum:
            raise ArtifactError(str(path), "is damaged", command)
        return content

    # Evaluation ------------------------------------------------------------------------------

    def write_evaluation(self, dataset: str, encoder: str, record: dict[str, Any]) -> None:
        """Write how well search does what it says."""
        write_json(self._evaluation_path(dataset, encoder), record)

    def read_evaluation(self, dataset: str, encoder: str) -> dict[str, Any]:
        """Read an evaluation."""
        path = self._evaluation_path(dataset, encoder)
        command = command_for("evaluate", dataset, encoder)
        return _complete(path, {"index", "faithfulness", "defaults"}, command=command)

    def write_reliability(self, dataset: str, record: dict[str, Any]) -> None:
        """Write how far the targets of a dataset are to be trusted."""
        write_json(self._reliability_path(dataset), record)

    def read_reliability(self, dataset: str) -> dict[str, Any]:
        """Read how far the targets of a dataset are to be trusted."""
        command = command_for("check-targets", dataset)
        return _complete(self._reliability_path(dataset), {"targets"}, command=command)

    def write_cross(self, encoder: str, record: dict[str, Any]) -> None:
        """Write how the probes of one dataset do on another."""
        write_json(self._cross_path(encoder), record)

    def read_cross(self, encoder: str) -> dict[str, Any]:
        """Read how the probes of one dataset do on another."""
        command = f"mess cross --encoder {encoder} --datasets A,B"
        return _complete(self._cross_path(encoder), {"rows"}, command=command)

    def write_comparison(self, dataset: str, record: dict[str, Any]) -> None:
        """Write what the encoders of a dataset know beside each other."""
        write_json(self._comparison_path(dataset), record)

    def read_comparison(self, dataset: str) -> dict[str, Any]:
        """Read what the encoders of a dataset know beside each other."""
        command = command_for("compare", dataset)
        needed = {"encoders", "targets", "pairs", "missing"}
        return _complete(self._comparison_path(dataset), needed, command=command)

    def comparison_time(self, dataset: str) -> float:
        """Return when a comparison was written, 0 if there is none."""
        return modified(self._comparison_path(dataset))

    def write_text(self, path: Path, text: str) -> None:
        """Write a document, whole or not at all."""
        write_bytes(path, text.encode())

    def evaluation_time(self, dataset: str, encoder: str) -> float:
        """Return when an evaluation was written, 0 if there is none."""
        return modified(self._evaluation_path(dataset, encoder))


def _complete(path: Path, keys: set[str], *, command: str) -> dict[str, Any]:
    """Read a JSON object that must have ``keys``."""
    record = read_json(path, command=command)
    if not keys <= record.keys():
        raise ArtifactError(str(path), "is damaged", command)
    return record


def modified(path: Path) -> float:
    """Return when a file last changed, 0 if there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
