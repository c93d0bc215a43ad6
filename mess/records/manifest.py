"""The records of a manifest: what all its tracks share, and the entry of each track.

A manifest is a JSON object with the keys ``header`` and ``tracks``. `mess.storage.manifest` reads
and writes it. `mess.records.features` and `mess.records.targets` have the two kinds of manifests.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal, Self, cast

from mess.records.base import Record

_CHECKSUM = "_crc32"  # the end of the name of every field that holds the checksum of a file


@dataclass(frozen=True, kw_only=True)
class ManifestHeader(Record):
    """What all tracks of a manifest share.

    Attributes
    ----------
    dataset : str
    code_version : int or str
        The version of the code that made the artifacts; a str where plug-ins add theirs.
    """

    dataset: str
    code_version: int | str


@dataclass(frozen=True, kw_only=True)
class TrackLabels(Record):
    """What a dataset says of a track. Later steps need it when the audio is elsewhere.

    Attributes
    ----------
    path : str
        The audio file, below the folder of the dataset.
    midi : str or None
        The MIDI file, likewise; None where there is none.
    composer, title : str
        "" where they are not known.
    work : str
        See `mess.datasets.base.Track.work_key`.
    extra : dict of str to str
        Metadata of this dataset only.
    """

    path: str
    work: str
    midi: str | None = None
    composer: str = ""
    title: str = ""
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AudioIdentity:
    """The size, time and hash of an audio file. They tell whether it has changed.

    Attributes
    ----------
    size : int
        Bytes.
    mtime_ns : int
        Nanoseconds since the epoch.
    sha256 : str
    """

    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class FailedEntry(TrackLabels):
    """The entry of a track that could not be used.

    Attributes
    ----------
    path, midi, composer, work, title, extra
        As in `TrackLabels`.
    error : str
        The reason, in one line.
    status : "failed"
    """

    error: str
    status: Literal["failed"] = "failed"


@dataclass(frozen=True, kw_only=True)
class DoneEntry(TrackLabels, AudioIdentity):
    """The entry of a finished track; each kind of manifest adds fields.

    Attributes
    ----------
    path, midi, composer, work, title, extra
        As in `TrackLabels`.
    size, mtime_ns, sha256
        As in `AudioIdentity`.
    notes : list of str
        What is doubtful about the file.
    status : "done"
    """

    notes: list[str] = field(default_factory=list)
    status: Literal["done"] = "done"

    def checksums(self) -> Iterator[tuple[str, int]]:
        """Yield the name and the value of each checksum of a file of the track."""
        for name in _checksums_of(cast(Any, type(self))):
            if (value := getattr(self, name)) is not None:
                yield name, value

    def updated(self, identity: AudioIdentity, labels: TrackLabels) -> Self:
        """Return the entry with the present identity and labels of its track."""
        return replace(
            self,
            size=identity.size,
            mtime_ns=identity.mtime_ns,
            sha256=identity.sha256,
            path=labels.path,
            midi=labels.midi,
            composer=labels.composer,
            work=labels.work,
            title=labels.title,
            extra=labels.extra,
        )


@cache
def _checksums_of(kind: Any) -> tuple[str, ...]:
    """Return the names of the checksums in an entry; 50,000 entries of a kind are asked at once."""
    return tuple(name for name in kind.__dataclass_fields__ if name.endswith(_CHECKSUM))
