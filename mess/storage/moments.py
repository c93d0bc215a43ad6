"""States of moments on disk: in full, or in 8 bits with a scale per dimension.

Task: keep [moments, layers, dim] of every track so small that they can be kept by default, and so
well that curves are read from them as from the full ones. What curves need is not in the strong
directions, so every dimension keeps its own scale and none is left out.

Conventions: the *kind* is "full" (float16) or "compact" (8 bits: a value is offset + step · code,
each of its layer and dimension). The scale is learned from the first tracks of a dataset and lies
in one file. The manifest's entry of each compact track has its checksum, so codes are never read by
another scale. Until it is learned, tracks are kept in full; `MomentFiles.compact` writes these
anew.
"""

import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mess.audio.moments import MOMENT_RATE, moment_grid
from mess.errors import ArtifactError, ArtifactMissing, MessError
from mess.records.features import FeaturesEntry, KeptMoments, MomentsFile
from mess.storage.arrays import map_array, read_array, write_array
from mess.storage.files import exists, has_bytes, names_in, read_bytes, remove
from mess.storage.manifest import FeaturesManifest
from mess.storage.paths import command_for, features_dir, file_stem

Kind = Literal["full", "compact", "none"]
KINDS: tuple[Kind, ...] = ("compact", "full", "none")
FIRST_TRACKS = 20  # that the scale is learned from
_CODES = 256
_DEVIATIONS = 6.0  # on both sides of the mean: hidden states have few values beyond
_ROWS = 128  # moments that are encoded at a time: few calls, and little memory
_THREADS = 4  # that encode, where many tracks are
_BYTES = {"full": 2, "compact": 1, "none": 0}


@dataclass(frozen=True)
class Scale:
    """What the codes of compact moments mean.

    Attributes
    ----------
    offset, step : ndarray [shape=(layers, dim), dtype=float32]
    """

    offset: NDArray[np.float32]
    step: NDArray[np.float32]

    @classmethod
    def learn(cls, moments: list[NDArray[np.float16]]) -> "Scale":
        """Return the scale of some tracks: six deviations on both sides of the mean."""
        count = sum(len(one) for one in moments)
        rows = [one[at : at + _ROWS] for one in moments for at in range(0, len(one), _ROWS)]
        mean = sum(row.sum(axis=0, dtype=np.float64) for row in rows) / count
        squares = sum(_squares(row, mean) for row in rows)
        reach = _DEVIATIONS * np.sqrt(squares / count)
        reach = np.maximum(reach, 1e-6 * np.maximum(np.abs(mean), 1e-6))  # what never varies
        step = 2 * reach / (_CODES - 1)
        return cls((mean - reach).astype(np.float32), step.astype(np.float32))

    def encode(self, moments: NDArray[np.float16]) -> NDArray[np.uint8]:
        """Return the codes of moments [n, layers, dim]; what lies beyond the scale is cut off."""
        codes = np.empty(moments.shape, dtype=np.uint8)
        for first in range(0, len(moments), _ROWS):  # a part at a time, in the cache
            exact = moments[first : first + _ROWS].astype(np.float32)
            exact -= self.offset
            exact /= self.step
            np.rint(exact, out=exact)
            codes[first : first + _ROWS] = np.clip(exact, 0, _CODES - 1, out=exact)
        return codes

    def decode(self, codes: NDArray[np.uint8], *, layer: int) -> NDArray[np.float32]:
        """Return the values [n, dim] of one layer."""
        return self.offset[layer] + self.step[layer] * codes[:, layer]


