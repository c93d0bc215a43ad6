"""Proxy targets on disk: what was measured of every track, and the table of all tracks.

::

    processed/targets/<dataset>.manifest.json               how they were measured, track by track
    processed/targets/<dataset>/<track>.json                one track's values
    processed/targets/<dataset>/<track>.descriptors.npz     plain descriptions of its sound
    processed/targets/<dataset>/<track>.fingerprint.npy     tells copies of the recording
    processed/targets/<dataset>.parquet                     of all: track, segment, target, value
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mess.errors import ArtifactError, ArtifactStale
from mess.records.discovery import Level
from mess.records.targets import MeasuredValues, TargetFilesOfTrack, TargetsEntry, TargetsHeader
from mess.storage.arrays import read_array, read_arrays, write_array, write_arrays
from mess.storage.files import copy_file, has_bytes, modified, names_in, remove
from mess.storage.manifest import Manifest, TargetsManifest, digest
from mess.storage.paths import command_for, file_stem, processed
from mess.storage.records import read_record, write_record
from mess.storage.tables import read_table_about, table_about, write_table

if TYPE_CHECKING:  # imported where it is used: many readers need no tables
    import pandas as pd


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

    def manifest(self, dataset: str) -> TargetsManifest:
        """Read how the proxy targets of a dataset were measured."""
        command = command_for("targets", dataset)
        path = self._manifest_path(dataset)
        return Manifest.read(path, TargetsHeader, TargetsEntry, command=command)

    def resume(
        self, dataset: str, *, header: TargetsHeader, force: bool = False
    ) -> TargetsManifest:
        """Open the manifest of a computation that starts or goes on."""
        return Manifest.resume(self._manifest_path(dataset), header, TargetsEntry, force=force)

    def write(
        self,
        dataset: str,
        track_id: str,
        *,
        values: MeasuredValues,
        descriptors: Mapping[str, NDArray[np.float32]],
        marks: NDArray[np.uint32],
    ) -> TargetFilesOfTrack:
        """Write what was measured of a track; return the checksums for its manifest entry.

        Parameters
        ----------
        dataset, track_id : str
        values : MeasuredValues
            `gather` puts those of all tracks into the table.
        descriptors : mapping of str to ndarray [shape=(1 + s, d)]
            Plain descriptions of the track (first row) and of its segments.
        marks : ndarray
            The audio fingerprint: another file of the same recording has nearly the same one.
        """
        return TargetFilesOfTrack(
            values_crc32=write_record(self._values_path(dataset, track_id), values, named=True),
            descriptors_crc32=write_arrays(self._descriptors_path(dataset, track_id), descriptors),
            fingerprint_crc32=write_array(self._fingerprint_path(dataset, track_id), marks),
        )

    def has(self, dataset: str, track_id: str, entry: TargetsEntry) -> bool:
        """Tell whether the files of a manifest entry are there and undamaged."""
        return (
            has_bytes(self._values_path(dataset, track_id), entry.values_crc32)
            and has_bytes(self._descriptors_path(dataset, track_id), entry.descriptors_crc32)
            and has_bytes(self._fingerprint_path(dataset, track_id), entry.fingerprint_crc32)
        )

    def copy(self, dataset: str, old: str, new: str, entry: TargetsEntry) -> bool:
        """Give a track what was measured of another one with the same audio and MIDI.

        Returns
        -------
        bool
            False if it is not there or is damaged.
        """
        if not self.has(dataset, old, entry):
            return False
        if old != new:
            for path in self._paths_of_track:
                copy_file(path(dataset, old), path(dataset, new))
        return True

    def drop(self, dataset: str, track_id: str) -> None:
        """Remove what was measured of a track."""
        for path in self._paths_of_track:
            remove(path(dataset, track_id))

    @property
    def _paths_of_track(self) -> tuple[Callable[[str, str], Path], ...]:
        return self._values_path, self._descriptors_path, self._fingerprint_path

    def missing(self, dataset: str, manifest: TargetsManifest, *, whole: bool) -> list[str]:
        """Return what is missing or, with ``whole``, damaged: tracks, and the table of all."""
        paths = self._paths_of_track
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
        self, dataset: str, track_id: str, entry: TargetsEntry
    ) -> dict[str, NDArray[np.float32]]:
        """Read the plain descriptions of a track, by its entry in the manifest of targets."""
        path = self._descriptors_path(dataset, track_id)
        command = command_for("targets", dataset)
        return read_arrays(path, checksum=entry.descriptors_crc32, command=command)

    def read_values(self, dataset: str, track_id: str, entry: TargetsEntry) -> MeasuredValues:
        """Read the targets of one track, by its entry in the manifest of targets."""
        path = self._values_path(dataset, track_id)
        command = command_for("targets", dataset)
        return read_record(path, MeasuredValues, command=command, checksum=entry.values_crc32)

    def read_fingerprint(
        self, dataset: str, track_id: str, entry: TargetsEntry
    ) -> NDArray[np.uint32]:
        """Read a track's audio fingerprint, by its entry in the manifest of targets."""
        path = self._fingerprint_path(dataset, track_id)
        command = command_for("targets", dataset)
        return read_array(path, checksum=entry.fingerprint_crc32, command=command)

    def gather(self, dataset: str, manifest: TargetsManifest) -> None:
        """Write the long table of all finished tracks: track, segment (or −1), target, value.

        The table carries the digest of the measurements that it was made from.
        """
        import pandas as pd

        tracks: list[str] = []
        segments: list[int] = []
        targets: list[str] = []
        column: list[float | None] = []
        for track_id, entry in manifest.done().items():
            values = self.read_values(dataset, track_id, entry)
            for target, value in values.track.items():
                rows = [value, *values.segments.get(target, [])]
                tracks += [track_id] * len(rows)
                segments += range(-1, len(rows) - 1)
                targets += [target] * len(rows)
                column += rows
        table = pd.DataFrame(
            {
                "track": tracks,
                "segment": np.array(segments, dtype=np.int32),
                "target": targets,
                "value": np.array(column, dtype=np.float64),
            }
        )
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


def _values_digest(manifest: TargetsManifest) -> str:
    """Return the digest of all measured values: the table carries that of what it holds."""
    return digest({track: entry.values_crc32 for track, entry in manifest.done().items()})
