"""Maps on disk: the tracks or segments of a dataset as points on a plane.

::

    processed/maps/<dataset>/<encoder>/<layer>-<method>.json   how the map was made
    processed/maps/<dataset>/<encoder>/<layer>-<method>.npz    its points

A map of segments has ``.segments`` before the suffix.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from mess.encoders import encoder_slug
from mess.errors import ArtifactStale
from mess.records.discovery import Level
from mess.records.map import MapPoints, MapRecord
from mess.storage.arrays import read_arrays, write_arrays
from mess.storage.files import matching, modified
from mess.storage.paths import command_for, processed
from mess.storage.records import read_record, write_record


@dataclass(frozen=True)
class MapFiles:
    """The maps of all datasets and encoders, below one root folder."""

    root: Path

    def path(self, dataset: str, encoder: str, *, layer: int, method: str, level: Level) -> Path:
        """Return the path of the record."""
        suffix = "" if level == "track" else ".segments"
        name = f"{layer:02d}-{method}{suffix}.json"
        return processed(self.root, "maps", dataset, encoder_slug(encoder), name)

    def write(self, record: MapRecord, points: MapPoints) -> None:
        """Write a map: its points, then how they were made."""
        path = self.path(
            record.dataset,
            record.encoder,
            layer=record.layer,
            method=record.method,
            level=record.level,
        )
        checksum = write_arrays(path.with_suffix(".npz"), vars(points))
        write_record(path, replace(record, crc32=checksum))

    def read(
        self, dataset: str, encoder: str, *, layer: int, method: str, level: Level = "track"
    ) -> tuple[MapRecord, MapPoints]:
        """Read a map: how it was made, and its points."""
        record = self.read_record(dataset, encoder, layer=layer, method=method, level=level)
        path = self.path(dataset, encoder, layer=layer, method=method, level=level)
        command = _command(dataset, encoder, layer=layer, method=method, level=level)
        if record.crc32 is None:
            raise ArtifactStale(str(path), "names no points", command)
        arrays = read_arrays(path.with_suffix(".npz"), checksum=record.crc32, command=command)
        try:
            return record, MapPoints(**arrays)
        except TypeError:
            raise ArtifactStale(str(path), "has other arrays than this version", command) from None

    def read_record(
        self, dataset: str, encoder: str, *, layer: int, method: str, level: Level = "track"
    ) -> MapRecord:
        """Read how a map was made."""
        path = self.path(dataset, encoder, layer=layer, method=method, level=level)
        command = _command(dataset, encoder, layer=layer, method=method, level=level)
        return read_record(path, MapRecord, command=command)

    def available(self, dataset: str, encoder: str) -> list[tuple[int, str, Level]]:
        """Return layer, method and level of every map that was made."""
        folder = processed(self.root, "maps", dataset, encoder_slug(encoder))
        found: list[tuple[int, str, Level]] = []
        for path in sorted(matching(folder, "*.json")):
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