def _squares(moments: NDArray[np.float16], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums of the squared differences from the mean."""
    differs = moments - mean
    total: NDArray[np.float64] = np.einsum("nld,nld->ld", differs, differs)
    return total


@dataclass(frozen=True)
class TrackMoments:
    """The moments of a track, mapped into memory.

    Attributes
    ----------
    track : str
    stored : ndarray [shape=(moments, layers, dim)]
        Values, or codes where there is a scale.
    scale : Scale or None
    start : ndarray [shape=(moments,)]
        When each begins, in seconds.
    """

    track: str
    stored: NDArray[Any]
    scale: Scale | None
    start: NDArray[np.float64]

    def layer(self, layer: int) -> NDArray[np.float32]:
        """Return the values [moments, dim] of one layer."""
        if self.scale is None:
            return self.stored[:, layer].astype(np.float32)
        return self.scale.decode(self.stored, layer=layer)


def moments_bytes(seconds: float, *, layers: int, dim: int, kind: Kind) -> int:
    """Return how much disk the moments of so much audio take."""
    return round(seconds * MOMENT_RATE * layers * dim * _BYTES[kind])


@dataclass(frozen=True)
class MomentFiles:
    """The moments of all datasets by all encoders, below one root folder."""

    root: Path

    def folder(self, dataset: str, encoder: str) -> Path:
        """Return the folder of the moments of a dataset by an encoder."""
        return features_dir(self.root, dataset, encoder) / "moments"

    def scale_path(self, dataset: str, encoder: str) -> Path:
        """Return the path of the scale that all compact moments of the folder share."""
        return features_dir(self.root, dataset, encoder) / "moments.scale.npy"

    def write(
        self,
        dataset: str,
        encoder: str,
        track_id: str,
        moments: NDArray[np.float16],
        *,
        samples: int,
        kind: Kind,
    ) -> MomentsFile:
        """Write the moments of a track; return what its manifest entry keeps of them.

        Compact ones are kept in full as long as there is no scale. ``samples`` is the length of the
        track at the encoder's rate, from which the times of the moments follow.
        """
        path = self.folder(dataset, encoder) / f"{file_stem(track_id)}.npy"
        scale = self._read_scale(dataset, encoder) if kind == "compact" else None
        if scale is None:
            return MomentsFile(
                moments="full", moments_samples=samples, moments_crc32=write_array(path, moments)
            )
        known, checksum = scale
        return MomentsFile(
            moments="compact",
            moments_samples=samples,
            moments_crc32=write_array(path, known.encode(moments)),
            moments_scale_crc32=checksum,
        )

    def _read_scale(self, dataset: str, encoder: str) -> tuple[Scale, int] | None:
        """Return the scale and its checksum, None where none was learned."""
        try:
            content = read_bytes(self.scale_path(dataset, encoder), command="")
            checksum = zlib.crc32(content)
            array = read_array(self.scale_path(dataset, encoder), checksum=checksum, command="")
            return Scale(array[0], array[1]), checksum
        except (OSError, ArtifactError, ValueError):
            return None

    def begin(self, dataset: str, encoder: str, manifest: FeaturesManifest) -> None:
        """Forget a scale that no track of a manifest is written by: of other weights, say."""
        if all(entry.moments_scale_crc32 is None for entry in manifest.done().values()):
            remove(self.scale_path(dataset, encoder))

    def compact(
        self, dataset: str, encoder: str, manifest: FeaturesManifest, *, least: int = 1
    ) -> None:
        """Write in 8 bits what lies in full, from ``least`` such tracks on.

        The scale is learned from these tracks where there is none yet. Where there is one, only a
        call without ``least`` looks for what was left in full.
        """
        if least > 1 and exists(self.scale_path(dataset, encoder)):
            return
        done = manifest.done().items()
        full = [
            (track, entry, entry.kept)
            for track, entry in done
            if entry.kept is not None and entry.kept.kind == "full"
        ]
        if len(full) < least or not full:
            return
        folder = self.folder(dataset, encoder)
        command = command_for("extract", dataset, encoder)
        if self._read_scale(dataset, encoder) is None:
            first = [
                map_array(folder / f"{file_stem(track)}.npy", checksum=kept.crc32, command=command)
                for track, _, kept in full[:FIRST_TRACKS]
            ]
            scale = Scale.learn(first)
            path = self.scale_path(dataset, encoder)
            write_array(path, np.stack([scale.offset, scale.step]))

        def encode(track: str, kept: KeptMoments) -> MomentsFile:
            path = folder / f"{file_stem(track)}.npy"
            values = read_array(path, checksum=kept.crc32, command=command)
            return self.write(dataset, encoder, track, values, samples=kept.samples, kind="compact")

        with ThreadPoolExecutor(_THREADS) as threads:
            # Each is recorded as soon as it and those before it are written.
            made = threads.map(encode, [track for track, *_ in full], [kept for *_, kept in full])
            for (track, entry, _), compact in zip(full, made, strict=True):
                manifest.record(track, entry.with_moments(compact))

    def drop(self, dataset: str, encoder: str, track_id: str) -> None:
        """Remove a track's moments, which would be those of another run."""
        folder = self.folder(dataset, encoder)
        remove(folder / f"{file_stem(track_id)}.npy")

    def has(
        self,
        dataset: str,
        encoder: str,
        track_id: str,
        entry: FeaturesEntry,
        *,
        kind: Kind = "none",
    ) -> bool:
        """Tell whether the moments of a manifest entry are there, undamaged and of a kind.

        Moments in full count as "compact", too: `compact` makes them so. An encoder with too few
        states in a segment ("few") has no moments of any kind.
        """
        if kind == "full" and entry.moments not in ("full", "few"):
            return False
        if kind == "compact" and entry.moments not in ("full", "compact", "few"):
            return False
        if entry.moments not in ("full", "compact"):
            return True
        path = self.folder(dataset, encoder) / f"{file_stem(track_id)}.npy"
        if entry.kept is None or not has_bytes(path, entry.kept.crc32):
            return False
        scale = self.scale_path(dataset, encoder)
        return entry.kept.kind == "full" or has_bytes(scale, entry.moments_scale_crc32)

    def missing(
        self, dataset: str, encoder: str, manifest: FeaturesManifest, *, whole: bool
    ) -> list[str]:
        """Return the tracks whose moments are missing or, with ``whole``, damaged."""
        with_moments = {
            track: entry
            for track, entry in manifest.done().items()
            if entry.moments in ("full", "compact")
        }
        if whole:
            return [
                track
                for track, entry in with_moments.items()
                if not self.has(dataset, encoder, track, entry)
            ]
        there = names_in(self.folder(dataset, encoder)) if with_moments else set()
        return [track for track in with_moments if f"{file_stem(track)}.npy" not in there]

    def read(
        self, dataset: str, encoder: str, manifest: FeaturesManifest
    ) -> Iterator[TrackMoments]:
        """Yield the moments of every track of a manifest that has them, in the order of the ids.

        Raises
        ------
        ArtifactError
            If a file is missing or damaged.
        """
        scale = self._read_scale(dataset, encoder)
        for track, entry in manifest.done().items():
            if entry.kept is not None:
                yield self._read_one(dataset, encoder, manifest, track, entry.kept, scale=scale)

    def read_track(
        self, dataset: str, encoder: str, manifest: FeaturesManifest, track_id: str
    ) -> TrackMoments:
        """Return the moments of one track.

        Raises
        ------
        MessError
            If they are not kept, or are missing or damaged.
        """
        entry = manifest.tracks.get(track_id)
        kept = entry.kept if isinstance(entry, FeaturesEntry) else None
        if kept is None:
            few = isinstance(entry, FeaturesEntry) and entry.moments == "few"
            raise without_moments(track_id, dataset=dataset, encoder=encoder, few=few)
        scale = self._read_scale(dataset, encoder)
        return self._read_one(dataset, encoder, manifest, track_id, kept, scale=scale)

    def _read_one(
        self,
        dataset: str,
        encoder: str,
        manifest: FeaturesManifest,
        track_id: str,
        kept: KeptMoments,
        *,
        scale: tuple[Scale, int] | None,
    ) -> TrackMoments:
        command = command_for("extract", dataset, encoder)
        path = self.folder(dataset, encoder) / f"{file_stem(track_id)}.npy"
        stored = map_array(path, checksum=kept.crc32, command=command)
        start = moment_grid(kept.samples, manifest.header.sample_rate).start
        if kept.kind == "full":
            return TrackMoments(track_id, stored, None, start)
        if scale is None:
            raise ArtifactMissing(str(self.scale_path(dataset, encoder)), command)
        if scale[1] != kept.scale_crc32:
            path = self.scale_path(dataset, encoder)
            raise ArtifactError(str(path), "is damaged", command)
        return TrackMoments(track_id, stored, scale[0], start)


def without_moments(of: str, *, dataset: str, encoder: str, few: bool) -> MessError:
    """Return why no moments are kept: no command makes those of an encoder with too few states.

    Parameters
    ----------
    of : str
        A track or a dataset.
    dataset, encoder : str
    few : bool
        Whether the encoder has too few states in a segment.
    """
    if few:
        return MessError(
            f"{encoder!r} has too few states over time for moments of {of!r}: name another encoder"
        )
    command = command_for("extract", dataset, encoder)
    return ArtifactError(f"moments of {of!r} by {encoder!r}", "are not kept", command)
