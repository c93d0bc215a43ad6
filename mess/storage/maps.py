"""Maps on disk: the tracks or segments of a dataset as points on a plane.

::

    processed/maps/<dataset>/<encoder>/<layer>-<method>.json   how the map was made
    processed/maps/<dataset>/<encoder>/<layer>-<method>.npz    its points

A map of segments has ``.segments`` before the suffix.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from mess.encoders import encoder_slug
from mess.storage.files import modified, read_arrays, read_json, write_arrays, write_json
from mess.storage.paths import Level, command_for, processed
from mess.storage.shapes import Shape

_RECORD: Shape = {
    "tracks": [str],
    "layer": int,
    "method": str,
    "level": str,
    "seed": int,
    "clusters": int,
    "features": str,
    "crc32": int,
}


@dataclass(frozen=True)
class MapFiles:
    """The maps of all datasets and encoders, below one root folder."""

    root: Path

    def path(self, dataset: str, encoder: str, *, layer: int, method: str, level: Level) -> Path:
        """Return the path of the record."""
        suffix = "" if level == "track" else ".segments"
        name = f"{layer:02d}-{method}{suffix}.json"
        return processed(self.root, "maps", dataset, encoder_slug(encoder), name)

    def write(self, record: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write a map: the arrays of `read`, then how they were made."""
        path = self.path(
            record["dataset"],
            record["encoder"],
            layer=record["layer"],
            method=record["method"],
            level=record["level"],
        )
        checksum = write_arrays(path.with_suffix(".npz"), arrays)
        write_json(path, record | {"crc32": checksum})

    def read(
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
        record = self.read_record(dataset, encoder, layer=layer, method=method, level=level)
        path = self.path(dataset, encoder, layer=layer, method=method, level=level)
        command = _command(dataset, encoder, layer=layer, method=method, level=level)
        arrays = read_arrays(path.with_suffix(".npz"), checksum=record["crc32"], command=command)
        return record, arrays

    def read_record(
        self, dataset: str, encoder: str, *, layer: int, method: str, level: Level = "track"
    ) -> dict[str, Any]:
        """Read how a map was made."""
        path = self.path(dataset, encoder, layer=layer, method=method, level=level)
        command = _command(dataset, encoder, layer=layer, method=method, level=level)
        return read_json(path, command=command, shape=_RECORD)

    def available(self, dataset: str, encoder: str) -> list[tuple[int, str, Level]]:
        """Return layer, method and level of every map that was made."""
        folder = processed(self.root, "maps", dataset, encoder_slug(encoder))
        found: list[tuple[int, str, Level]] = []
        for path in sorted(folder.glob("*.json")):
            name, _, rest = path.stem.partition(".")
            layer, _, method = name.partition("-")
            if layer.isdecimal() and method:
                found.append((int(layer), method, "segment" if rest else "track"))
        return found

    def modified(
        self, dataset: str, encoder: str, *, layer: int, method: str, level: Level = "track"
    ) -> float:
        """Return when a map was written, 0 if there is none."""
        return modified(self.path(dataset, encoder, layer=layer, method=method, level=level))


def _command(dataset: str, encoder: str, *, layer: int, method: str, level: Level) -> str:
    command = command_for("map", dataset, encoder, level=level)
    return f"{command} --layer {layer} --method {method}"
