"""The records of a manifest of features: the encoder, and what is kept of each track."""

from dataclasses import dataclass, fields, replace
from typing import ClassVar, Literal, NamedTuple, Self

from mess.records.base import Record
from mess.records.manifest import DoneEntry, ManifestHeader

MomentsOnDisk = Literal["full", "compact", "few", "none"]
_BESIDE = ("licence", "layer_names")  # fields of an encoder that change no hidden state


@dataclass(frozen=True, kw_only=True)
class EncoderRecord(Record):
    """All that features depend on, beside the audio.

    Attributes
    ----------
    encoder, revision, weights_sha256, licence
        As `id`, `revision`, `weights_hash` and `licence` of `mess.encoders.Encoder`.
    sample_rate, layers, dim, layer_names, settings
        As in `mess.encoders.Encoder`.
    normalise : "track" or "none"
        Whether the samples of a track were normalised.
    segment_seconds : float
    code_version : int
    """

    encoder: str
    revision: str
    weights_sha256: str
    licence: str
    sample_rate: int
    layers: int
    dim: int
    layer_names: list[str]
    normalise: Literal["track", "none"]
    settings: dict[str, str | int | float | bool]
    segment_seconds: float
    code_version: int

    @property
    def dtype(self) -> str:
        """The precision of the computation."""
        return str(self.settings.get("dtype", "float32"))

    def differences(self, other: "EncoderRecord") -> list[str]:
        """Return the names of the fields by which two encoders give different hidden states."""
        names = [one.name for one in fields(EncoderRecord) if one.name not in _BESIDE]
        return [name for name in names if getattr(self, name) != getattr(other, name)]


@dataclass(frozen=True, kw_only=True)
class FeaturesHeader(EncoderRecord, ManifestHeader):
    """What all features of a dataset by an encoder share: the dataset and the encoder."""

    code_version: int


@dataclass(frozen=True, kw_only=True)
class PooledFiles:
    """The checksums of the pooled features of a track.

    Attributes
    ----------
    aggregated_crc32, segments_crc32, aggregated_std_crc32, segments_std_crc32 : int
        One for each folder of `mess.storage.paths.POOLED`.
    """

    aggregated_crc32: int
    segments_crc32: int
    aggregated_std_crc32: int
    segments_std_crc32: int

    def pooled(self) -> dict[str, int]:
        """Return the checksum of each pooled file, by the name of its folder."""
        return {
            "aggregated": self.aggregated_crc32,
            "segments": self.segments_crc32,
            "aggregated_std": self.aggregated_std_crc32,
            "segments_std": self.segments_std_crc32,
        }


@dataclass(frozen=True, kw_only=True)
class MomentsFile:
    """What is kept of the moments of a track.

    Attributes
    ----------
    moments : "full", "compact", "few" or "none", optional
        float16; 8 bits; too few states in a segment to have any; not wanted. None in an entry of
        older code.
    moments_samples : int, optional
        The length of the track at the rate of the encoder. The times of the moments follow from it.
    moments_crc32, moments_scale_crc32 : int, optional
        The checksums of the file, and of the scale of its codes.
    """

    moments: MomentsOnDisk | None = None
    moments_samples: int | None = None
    moments_crc32: int | None = None
    moments_scale_crc32: int | None = None

    @property
    def kept(self) -> "KeptMoments | None":
        """What their file is known by; None where no moments are kept."""
        if self.moments not in ("full", "compact"):
            return None
        if self.moments_samples is None or self.moments_crc32 is None:
            return None
        return KeptMoments(
            self.moments, self.moments_samples, self.moments_crc32, self.moments_scale_crc32
        )


class KeptMoments(NamedTuple):
    """A file of moments: its kind, the samples of its track, its checksum and its scale's."""

    kind: Literal["full", "compact"]
    samples: int
    crc32: int
    scale_crc32: int | None


@dataclass(frozen=True, kw_only=True)
class FeaturesEntry(DoneEntry, PooledFiles, MomentsFile):
    """The entry of a track that has features.

    Attributes
    ----------
    path, midi, composer, work, title, extra, size, mtime_ns, sha256, notes, status
        As in `DoneEntry`.
    aggregated_crc32, segments_crc32, aggregated_std_crc32, segments_std_crc32
        As in `PooledFiles`.
    moments, moments_samples, moments_crc32, moments_scale_crc32
        As in `MomentsFile`.
    duration : float
        Seconds.
    segments : int
        How many there are.
    raw_bytes : int
        The size of the file with the states of every frame; 0 where it was not wanted.
    precision_error : float, optional
        How far a coarse precision moves the means of this recording from those in float32. Of the
        first recording of such an encoder only.
    """

    OPTIONAL: ClassVar[frozenset[str]] = frozenset(
        {"precision_error", *(one.name for one in fields(MomentsFile))}
    )

    duration: float
    segments: int
    raw_bytes: int
    precision_error: float | None = None

    def with_moments(self, kept: MomentsFile) -> Self:
        """Return the entry with moments that were written anew."""
        return replace(
            self,
            moments=kept.moments,
            moments_samples=kept.moments_samples,
            moments_crc32=kept.moments_crc32,
            moments_scale_crc32=kept.moments_scale_crc32,
        )
