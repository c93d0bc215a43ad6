"""What is concluded of a dataset: discovery, index, evaluation, reliability, the cross table,
maps.

A base of `mess.store.Store`, which holds features and targets.
"""

import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
        projection: bytes | None = None,
    ) -> None:
        """Write one FAISS index per layer and one of coordinates (serialised), and the record.

        ``projection`` places recordings that are not in it.
        """
        folder = self._index_dir(dataset, encoder)
        if steering is not None:
            write_bytes(folder / "steering.faiss", steering)
            record = record | {"steering_crc32": zlib.crc32(steering)}
        if projection is not None:
            write_bytes(folder / "projection.npz", projection)
            record = record | {"projection_crc32": zlib.crc32(projection)}
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

    def read_projection(self, dataset: str, encoder: str, *, checksum: int) -> bytes:
        """Read what places recordings that are not in the index, serialised."""
        return self._read_index(dataset, encoder, "projection.npz", checksum)

    def write_passages(
        self, dataset: str, encoder: str, *, parts: Mapping[str, bytes], record: dict[str, Any]
    ) -> None:
        """Write the files of an index of segments by their names, and the record."""
        folder = self._index_dir(dataset, encoder)
        checksums = {}
        for name, content in parts.items():
            write_bytes(folder / name, content)
            checksums[name] = zlib.crc32(content)
        write_json(folder / "passages.json", record | {"crc32": checksums})

    def read_passages_record(self, dataset: str, encoder: str) -> dict[str, Any]:
        """Read the record of an index of segments."""
        path = self._index_dir(dataset, encoder) / "passages.json"
        command = command_for("index", dataset, encoder)
        return _complete(path, {"tracks", "features", "search", "crc32"}, command=command)

    def read_passages_part(
        self, dataset: str, encoder: str, record: Mapping[str, Any], name: str
    ) -> bytes:
        """Read one file of an index of segments; ``record["crc32"]`` names them all."""
        return self._read_index(dataset, encoder, name, record["crc32"][name])

    def drop_passages(self, dataset: str, encoder: str) -> None:
        """Remove an index of segments, which would be that of other features."""
        for path in self._index_dir(dataset, encoder).glob("passages*"):
            path.unlink(missing_ok=True)

    def passages_time(self, dataset: str, encoder: str) -> float:
        """Return when an index of segments was written, 0 if there is none."""
        return modified(self._index_dir(dataset, encoder) / "passages.json")

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

    # Maps ------------------------------------------------------------------------------------

    def write_map(self, record: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write a map: the arrays of `read_map`, then how they were made."""
        path = self._map_path(
            record["dataset"],
            record["encoder"],
            layer=record["layer"],
            method=record["method"],
            level=record["level"],
        )
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        content = buffer.getvalue()
        write_bytes(path.with_suffix(".npz"), content)
        write_json(path, record | {"crc32": zlib.crc32(content)})

    def read_map(
        self, dataset: str, encoder: str, *, layer: int, method: str, level: Level = "track"
    ) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Read a map.

        Returns
        -------
        record : dict
            How it was made; ``tracks`` are their ids.
        arrays : dict of str to ndarray
            For each point its ``track`` (a position in ``tracks``), ``segment`` (−1 for a whole
            track), ``points`` [n, 2] and ``cluster``.
        """
        path = self._map_path(dataset, encoder, layer=layer, method=method, level=level)
        command = command_for("map", dataset, encoder, level=level)
        command += f" --layer {layer} --method {method}"
        record = _complete(path, {"tracks", "features", "crc32"}, command=command)
        content = read_bytes(path.with_suffix(".npz"), command=command)
        if zlib.crc32(content) != record["crc32"]:
            raise ArtifactError(str(path.with_suffix(".npz")), "is damaged", command)
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            return record, dict(found)

    def map_time(
        self, dataset: str, encoder: str, *, layer: int, method: str, level: Level = "track"
    ) -> float:
        """Return when a map was written, 0 if there is none."""
        path = self._map_path(dataset, encoder, layer=layer, method=method, level=level)
        return modified(path)

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
