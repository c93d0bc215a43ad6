"""Measured curves on disk: of each track the values of all curves, and when each moment begins.

::

    processed/targets/<dataset>/<track>.curves.npz    start [moments], values [moments, curves],
                                                      phrases [moments, 29],
                                                      strength, level [frames], onsets [onsets]

The track's entry in the manifest of the targets has their checksum.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import ArtifactStale
from mess.records.targets import TargetsEntry
from mess.storage.arrays import read_arrays, write_arrays
from mess.storage.files import copy_file, has_bytes, names_in, remove
from mess.storage.manifest import TargetsManifest
from mess.storage.paths import command_for, file_stem, processed

_ARRAYS = frozenset({"start", "values", "phrases", "strength", "level", "onsets"})


@dataclass(frozen=True)
class TrackCurves:
    """The curves of a track.

    Attributes
    ----------
    track : str
    start : ndarray [shape=(n,)]
        When each moment begins, in seconds.
    values : ndarray [shape=(n, curves), dtype=float32]
        NaN where a curve is undefined.
    phrases : ndarray [shape=(n, features), dtype=float16]
        What phrasing is measured on; see `mess.curves.phrases.phrase_columns`.
    """

    track: str
    start: NDArray[np.float64]
    values: NDArray[np.float32]
    phrases: NDArray[np.float16]


@dataclass(frozen=True)
class TrackBeats:
    """What the tempo of a track is measured on; see `mess.curves.frames.Beats`.

    Attributes
    ----------
    strength, level : ndarray [shape=(n,), dtype=float16]
    onsets : ndarray [shape=(onsets,), dtype=float32]
    """

    strength: NDArray[np.float16]
    level: NDArray[np.float16]
    onsets: NDArray[np.float32]


@dataclass(frozen=True)
class CurveFiles:
    """The measured curves of all datasets, below one root folder."""

    root: Path

    def path(self, dataset: str, track_id: str) -> Path:
        """Return the path of the curves of a track."""
        return processed(self.root, "targets", dataset, f"{file_stem(track_id)}.curves.npz")

    def write(
        self,
        dataset: str,
        track_id: str,
        *,
        start: NDArray[np.float64],
        values: NDArray[np.float32],
        phrases: NDArray[np.float16],
        beats: TrackBeats,
    ) -> int:
        """Write the curves of a track; return the checksum of the file."""
        arrays: dict[str, NDArray[Any]] = {
            "start": start,
            "values": values,
            "phrases": phrases,
            **vars(beats),
        }
        return write_arrays(self.path(dataset, track_id), arrays)

    def has(self, dataset: str, track_id: str, entry: TargetsEntry) -> bool:
        """Tell whether the curves of a manifest entry are there and undamaged."""
        return has_bytes(self.path(dataset, track_id), entry.curves_crc32)

    def copy(self, dataset: str, old: str, new: str, entry: TargetsEntry) -> bool:
        """Give a track the curves of another one; return whether they are there and undamaged."""
        if not self.has(dataset, old, entry):
            return False
        if old != new:
            copy_file(self.path(dataset, old), self.path(dataset, new))
        return True

    def drop(self, dataset: str, track_id: str) -> None:
        """Remove the curves of a track."""
        remove(self.path(dataset, track_id))

    def missing(self, dataset: str, manifest: TargetsManifest, *, whole: bool) -> list[str]:
        """Return the tracks whose curves are missing or, with ``whole``, damaged."""
        done = manifest.done()
        if whole:
            return [t for t, entry in done.items() if not self.has(dataset, t, entry)]
        there = names_in(processed(self.root, "targets", dataset))
        return [track for track in done if self.path(dataset, track).name not in there]

    def read(self, dataset: str, manifest: TargetsManifest) -> Iterator[TrackCurves]:
        """Yield the curves of every track of the manifest of the targets, in the order of ids.

        Raises
        ------
        ArtifactError
            If a file is missing or damaged.
        """
        for track, entry in manifest.done().items():
            yield self.read_track(dataset, track, entry)

    def read_track(self, dataset: str, track_id: str, entry: TargetsEntry) -> TrackCurves:
        """Read the curves of one track, by its entry in the manifest of the targets.

        Raises
        ------
        ArtifactError
            If the file is missing or damaged.
        """
        arrays = self._read(dataset, track_id, entry)
        return TrackCurves(track_id, arrays["start"], arrays["values"], arrays["phrases"])

    def read_beats(self, dataset: str, track_id: str, entry: TargetsEntry) -> TrackBeats:
        """Read what the tempo of a track is measured on.

        Raises
        ------
        ArtifactError
            If the file is missing or damaged.
        """
        arrays = self._read(dataset, track_id, entry)
        return TrackBeats(arrays["strength"], arrays["level"], arrays["onsets"])

    def _read(self, dataset: str, track_id: str, entry: TargetsEntry) -> dict[str, NDArray[Any]]:
        path, command = self.path(dataset, track_id), command_for("targets", dataset)
        arrays = read_arrays(path, checksum=entry.curves_crc32, command=command)
        if not set(arrays) >= _ARRAYS:
            raise ArtifactStale(str(path), "is of an older version", command)
        return arrays
