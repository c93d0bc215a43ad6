"""The tracks of a dataset as lists show them, and their names made ready to be searched."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mess.audio.addresses import as_path
from mess.errors import MessError
from mess.records.manifest import TrackLabels
from mess.search.names import Names
from mess.storage.manifest import FeaturesManifest
from mess.storage.store import Store


@dataclass(frozen=True, slots=True)
class TrackInfo:
    """A track as a list shows it; there may be 100,000, so it is kept small."""

    id: str
    label: str
    work: str
    file: str
    duration: float
    composer: str = ""
    title: str = ""

    @property
    def path(self) -> Path:
        """Where the recording lies."""
        return as_path(self.file)


def list_tracks(features: FeaturesManifest, audio: Path) -> dict[str, TrackInfo]:
    """Return every track that has features, by id.

    Parameters
    ----------
    features : Manifest
    audio : Path
        Where the recordings of the dataset lie.
    """
    return {
        track_id: TrackInfo(
            id=track_id,
            label=_label(track_id, entry),
            work=sys.intern(entry.work),
            file=f"{audio}{os.sep}{entry.path}",
            duration=entry.duration,
            composer=sys.intern(entry.composer),
            title=entry.title or track_id,
        )
        for track_id, entry in features.done().items()
    }


def searchable(tracks: Mapping[str, TrackInfo]) -> Names:
    """Return the names of tracks, in the order of their labels."""
    known = sorted(tracks.values(), key=lambda one: (one.label.casefold(), one.id))
    texts = [f"{one.label} {one.work.rpartition('/')[2]} {one.id}" for one in known]
    return Names([one.id for one in known], texts)


def recording_of(store: Store, dataset: str, track: TrackInfo | None) -> tuple[Path, float]:
    """Return the file of a track, and its time.

    What a manifest says of a file is a place below the recordings of its dataset, or a lie.

    Raises
    ------
    MessError
        If there is no such track, or its file is elsewhere or gone.
    """
    folder = f"{os.path.normpath(store.audio_dir(dataset))}{os.sep}"
    if track is None or not os.path.normpath(track.path).startswith(folder):
        raise MessError("no such track")
    try:
        return track.path, track.path.stat().st_mtime
    except OSError:
        raise MessError(f"{track.path.name}: the recording is not on this machine") from None


def _label(track_id: str, labels: TrackLabels) -> str:
    title = labels.title or track_id
    changed = labels.extra.get("changed")
    name = f"{labels.composer}: {title}" if labels.composer else title
    return f"{name} ({changed} changed)" if changed else name
