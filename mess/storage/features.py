"""Features on disk: the hidden states of every track, averaged over time.

::

    processed/features/<dataset>/<encoder>/
        aggregated/<track>.npy       [layers, dim]            float32: a track's mean
        segments/<track>.npy         [segments, layers, dim]  float16: the mean of each segment
        aggregated_std/<track>.npy   as aggregated: standard deviations over time
        segments_std/<track>.npy     as segments: standard deviations over time
        moments/<track>.npy          see `mess.storage.moments`
        raw/<track>.npy              [segments, layers, time, dim] float16, only on demand
        manifest.json                how they were made, track by track
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.encoders import encoder_slug
from mess.errors import ArtifactError
from mess.records.discovery import Level, Pooling
from mess.records.features import FeaturesEntry, FeaturesHeader, PooledFiles
from mess.storage.arrays import RawWriter, read_array, write_array
from mess.storage.files import (
    copy_file,
    has_bytes,
    matching,
    modified,
    names_in,
    remove,
    replacing,
    size_of,
)
from mess.storage.manifest import FeaturesManifest, Manifest
from mess.storage.mirrors import mirror_of
from mess.storage.moments import Kind, MomentFiles
from mess.storage.paths import POOLED, command_for, features_dir, file_stem, processed


@dataclass(frozen=True)
class Features:
    """Hidden states of a dataset, pooled over time.

    Attributes
    ----------
    tracks : list of str, length n
        The track of each row.
    segments : ndarray [shape=(n,), dtype=int]
        The segment of each row, −1 where a row is a whole track.
    values : ndarray [shape=(n, layers, dim)]
        float32 for tracks, float16 for segments. With the pooling "mean_std" there are 2 · dim:
        means, then standard deviations over time.
    header : FeaturesHeader
        How they were made.
    digest : str
        By which conclusions know them; see `Manifest.digest`.
    """

    tracks: list[str]
    segments: NDArray[np.int64]
    values: NDArray[np.floating[Any]]
    header: FeaturesHeader
    digest: str


@dataclass(frozen=True)
class FeatureFiles:
    """The features of all datasets by all encoders, below one root folder."""

    root: Path

    def folder(self, dataset: str, encoder: str) -> Path:
        """Return the folder of the features of a dataset by an encoder."""
        return features_dir(self.root, dataset, encoder)

    @property
    def _moments(self) -> MomentFiles:
        """The moments of the same tracks: one manifest names the files of both."""
        return MomentFiles(self.root)

    def manifest(self, dataset: str, encoder: str) -> FeaturesManifest:
        """Read how the features of a dataset were made."""
        path = self.folder(dataset, encoder) / "manifest.json"
        command = command_for("extract", dataset, encoder)
        return Manifest.read(path, FeaturesHeader, FeaturesEntry, command=command)

    def header(self, dataset: str, encoder: str) -> FeaturesHeader:
        """Read what all features of a dataset by an encoder share."""
        path = self.folder(dataset, encoder) / "manifest.json"
        command = command_for("extract", dataset, encoder)
        return Manifest.read_header(path, FeaturesHeader, FeaturesEntry, command=command)

    def resume(
        self, dataset: str, encoder: str, *, header: FeaturesHeader, force: bool = False
    ) -> FeaturesManifest:
        """Open the manifest of an extraction that starts or goes on."""
        path = self.folder(dataset, encoder) / "manifest.json"
        return Manifest.resume(path, header, FeaturesEntry, force=force)

    def write(
        self,
        dataset: str,
        encoder: str,
        track_id: str,
        *,
        aggregated: NDArray[np.float32],
        segments: NDArray[np.float16],
        aggregated_std: NDArray[np.float32],
        segments_std: NDArray[np.float16],
    ) -> PooledFiles:
        """Write one track's pooled features; return the checksums for its manifest entry."""
        folder, name = self.folder(dataset, encoder), f"{file_stem(track_id)}.npy"
        return PooledFiles(
            aggregated_crc32=write_array(folder / "aggregated" / name, aggregated),
            segments_crc32=write_array(folder / "segments" / name, segments),
            aggregated_std_crc32=write_array(folder / "aggregated_std" / name, aggregated_std),
            segments_std_crc32=write_array(folder / "segments_std" / name, segments_std),
        )

    @contextmanager
    def raw_writer(self, dataset: str, encoder: str, track_id: str) -> Iterator[RawWriter]:
        """Write one track's full temporal features, a segment at a time."""
        folder = self.folder(dataset, encoder) / "raw"
        with replacing(folder / f"{file_stem(track_id)}.npy") as handle:
            writer = RawWriter(handle)
            yield writer
            writer.finish()

    def drop_raw(self, dataset: str, encoder: str, track_id: str) -> None:
        """Remove a track's full temporal features: an earlier run wrote them."""
        folder = self.folder(dataset, encoder) / "raw"
        remove(folder / f"{file_stem(track_id)}.npy")

    def has(
        self,
        dataset: str,
        encoder: str,
        track_id: str,
        entry: FeaturesEntry,
        *,
        raw: bool = False,
        moments: Kind = "none",
    ) -> bool:
        """Tell whether the files of a manifest entry are there and undamaged."""
        folder, name = self.folder(dataset, encoder), f"{file_stem(track_id)}.npy"
        try:
            if not self._moments.has(dataset, encoder, track_id, entry, kind=moments):
                return False
            size = entry.raw_bytes
            if raw and not (size and size_of(folder / "raw" / name) == size):
                return False
            return all(
                has_bytes(folder / kind / name, checksum)
                for kind, checksum in entry.pooled().items()
            )
        except OSError:
            return False

    def copy(
        self,
        dataset: str,
        encoder: str,
        old: str,
        new: str,
        entry: FeaturesEntry,
        *,
        moments: Kind = "none",
    ) -> bool:
        """Give a track the pooled features and moments of another one with the same audio.

        Returns
        -------
        bool
            False if they are not there or are damaged.
        """
        if not self.has(dataset, encoder, old, entry, moments=moments):
            return False
        if old != new:
            for before, after in zip(
                self._paths(dataset, encoder, old), self._paths(dataset, encoder, new), strict=True
            ):
                copy_file(before, after)
        return True

    def drop(self, dataset: str, encoder: str, track_id: str) -> None:
        """Remove all features of a track."""
        self.drop_raw(dataset, encoder, track_id)
        for path in self._paths(dataset, encoder, track_id):
            remove(path)

    def _paths(self, dataset: str, encoder: str, track_id: str) -> list[Path]:
        folder = self.folder(dataset, encoder)
        kinds = [folder / kind for kind in POOLED] + [self._moments.folder(dataset, encoder)]
        return [kind / f"{file_stem(track_id)}.npy" for kind in kinds]

    def read(
        self, dataset: str, encoder: str, *, level: Level = "track", pooling: Pooling = "mean"
    ) -> Features:
        """Read the features of every track that was extracted, in the order of their ids.

        Raises
        ------
        ArtifactError
            If there are none or a file is damaged.
        """
        manifest = self.manifest(dataset, encoder)
        command = command_for("extract", dataset, encoder)
        mean = "aggregated" if level == "track" else "segments"
        kinds = (mean,) if pooling == "mean" else (mean, f"{mean}_std")
        folder = self.folder(dataset, encoder)
        tracks: list[str] = []
        rows: list[NDArray[Any]] = []
        numbers: list[NDArray[np.int64]] = []
        for track_id, entry in manifest.done().items():
            arrays = [
                read_array(
                    folder / kind / f"{file_stem(track_id)}.npy",
                    checksum=entry.pooled()[kind],
                    command=command,
                )
                for kind in kinds
            ]
            array = arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=-1)
            block = array[None] if level == "track" else array
            rows.append(block)
            tracks += [track_id] * len(block)
            numbers.append(np.arange(len(block)) if level == "segment" else np.array([-1]))
        if not rows:
            raise ArtifactError(f"features of {dataset!r} by {encoder!r}", "are empty", command)
        return Features(
            tracks=tracks,
            segments=np.concatenate(numbers).astype(np.int64),
            values=np.concatenate(rows),
            header=manifest.header,
            digest=manifest.digest(),
        )

    def read_segments(
        self, dataset: str, encoder: str
    ) -> Iterator[tuple[str, NDArray[np.float16]]]:
        """Yield each track with the means of its segments [segments, layers, dim]."""
        folder = self.folder(dataset, encoder) / "segments"
        for track_id, entry in self.manifest(dataset, encoder).done().items():
            yield (
                track_id,
                read_array(
                    folder / f"{file_stem(track_id)}.npy",
                    checksum=entry.segments_crc32,
                    command=command_for("extract", dataset, encoder),
                ),
            )

    def read_track(
        self, dataset: str, encoder: str, track_id: str, entry: FeaturesEntry
    ) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
        """Return a track's means and deviations over time, and the means of its segments.

        Returns
        -------
        whole : ndarray [shape=(layers, 2 · dim)]
        segments : ndarray [shape=(segments, layers, dim)]
        """
        folder, command = self.folder(dataset, encoder), command_for("extract", dataset, encoder)

        def read(kind: str) -> NDArray[Any]:
            path = folder / kind / f"{file_stem(track_id)}.npy"
            return read_array(path, checksum=entry.pooled()[kind], command=command)

        whole = np.concatenate([read("aggregated"), read("aggregated_std")], axis=-1)
        return whole, read("segments")

    def missing(
        self, dataset: str, encoder: str, manifest: FeaturesManifest, *, whole: bool = False
    ) -> list[str]:
        """Return the tracks whose files are missing or, with ``whole``, damaged."""
        if whole:
            return [
                track_id
                for track_id, entry in manifest.done().items()
                if not self.has(dataset, encoder, track_id, entry)
            ]
        folder = self.folder(dataset, encoder)
        there = set.intersection(*(names_in(folder / kind) for kind in POOLED))
        lacking = [track for track in manifest.done() if f"{file_stem(track)}.npy" not in there]
        return lacking + self._moments.missing(dataset, encoder, manifest, whole=False)

    def size(self, dataset: str, encoder: str) -> int:
        """Return how many bytes the features of a dataset take."""
        return size_of(self.folder(dataset, encoder))

    def encoders(self, dataset: str) -> list[str]:
        """Return the encoders by which a dataset has features, in alphabetical order."""
        found = matching(processed(self.root, "features", dataset), "*/manifest*")
        slugs = sorted({path.parent.name for path in found})
        return [self._encoder_name(dataset, slug) for slug in slugs]

    def _encoder_name(self, dataset: str, slug: str) -> str:
        """Return the encoder's name; its folder's where the manifest is damaged.

        So one damaged manifest does not hide the other encoders. Its reader reports it.
        """
        try:
            return self.header(dataset, slug).encoder
        except ArtifactError:
            return slug

    def datasets(self, encoder: str) -> list[str]:
        """Return the datasets that have features by an encoder, in alphabetical order."""
        name = f"*/{encoder_slug(encoder)}/manifest.json"
        found = matching(processed(self.root, "features"), name)
        return sorted(path.parts[-3] for path in found)

    def modified(self, dataset: str, encoder: str) -> float:
        """Return when the features last changed, 0 if there are none."""
        return modified(self.folder(dataset, encoder) / "manifest.json")

    def modified_by_folder(self, dataset: str) -> tuple[tuple[str, float], ...]:
        """Return when the features in each encoder's folder of a dataset last changed."""
        found = matching(processed(self.root, "features", dataset), "*/manifest*")
        return tuple(sorted((path.parent.name, modified(path)) for path in found))


def datasets_elsewhere(root: Path) -> list[str]:
    """Return the datasets that have features at the address of a data root, none without one."""
    folder = processed(root, "features")
    mirror = mirror_of(folder / "any")
    names = mirror.names(folder) if mirror is not None else set()
    return sorted(name for name in names if not name.startswith("."))
