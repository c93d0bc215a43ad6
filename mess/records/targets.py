"""The records of targets: their manifest, and what was measured of one track."""

from dataclasses import dataclass

from mess.records.base import Record
from mess.records.manifest import DoneEntry, ManifestHeader


@dataclass(frozen=True, kw_only=True)
class TargetsHeader(ManifestHeader):
    """How the targets and curves of a dataset were measured.

    Attributes
    ----------
    dataset, code_version
        As in `ManifestHeader`.
    targets, curves : list of str
        What was measured.
    sample_rate : int
        Hz.
    segment_seconds : float
    curves_version : int
    """

    targets: list[str]
    sample_rate: int
    segment_seconds: float
    curves: list[str]
    curves_version: int


@dataclass(frozen=True, kw_only=True)
class TargetFilesOfTrack:
    """The checksums of the files of a measured track.

    Attributes
    ----------
    values_crc32, descriptors_crc32, fingerprint_crc32 : int
        See `mess.storage.targets`.
    """

    values_crc32: int
    descriptors_crc32: int
    fingerprint_crc32: int


@dataclass(frozen=True, kw_only=True)
class TargetsEntry(DoneEntry, TargetFilesOfTrack):
    """The entry of a measured track.

    Attributes
    ----------
    path, midi, composer, work, title, extra, size, mtime_ns, sha256, notes, status
        As in `DoneEntry`.
    values_crc32, descriptors_crc32, fingerprint_crc32
        As in `TargetFilesOfTrack`.
    curves_crc32 : int
        See `mess.storage.curves`.
    midi_stat : (int, int) or None
        Size and time of the MIDI file; None where there is none.
    """

    curves_crc32: int
    midi_stat: tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class MeasuredValues(Record):
    """The targets of one track, as they lie on disk.

    Attributes
    ----------
    track : dict of str to (float or None)
        Target → value; None where it is undefined.
    segments : dict of str to list of (float or None)
        Target → a value for each segment.
    """

    track: dict[str, float | None]
    segments: dict[str, list[float | None]]
