"""What is concluded of a dataset: discovery, index, evaluation, reliability, the cross table,
maps.

A base of `mess.storage.store.Store`, which holds features and targets.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from mess.encoders import encoder_slug
from mess.storage.files import (
    has_bytes,
    read_arrays,
    read_bytes,
    read_json,
    read_table,
    write_arrays,
    write_bytes,
    write_json,
    write_table,
)
from mess.storage.paths import DataPaths, Level, command_for
from mess.storage.shapes import MAYBE, NUMBER, Shape

_TEXTS: Shape = [str]
_COLUMN: Shape = {"name": str, "kind": str, "mean": NUMBER, "deviation": NUMBER, "r2": MAYBE}
_DISCOVERY: Shape = {
    "cells": [{"layer": int, "target": str, "r2": MAYBE}],
    "settings": {"level": str},
    "features": str,
    "predictions_crc32": int,
}
_INDEX: Shape = {
    "tracks": _TEXTS,
    "works": _TEXTS,
    "composers": _TEXTS,
    "copies": [int],
    "columns": [_COLUMN],
    "features": str,
    "fingerprint": str,
    "crc32": [int],
    "passages": bool,
}
_PASSAGES: Shape = {
    "tracks": _TEXTS,
    "works": _TEXTS,
    "composers": _TEXTS,
    "segments": [int],
    "durations": [NUMBER],
    "segment_seconds": NUMBER,
    "columns": [_COLUMN],
    "features": str,
    "search": {"kinds": {str: {"way": str, "step": int}}},
    "crc32": {str: int},
}
_EVALUATION: Shape = {
    "index": str,
    "faithfulness": dict,
    "defaults": {str: {"method": str}},
}
_RELIABILITY: Shape = {"tracks": int, "targets": {str: {"trusted": bool}}}
_CROSS: Shape = {
    "datasets": _TEXTS,
    "rows": [{"train": str, "test": str, "target": str, "layer": int, "r2": MAYBE}],
}
_MAP: Shape = {
    "tracks": _TEXTS,
    "layer": int,
    "method": str,
    "level": str,
    "seed": int,
    "clusters": int,
    "features": str,
    "crc32": int,
}
_COMPARISON: Shape = {
    "dataset": str,
    "encoders": [{"name": str}],
    "targets": _TEXTS,
    "pairs": [{"a": str, "b": str}],
    "missing": [{"name": str}],
}


class Records(DataPaths):
    """Readers and writers of conclusions."""

    # Discovery -------------------------------------------------------------------------------

    def write_discovery(
        self, dataset: str, encoder: str, *, record: dict[str, Any], predictions: pd.DataFrame
    ) -> Path:
        """Write all cells with how they were made, and the out-of-fold predictions beside."""
        path = self._discovery_path(dataset, encoder, record["settings"]["level"])
        checksum = write_table(path.with_suffix(".predictions.parquet"), predictions)
        write_json(path, record | {"predictions_crc32": checksum})
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
        return read_json(path, command=command, shape=_DISCOVERY)

    def read_predictions(
        self, dataset: str, encoder: str, *, level: Level = "track"
    ) -> pd.DataFrame:
        """Read out-of-fold predictions: track, segment, target, layer, fold, true, predicted.

        The layer that each training fold chose for itself stands as layer −1.
        """
        path = self._discovery_path(dataset, encoder, level).with_suffix(".predictions.parquet")
        record = self.read_discovery(dataset, encoder, level=level)
        return read_table(
            path,
            command=command_for("probe", dataset, encoder, level=level),
            checksum=record["predictions_crc32"],
        )

    def missing_predictions(
        self, dataset: str, encoder: str, record: Mapping[str, Any], *, whole: bool
    ) -> list[str]:
        """Return the table of a discovery if it is missing or, with ``whole``, damaged."""
        path = self._discovery_path(dataset, encoder, record["settings"]["level"])
        path = path.with_suffix(".predictions.parquet")
        there = has_bytes(path, record["predictions_crc32"]) if whole else path.is_file()
        return [] if there else [path.name]

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
            checksum = write_bytes(folder / "steering.faiss", steering)
            record = record | {"steering_crc32": checksum}
        if projection is not None:
            checksum = write_bytes(folder / "projection.npz", projection)
            record = record | {"projection_crc32": checksum}
        checksums = [
            write_bytes(folder / _layer_name(number), content)
            for number, content in enumerate(layers)
        ]
        write_json(folder / "manifest.json", record | {"crc32": checksums})

    def read_index_record(self, dataset: str, encoder: str) -> dict[str, Any]:
        """Read an index's record: ids, works, centres, digest of the features."""
        path = self._index_dir(dataset, encoder) / "manifest.json"
        return read_json(path, command=command_for("index", dataset, encoder), shape=_INDEX)

    def missing_index_files(
        self, dataset: str, encoder: str, record: Mapping[str, Any], *, whole: bool
    ) -> list[str]:
        """Return the files of an index, or of its passages, that are not there.

        Parameters
        ----------
        dataset, encoder : str
        record : mapping
            That of the index or of the passages.
        whole : bool
            Read every file, and return those that are damaged, too.
        """
        folder = self._index_dir(dataset, encoder)
        return [
            name
            for name, checksum in _named_files(record)
            if not (has_bytes(folder / name, checksum) if whole else (folder / name).is_file())
        ]

    def read_index_layer(self, dataset: str, encoder: str, layer: int, *, checksum: int) -> bytes:
        """Read one layer's FAISS index, serialised."""
        return self._read_index(dataset, encoder, _layer_name(layer), checksum)

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
        checksums = {name: write_bytes(folder / name, content) for name, content in parts.items()}
        write_json(folder / "passages.json", record | {"crc32": checksums})

    def read_passages_record(self, dataset: str, encoder: str) -> dict[str, Any]:
        """Read the record of an index of segments."""
        path = self._index_dir(dataset, encoder) / "passages.json"
        return read_json(path, command=command_for("index", dataset, encoder), shape=_PASSAGES)

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
        return read_bytes(path, command=command_for("index", dataset, encoder), checksum=checksum)

    # Evaluation ------------------------------------------------------------------------------

    def write_evaluation(self, dataset: str, encoder: str, record: dict[str, Any]) -> None:
        """Write how well search does what it says."""
        write_json(self._evaluation_path(dataset, encoder), record)

    def read_evaluation(self, dataset: str, encoder: str) -> dict[str, Any]:
        """Read an evaluation."""
        path = self._evaluation_path(dataset, encoder)
        command = command_for("evaluate", dataset, encoder)
        return read_json(path, command=command, shape=_EVALUATION)

    def write_reliability(self, dataset: str, record: dict[str, Any]) -> None:
        """Write how far the targets of a dataset are to be trusted."""
        write_json(self._reliability_path(dataset), record)

    def read_reliability(self, dataset: str) -> dict[str, Any]:
        """Read how far the targets of a dataset are to be trusted."""
        command = command_for("check-targets", dataset)
        return read_json(self._reliability_path(dataset), command=command, shape=_RELIABILITY)

    def write_cross(self, encoder: str, record: dict[str, Any]) -> None:
        """Write how the probes of one dataset do on another."""
        write_json(self._cross_path(encoder), record)

    def datasets_by(self, encoder: str) -> list[str]:
        """Return the datasets that have features by an encoder."""
        found = self._processed("features").glob(f"*/{encoder_slug(encoder)}/manifest.json")
        return sorted(path.parts[-3] for path in found)

    def read_cross(self, encoder: str) -> dict[str, Any]:
        """Read how the probes of one dataset do on another."""
        datasets = self.datasets_by(encoder)
        named = ",".join(datasets if len(datasets) > 1 else [*datasets, "ANOTHER"])
        command = f"mess cross --encoder {encoder} --datasets {named}"
        return read_json(self._cross_path(encoder), command=command, shape=_CROSS)

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
        checksum = write_arrays(path.with_suffix(".npz"), arrays)
        write_json(path, record | {"crc32": checksum})

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
        record = self.read_map_record(dataset, encoder, layer=layer, method=method, level=level)
        path = self._map_path(dataset, encoder, layer=layer, method=method, level=level)
        command = _map_command(dataset, encoder, layer=layer, method=method, level=level)
        arrays = read_arrays(path.with_suffix(".npz"), checksum=record["crc32"], command=command)
        return record, arrays

    def read_map_record(
        self, dataset: str, encoder: str, *, layer: int, method: str, level: Level = "track"
    ) -> dict[str, Any]:
        """Read how a map was made."""
        path = self._map_path(dataset, encoder, layer=layer, method=method, level=level)
        command = _map_command(dataset, encoder, layer=layer, method=method, level=level)
        return read_json(path, command=command, shape=_MAP)

    def maps_of(self, dataset: str, encoder: str) -> list[tuple[int, str, Level]]:
        """Return layer, method and level of every map that was made."""
        folder = self._processed("maps", dataset, encoder_slug(encoder))
        found: list[tuple[int, str, Level]] = []
        for path in sorted(folder.glob("*.json")):
            name, _, rest = path.stem.partition(".")
            layer, _, method = name.partition("-")
            if layer.isdecimal() and method:
                found.append((int(layer), method, "segment" if rest else "track"))
        return found

    def map_time(
        self, dataset: str, encoder: str, *, layer: int, method: str, level: Level = "track"
    ) -> float:
        """Return when a map was written, 0 if there is none."""
        path = self._map_path(dataset, encoder, layer=layer, method=method, level=level)
        return modified(path)

    def write_comparison(self, dataset: str, record: dict[str, Any]) -> None:
        """Write what the encoders of a dataset know beside each other.

        How long they take is left out: it is another number every time.
        """
        rows = [
            {key: value for key, value in row.items() if key != "seconds_per_minute"}
            for row in record["encoders"]
        ]
        write_json(self._comparison_path(dataset), record | {"encoders": rows})

    def read_comparison(self, dataset: str) -> dict[str, Any]:
        """Read what the encoders of a dataset know beside each other."""
        command = command_for("compare", dataset)
        return read_json(self._comparison_path(dataset), command=command, shape=_COMPARISON)

    def comparison_time(self, dataset: str) -> float:
        """Return when a comparison was written, 0 if there is none."""
        return modified(self._comparison_path(dataset))

    def write_text(self, path: Path, text: str) -> None:
        """Write a document, whole or not at all."""
        write_bytes(path, text.encode())

    def evaluation_time(self, dataset: str, encoder: str) -> float:
        """Return when an evaluation was written, 0 if there is none."""
        return modified(self._evaluation_path(dataset, encoder))


def _map_command(dataset: str, encoder: str, *, layer: int, method: str, level: Level) -> str:
    command = command_for("map", dataset, encoder, level=level)
    return f"{command} --layer {layer} --method {method}"


def _layer_name(layer: int) -> str:
    return f"layer-{layer:02d}.faiss"


def _named_files(record: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield name and checksum of every file that the record of an index or of passages names."""
    if isinstance(record["crc32"], dict):
        yield from record["crc32"].items()
        return
    for number, checksum in enumerate(record["crc32"]):
        yield _layer_name(number), checksum
    for name, key in (("steering.faiss", "steering_crc32"), ("projection.npz", "projection_crc32")):
        if key in record:
            yield name, record[key]


def modified(path: Path) -> float:
    """Return when a file last changed, 0 if there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
