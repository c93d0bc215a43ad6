"""Proxy targets on disk: what was measured of every track, and the table of all tracks.

::

    processed/targets/<dataset>.manifest.json               how they were measured, track by track
    processed/targets/<dataset>/<track>.json                one track's values
    processed/targets/<dataset>/<track>.descriptors.npz     plain descriptions of its sound
    processed/targets/<dataset>/<track>.fingerprint.npy     tells copies of the recording
    processed/targets/<dataset>.parquet                     of all: track, segment, target, value
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import ArtifactError, ArtifactStale
from mess.storage.files import (
    has_bytes,
    modified,
    names_in,
    read_array,
    read_arrays,
    read_bytes,
    read_json,
    read_table_about,
    table_about,
    write_array,
    write_arrays,
    write_json,
    write_table,
)
from mess.storage.manifest import DONE, Entry, Manifest, digest
from mess.storage.paths import Level, command_for, file_stem, processed
from mess.storage.shapes import MAYBE, Shape, fits

if TYPE_CHECKING:  # imported where it is used: many readers need no tables
    import pandas as pd

_ENTRY: Shape = DONE | {"values_crc32": int, "descriptors_crc32": int, "fingerprint_crc32": int}
_VALUES: Shape = {"track": {str: MAYBE}, "segments": {str: [MAYBE]}}


@dataclass(frozen=True)
class TargetFiles:
    """The proxy targets of all datasets, below one root folder."""

    root: Path

    def table_path(self, dataset: str) -> Path:
        """Return the path of the table of all tracks."""
        return processed(self.root, "targets", f"{dataset}.parquet")

    def paths(self, dataset: str) -> list[Path]:
        """Return all files and folders of the targets of a dataset."""
        names = (f"{dataset}.parquet", f"{dataset}.manifest.json", dataset)
        return [processed(self.root, "targets", name) for name in names]

    def _manifest_path(self, dataset: str) -> Path:
        return processed(self.root, "targets", f"{dataset}.manifest.json")

    def _values_path(self, dataset: str, track_id: str) -> Path:
        return processed(self.root, "targets", dataset, f"{file_stem(track_id)}.json")

    def _descriptors_path(self, dataset: str, track_id: str) -> Path:
        return processed(self.root, "targets", dataset, f"{file_stem(track_id)}.descriptors.npz")

    def _fingerprint_path(self, dataset: str, track_id: str) -> Path:
        return processed(self.root, "targets", dataset, f"{file_stem(track_id)}.fingerprint.npy")

    def manifest(self, dataset: str) -> Manifest:
        """Read how the proxy targets of a dataset were measured."""
        command = command_for("targets", dataset)
        return Manifest.read(self._manifest_path(dataset), command=command, needs=_ENTRY)

    def resume(self, dataset: str, *, header: Mapping[str, Any], force: bool = False) -> Manifest:
        """Open the manifest of a computation that starts or goes on."""
        return Manifest.resume(self._manifest_path(dataset), header, force=force, needs=_ENTRY)

    def write(
        self,
        dataset: str,
        track_id: str,
        *,
        values: dict[str, Any],
        descriptors: Mapping[str, NDArray[np.float32]],
        marks: NDArray[np.uint32],
    ) -> Entry:
        """Write what was measured of a track; return the checksums for its manifest entry.

        Parameters
        ----------
        dataset, track_id : str
        values : dict
            ``track``: target → value; ``segments``: target → values. `gather` puts those of all
            tracks into the table.
        descriptors : mapping of str to ndarray [shape=(1 + s, d)]
            Plain descriptions of the track (first row) and of its segments.
        marks : ndarray
            The audio fingerprint: another file of the same recording has nearly the same one.
        """
        return {
            "values_crc32": write_json(self._values_path(dataset, track_id), values),
            "descriptors_crc32": write_arrays(
                self._descriptors_path(dataset, track_id), descriptors
            ),
            "fingerprint_crc32": write_array(self._fingerprint_path(dataset, track_id), marks),
        }

    def has(self, dataset: str, track_id: str, entry: Entry) -> bool:
        """Tell whether the files of a manifest entry are there and undamaged."""
        return fits(entry, _ENTRY) and all(
            has_bytes(path(dataset, track_id), entry[f"{kind}_crc32"])
            for kind, path in (
                ("values", self._values_path),
                ("descriptors", self._descriptors_path),
                ("fingerprint", self._fingerprint_path),
            )
        )

    def missing(self, dataset: str, manifest: Manifest, *, whole: bool) -> list[str]:
        """Return what is missing or, with ``whole``, damaged: tracks, and the table of all."""
        paths = (self._values_path, self._descriptors_path, self._fingerprint_path)
        if whole:
            lacking = [
                track_id
                for track_id, entry in manifest.done().items()
                if not self.has(dataset, track_id, entry)
            ]
        else:
            there = names_in(processed(self.root, "targets", dataset))
            lacking = [
                track_id
                for track_id in manifest.done()
                if not all(path(dataset, track_id).name in there for path in paths)
            ]
        path = self.table_path(dataset)
        try:
            of = read_table_about(path, command="")[1] if whole else table_about(path)
        except ArtifactError:
            of = {}
        return lacking + ([] if of.get("values") == _values_digest(manifest) else [path.name])

    def read_descriptors(
        self, dataset: str, track_id: str, entry: Entry
    ) -> dict[str, NDArray[np.float32]]:
        """Read the plain descriptions of a track, by its entry in the manifest of targets."""
        path = self._descriptors_path(dataset, track_id)
        command = command_for("targets", dataset)
        return read_arrays(path, checksum=entry["descriptors_crc32"], command=command)

    def read_fingerprint(self, dataset: str, track_id: str, entry: Entry) -> NDArray[np.uint32]:
        """Read a track's audio fingerprint, by its entry in the manifest of targets."""
        path = self._fingerprint_path(dataset, track_id)
        command = command_for("targets", dataset)
        return read_array(path, checksum=entry["fingerprint_crc32"], command=command)

    def gather(self, dataset: str, manifest: Manifest) -> None:
        """Write the long table of all finished tracks: track, segment (or −1), target, value.

        The table carries the digest of the measurements that it was made from.
        """
        import pandas as pd

        columns: dict[str, list[Any]] = {"track": [], "segment": [], "target": [], "value": []}
        command = command_for("targets", dataset)
        for track_id, entry in manifest.done().items():
            path = self._values_path(dataset, track_id)
            read_bytes(path, command=command, checksum=entry["values_crc32"])
            values = read_json(path, command=command, shape=_VALUES)
            for target, value in values["track"].items():
                rows = [value, *values["segments"].get(target, [])]
                columns["track"] += [track_id] * len(rows)
                columns["segment"] += range(-1, len(rows) - 1)
                columns["target"] += [target] * len(rows)
                columns["value"] += rows
        table = pd.DataFrame(columns).astype({"segment": "int32", "value": "float64"})
        write_table(self.table_path(dataset), table, about={"values": _values_digest(manifest)})

    def read(self, dataset: str, *, level: Level = "track") -> "pd.DataFrame":
        """Read the targets as a table with a row per (track, segment) and a column per target.

        Raises
        ------
        ArtifactError
            If there are none, the table is damaged, or it is not of what was measured last.
        """
        command, path = command_for("targets", dataset), self.table_path(dataset)
        table, about = read_table_about(path, command=command)
        if about.get("values") != _values_digest(self.manifest(dataset)):
            raise ArtifactStale(str(path), "is not of what was measured last", command)
        rows = table[(table["segment"] < 0) == (level == "track")]
        wide = rows.pivot(index=["track", "segment"], columns="target", values="value")
        return wide.reindex(columns=list(dict.fromkeys(rows["target"])))

    def modified(self, dataset: str) -> float:
        """Return when the table of targets was written, 0 if there is none."""
        return modified(self.table_path(dataset))


def _values_digest(manifest: Manifest) -> str:
    """Return the digest of all measured values: the table carries that of what it holds."""
    return digest({track: entry.get("values_crc32") for track, entry in manifest.done().items()})
