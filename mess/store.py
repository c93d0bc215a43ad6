"""Artifacts on disk: the only module that writes them.

`mess.places` knows the paths. A reader that finds an artifact missing, damaged or stale
raises an `ArtifactError` that names the command which makes it anew.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mess.errors import ArtifactError
from mess.files import (
    RawWriter,
    read_array,
    read_json,
    read_table,
    replacing,
    write_array,
    write_bytes,
    write_json,
    write_table,
)
from mess.manifest import Entry, Manifest
from mess.places import Level, command_for, file_stem
from mess.records import Records, modified

Pooling = Literal["mean", "mean_std"]
_POOLED = ("aggregated", "segments", "aggregated_std", "segments_std")


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
    manifest : dict
        How they were made.
    """

    tracks: list[str]
    segments: NDArray[np.int64]
    values: NDArray[np.floating[Any]]
    manifest: dict[str, Any]


class Store(Records):
    """The artifacts below one root folder."""

    # Features --------------------------------------------------------------------------------

    def features_manifest(self, dataset: str, encoder: str) -> Manifest:
        """Read how the features of a dataset were made."""
        path = self._features_dir(dataset, encoder) / "manifest.json"
        return Manifest.read(path, command=command_for("extract", dataset, encoder))

    def resume_features(
        self, dataset: str, encoder: str, *, header: Mapping[str, Any], force: bool = False
    ) -> Manifest:
        """Open the manifest of an extraction that starts or goes on."""
        path = self._features_dir(dataset, encoder) / "manifest.json"
        return Manifest.resume(path, header, force=force)

    def write_features(
        self,
        dataset: str,
        encoder: str,
        track_id: str,
        *,
        aggregated: NDArray[np.float32],
        segments: NDArray[np.float16],
        aggregated_std: NDArray[np.float32],
        segments_std: NDArray[np.float16],
    ) -> Entry:
        """Write one track's pooled features; return the checksums for its manifest entry."""
        folder, name = self._features_dir(dataset, encoder), f"{file_stem(track_id)}.npy"
        arrays: list[NDArray[Any]] = [aggregated, segments, aggregated_std, segments_std]
        return {
            f"{kind}_crc32": write_array(folder / kind / name, array)
            for kind, array in zip(_POOLED, arrays, strict=True)
        }

    @contextmanager
    def raw_writer(self, dataset: str, encoder: str, track_id: str) -> Iterator[RawWriter]:
        """Write one track's full temporal features, a segment at a time."""
        folder = self._features_dir(dataset, encoder) / "raw"
        with replacing(folder / f"{file_stem(track_id)}.npy") as handle:
            writer = RawWriter(handle)
            yield writer
            writer.finish()

    def drop_raw(self, dataset: str, encoder: str, track_id: str) -> None:
        """Remove a track's full temporal features, which would be those of another run."""
        folder = self._features_dir(dataset, encoder) / "raw"
        (folder / f"{file_stem(track_id)}.npy").unlink(missing_ok=True)

    def has_features(
        self, dataset: str, encoder: str, track_id: str, entry: Entry, *, raw: bool = False
    ) -> bool:
        """Tell whether the files of a manifest entry are there and undamaged."""
        folder, name = self._features_dir(dataset, encoder), f"{file_stem(track_id)}.npy"
        try:
            if raw and (folder / "raw" / name).stat().st_size != entry["raw_bytes"]:
                return False
            return all(
                zlib.crc32((folder / kind / name).read_bytes()) == entry[f"{kind}_crc32"]
                for kind in _POOLED
            )
        except (OSError, KeyError):
            return False

    def read_features(
        self, dataset: str, encoder: str, *, level: Level = "track", pooling: Pooling = "mean"
    ) -> Features:
        """Read the features of every track that was extracted, in the order of their ids.

        Raises
        ------
        ArtifactError
            If there are none or a file is damaged.
        """
        manifest = self.features_manifest(dataset, encoder)
        command = command_for("extract", dataset, encoder)
        kind = "aggregated" if level == "track" else "segments"
        kinds = (kind,) if pooling == "mean" else (kind, f"{kind}_std")
        folder = self._features_dir(dataset, encoder)
        tracks: list[str] = []
        rows: list[NDArray[Any]] = []
        numbers: list[NDArray[np.int64]] = []
        for track_id, entry in manifest.done().items():
            arrays = [
                read_array(
                    folder / one / f"{file_stem(track_id)}.npy",
                    checksum=entry.get(f"{one}_crc32", -1),
                    command=command,
                )
                for one in kinds
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
            manifest=manifest.header | {"fingerprint": manifest.fingerprint()},
        )

    def read_segments(
        self, dataset: str, encoder: str
    ) -> Iterator[tuple[str, NDArray[np.float16]]]:
        """Yield each track with the means of its segments [segments, layers, dim]."""
        folder = self._features_dir(dataset, encoder) / "segments"
        for track_id, entry in self.features_manifest(dataset, encoder).done().items():
            yield (
                track_id,
                read_array(
                    folder / f"{file_stem(track_id)}.npy",
                    checksum=entry["segments_crc32"],
                    command=command_for("extract", dataset, encoder),
                ),
            )

    def features_bytes(self, dataset: str, encoder: str) -> int:
        """Return how much disk the features of a dataset take."""
        files = self._features_dir(dataset, encoder).rglob("*")
        return sum(path.stat().st_size for path in files if path.is_file())

    # Proxy targets ---------------------------------------------------------------------------

    def targets_manifest(self, dataset: str) -> Manifest:
        """Read how the proxy targets of a dataset were made."""
        path = self._processed("targets", f"{dataset}.manifest.json")
        return Manifest.read(path, command=command_for("targets", dataset))

    def resume_targets(
        self, dataset: str, *, header: Mapping[str, Any], force: bool = False
    ) -> Manifest:
        """Open the manifest of a computation that starts or goes on."""
        path = self._processed("targets", f"{dataset}.manifest.json")
        return Manifest.resume(path, header, force=force)

    def write_target_values(self, dataset: str, track_id: str, values: dict[str, Any]) -> None:
        """Keep one track's values until `gather_targets` puts all of them in the table."""
        path = self._processed("targets", dataset, f"{file_stem(track_id)}.json")
        write_json(path, values)

    def has_target_values(self, dataset: str, track_id: str) -> bool:
        """Tell whether one track's values are there and undamaged."""
        try:
            self._read_target_values(dataset, track_id)
        except ArtifactError:
            return False
        beside = (
            self._fingerprint_path(dataset, track_id),
            self._descriptors_path(dataset, track_id),
        )
        return all(path.is_file() for path in beside)

    def write_fingerprint(self, dataset: str, track_id: str, marks: NDArray[np.uint32]) -> None:
        """Write by what another file of the same recording is known."""
        write_array(self._fingerprint_path(dataset, track_id), marks)

    def write_descriptors(
        self, dataset: str, track_id: str, descriptors: Mapping[str, NDArray[np.float32]]
    ) -> None:
        """Write the plain descriptions of a track (first row) and of its segments [1 + s, d]."""
        buffer = io.BytesIO()
        np.savez(buffer, **descriptors)  # type: ignore[arg-type]
        write_bytes(self._descriptors_path(dataset, track_id), buffer.getvalue())

    def read_descriptors(
        self, dataset: str, track_id: str
    ) -> dict[str, NDArray[np.float32]] | None:
        """Read the plain descriptions of a track; None where there are none."""
        try:
            with np.load(self._descriptors_path(dataset, track_id), allow_pickle=False) as found:
                return dict(found)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def read_fingerprint(self, dataset: str, track_id: str) -> NDArray[np.uint32]:
        """Read a track's fingerprint; empty where there is none."""
        try:
            return np.load(self._fingerprint_path(dataset, track_id), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return np.empty((2, 0), dtype=np.uint32)

    def _read_target_values(self, dataset: str, track_id: str) -> dict[str, Any]:
        path = self._processed("targets", dataset, f"{file_stem(track_id)}.json")
        return read_json(path, command=command_for("targets", dataset))

    def gather_targets(self, dataset: str, manifest: Manifest) -> None:
        """Write the long table of all finished tracks: track, segment (or −1), target, value."""
        columns: dict[str, list[Any]] = {"track": [], "segment": [], "target": [], "value": []}
        for track_id in manifest.done():
            values = self._read_target_values(dataset, track_id)
            for target, value in values["track"].items():
                rows = [value, *values["segments"].get(target, [])]
                columns["track"] += [track_id] * len(rows)
                columns["segment"] += range(-1, len(rows) - 1)
                columns["target"] += [target] * len(rows)
                columns["value"] += rows
        table = pd.DataFrame(columns).astype({"segment": "int32", "value": "float64"})
        write_table(self._processed("targets", f"{dataset}.parquet"), table)

    def read_targets(self, dataset: str, *, level: Level = "track") -> pd.DataFrame:
        """Read the targets as a table with a row per (track, segment) and a column per target."""
        path = self._processed("targets", f"{dataset}.parquet")
        table = read_table(path, command=command_for("targets", dataset))
        rows = table[(table["segment"] < 0) == (level == "track")]
        wide = rows.pivot(index=["track", "segment"], columns="target", values="value")
        return wide.reindex(columns=list(dict.fromkeys(rows["target"])))

    # What there is ---------------------------------------------------------------------------

    def features_time(self, dataset: str, encoder: str) -> float:
        """Return when the features last changed, 0 if there are none."""
        return modified(self._features_dir(dataset, encoder) / "manifest.json")

    def features_times(self, dataset: str) -> tuple[tuple[str, float], ...]:
        """Return when the features by each encoder (its folder) of a dataset last changed."""
        found = self._processed("features", dataset).glob("*/manifest*")
        return tuple(sorted((path.parent.name, modified(path)) for path in found))

    def discovery_time(self, dataset: str, encoder: str, level: Level) -> float:
        """Return when a discovery was written, 0 if there is none."""
        return modified(self._discovery_path(dataset, encoder, level))

    def targets_time(self, dataset: str) -> float:
        """Return when the table of targets was written, 0 if there is none."""
        return modified(self._processed("targets", f"{dataset}.parquet"))

    def index_time(self, dataset: str, encoder: str) -> float:
        """Return when an index was written, 0 if there is none."""
        return modified(self._index_dir(dataset, encoder) / "manifest.json")

    def indexed(self) -> list[tuple[str, str]]:
        """Return (dataset, encoder) of every index, the newest first."""
        found = self._processed("indices").glob("*/*/manifest.json")
        newest = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
        places = [(path.parts[-3], path.parts[-2]) for path in newest]
        return [(dataset, self._encoder_of_index(dataset, slug)) for dataset, slug in places]

    def encoders_of(self, dataset: str) -> list[str]:
        """Return the encoders by which a dataset has features, in alphabetical order."""
        found = self._processed("features", dataset).glob("*/manifest*")
        slugs = sorted({path.parent.name for path in found})
        return [self._encoder_of_features(dataset, slug) for slug in slugs]

    # A damaged manifest must not hide the others: whoever reads it will say so.

    def _encoder_of_features(self, dataset: str, slug: str) -> str:
        try:
            return str(self.features_manifest(dataset, slug).header.get("encoder", slug))
        except ArtifactError:
            return slug

    def _encoder_of_index(self, dataset: str, slug: str) -> str:
        try:
            return str(self.read_index_record(dataset, slug).get("encoder", slug))
        except ArtifactError:
            return slug
