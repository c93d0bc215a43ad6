"""What the manifest keeps of a recording, and whether a recording is still the same."""

from pathlib import Path

from mess.datasets import Dataset, Track
from mess.errors import MessError
from mess.records.base import DoesNotFit
from mess.records.manifest import (
    AudioIdentity,
    TrackLabels,
)
from pipelines.engine import audio_identity


def same_audio(track: Track, entry: AudioIdentity) -> AudioIdentity | None:
    """Return the identity of a track whose audio is that of an entry, None if it is another.

    A file is read only if its size or time is not that of the entry.
    """
    try:
        stat = track.path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (entry.size, entry.mtime_ns):
            return entry
        identity = audio_identity(track)
    except (OSError, MessError):
        return None
    return identity if identity.sha256 == entry.sha256 else None


def labels_of(dataset: Dataset, track: Track) -> TrackLabels:
    """Return what later steps need to know of a track when its audio is elsewhere.

    Raises
    ------
    MessError
        If the dataset (of another package, say) has a label of a wrong type.
    """
    try:
        return TrackLabels.of(
            path=_relative(track.path, dataset),
            midi=_relative(track.midi_path, dataset) if track.midi_path else None,
            composer=track.composer,
            work=track.work_key,
            title=track.title,
            extra=dict(track.extra),
        )
    except (DoesNotFit, TypeError) as error:
        raise MessError(
            f"dataset {dataset.name!r}: the track {track.id!r} cannot be recorded ({error}); "
            "mend the code that lists the dataset"
        ) from error


def _relative(path: Path, dataset: Dataset) -> str:
    try:
        return path.relative_to(dataset.root).as_posix()
    except ValueError:
        return str(path)
