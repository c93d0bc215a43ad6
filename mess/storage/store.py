"""Artifacts on disk: the only module that writes them.

`mess.storage.paths` knows the paths. A reader that finds an artifact missing, damaged or stale
raises an `ArtifactError` that names the command which makes it anew.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mess.errors import ArtifactError, ArtifactStale
from mess.storage.files import (
    RawWriter,
    append_line,
    has_bytes,
    names_in,
    read_array,
    read_arrays,
    read_bytes,
    read_json,
    read_lines,
    read_table_about,
    replacing,
    table_about,
    write_array,
    write_arrays,
    write_json,
    write_table,
)
from mess.storage.manifest import Entry, Manifest, digest
from mess.storage.moments import Kind, Moments
from mess.storage.paths import POOLED, Level, command_for, file_stem
from mess.storage.results import Records, modified
from mess.storage.shapes import MAYBE, NUMBER, Shape, fits

Pooling = Literal["mean", "mean_std"]
_DONE: Shape = {"sha256": str, "size": int, "mtime_ns": int, "path": str, "work": str}
_EXTRACTED: Shape = _DONE | {"duration": NUMBER, "segments": int, "raw_bytes": int}
_EXTRACTED |= {f"{kind}_crc32": int for kind in POOLED}
_MEASURED: Shape = _DONE | {"values_crc32": int, "descriptors_crc32": int, "fingerprint_crc32": int}
_VALUES: Shape = {"track": {str: MAYBE}, "segments": {str: [MAYBE]}}


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


class Store(Moments, Records):
    """The artifacts below one root folder."""

    # Features --------------------------------------------------------------------------------

    def features_manifest(self, dataset: str, encoder: str) -> Manifest:
        """Read how the features of a dataset were made."""
        path = self._features_dir(dataset, encoder) / "manifest.json"
        return Manifest.read(
            path, command=command_for("extract", dataset, encoder), needs=_EXTRACTED
        )

    def resume_features(
        self, dataset: str, encoder: str, *, header: Mapping[str, Any], force: bool = False
    ) -> Manifest:
        """Open the manifest of an extraction that starts or goes on."""
        path = self._features_dir(dataset, encoder) / "manifest.json"
        return Manifest.resume(path, header, force=force, needs=_EXTRACTED)

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
            for kind, array in zip(POOLED, arrays, strict=True)
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
        self,
        dataset: str,
        encoder: str,
        track_id: str,
        entry: Entry,
        *,
        raw: bool = False,
        moments: Kind = "none",
    ) -> bool:
        """Tell whether the files of a manifest entry are there and undamaged."""
        folder, name = self._features_dir(dataset, encoder), f"{file_stem(track_id)}.npy"
        try:
            if not self.has_moments(dataset, encoder, track_id, entry, kind=moments):
                return False
            if raw and (folder / "raw" / name).stat().st_size != entry.get("raw_bytes"):
                return False
            return fits(entry, _EXTRACTED) and all(
                has_bytes(folder / kind / name, entry[f"{kind}_crc32"]) for kind in POOLED
            )
        except OSError:
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
                    checksum=entry[f"{one}_crc32"],
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
            manifest=manifest.header | {"fingerprint": manifest.digest()},
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

    def missing_features(
        self, dataset: str, encoder: str, manifest: Manifest, *, whole: bool
    ) -> list[str]:
        """Return the tracks whose files are missing or, with ``whole``, damaged."""
        if whole:
            return [
                track_id
                for track_id, entry in manifest.done().items()
                if not self.has_features(dataset, encoder, track_id, entry)
            ]
        folder = self._features_dir(dataset, encoder)
        there = set.intersection(*(names_in(folder / kind) for kind in POOLED))
        lacking = [one for one in manifest.done() if f"{file_stem(one)}.npy" not in there]
        return lacking + self.missing_moments(dataset, encoder, manifest, whole=False)

    def features_bytes(self, dataset: str, encoder: str) -> int:
        """Return how much disk the features of a dataset take."""
        files = self._features_dir(dataset, encoder).rglob("*")
        return sum(path.stat().st_size for path in files if path.is_file())

    def note_encoding(self, dataset: str, encoder: str, *, seconds: float, duration: float) -> None:
        """Note how long a recording took to encode: a cost, that no result depends on."""
        path = self._timings_path(dataset, encoder)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as handle:
            append_line(handle, {"seconds": round(seconds, 4), "duration": duration})

    def read_encoding_rates(self, dataset: str, encoder: str) -> list[float]:
        """Return the seconds of encoding per second of audio of every recording, the last last."""
        try:
            content = self._timings_path(dataset, encoder).read_bytes()
        except OSError:
            return []
        shape = {"seconds": NUMBER, "duration": NUMBER}
        noted = [one for one in read_lines(content) if one is not None and fits(one, shape)]
        return [one["seconds"] / one["duration"] for one in noted if one["duration"] > 0]

    # Proxy targets ---------------------------------------------------------------------------

    def targets_manifest(self, dataset: str) -> Manifest:
        """Read how the proxy targets of a dataset were made."""
        path = self._processed("targets", f"{dataset}.manifest.json")
        return Manifest.read(path, command=command_for("targets", dataset), needs=_MEASURED)

    def resume_targets(
        self, dataset: str, *, header: Mapping[str, Any], force: bool = False
    ) -> Manifest:
        """Open the manifest of a computation that starts or goes on."""
        path = self._processed("targets", f"{dataset}.manifest.json")
        return Manifest.resume(path, header, force=force, needs=_MEASURED)

    def write_measured(
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
            ``track``: target → value; ``segments``: target → values. `gather_targets` puts those
            of all tracks in the table.
        descriptors : mapping of str to ndarray [shape=(1 + s, d)]
            Plain descriptions of the track (first row) and of its segments.
        marks : ndarray
            By what another file of the same recording is known.
        """
        return {
            "values_crc32": write_json(self._values_path(dataset, track_id), values),
            "descriptors_crc32": write_arrays(
                self._descriptors_path(dataset, track_id), descriptors
            ),
            "fingerprint_crc32": write_array(self._fingerprint_path(dataset, track_id), marks),
        }

    def has_measured(self, dataset: str, track_id: str, entry: Entry) -> bool:
        """Tell whether the files of a manifest entry are there and undamaged."""
        return fits(entry, _MEASURED) and all(
            has_bytes(path(dataset, track_id), entry[f"{kind}_crc32"])
            for kind, path in (
                ("values", self._values_path),
                ("descriptors", self._descriptors_path),
                ("fingerprint", self._fingerprint_path),
            )
        )

    def missing_measured(self, dataset: str, manifest: Manifest, *, whole: bool) -> list[str]:
        """Return what is missing or, with ``whole``, damaged: tracks, and the table of all."""
        paths = (self._values_path, self._descriptors_path, self._fingerprint_path)
        if whole:
            lacking = [
                track_id
                for track_id, entry in manifest.done().items()
                if not self.has_measured(dataset, track_id, entry)
            ]
        else:
            there = names_in(self._processed("targets", dataset))
            lacking = [
                track_id
                for track_id in manifest.done()
                if not all(path(dataset, track_id).name in there for path in paths)
            ]
        path = self._table_path(dataset)
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
        """Read a track's fingerprint, by its entry in the manifest of targets."""
        path = self._fingerprint_path(dataset, track_id)
        command = command_for("targets", dataset)
        return read_array(path, checksum=entry["fingerprint_crc32"], command=command)

    def gather_targets(self, dataset: str, manifest: Manifest) -> None:
        """Write the long table of all finished tracks: track, segment (or −1), target, value.

        In it stands of which measurements it is.
        """
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
        write_table(self._table_path(dataset), table, about={"values": _values_digest(manifest)})

    def read_targets(self, dataset: str, *, level: Level = "track") -> pd.DataFrame:
        """Read the targets as a table with a row per (track, segment) and a column per target.

        Raises
        ------
        ArtifactError
            If there are none, the table is damaged, or it is not of what was measured last.
        """
        command, path = command_for("targets", dataset), self._table_path(dataset)
        table, about = read_table_about(path, command=command)
        if about.get("values") != _values_digest(self.targets_manifest(dataset)):
            raise ArtifactStale(str(path), "is not of what was measured last", command)
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
        return modified(self._table_path(dataset))

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


def _values_digest(manifest: Manifest) -> str:
    """Return by what a table knows the measurements that it holds."""
    return digest({track: entry.get("values_crc32") for track, entry in manifest.done().items()})
