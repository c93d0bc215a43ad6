"""The tracks of a dataset as lists show them, and their names made ready to be searched."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from dashboard.readers.data import store
from mess.audio.addresses import as_path
from mess.audio.decoding import segment_span
from mess.records.manifest import TrackLabels
from mess.search.names import Names


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


# A resource is shared, not copied: nobody changes it, and there may be 100,000 tracks.
@st.cache_resource(max_entries=8, show_spinner=False)
def _tracks(dataset: str, encoder: str, version: float) -> dict[str, TrackInfo]:
    audio = store().audio_dir(dataset)
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
        for track_id, entry in store().features.manifest(dataset, encoder).done().items()
    }


def tracks(dataset: str, encoder: str) -> dict[str, TrackInfo]:
    """Return every track that has features, by id."""
    return _tracks(dataset, encoder, store().features.modified(dataset, encoder))


@st.cache_resource(max_entries=4, show_spinner=False)
def _names(dataset: str, encoder: str, version: float) -> Names:
    known = sorted(
        tracks(dataset, encoder).values(), key=lambda one: (one.label.casefold(), one.id)
    )
    texts = [f"{one.label} {one.work.rpartition('/')[2]} {one.id}" for one in known]
    return Names([one.id for one in known], texts)


def names(dataset: str, encoder: str) -> Names:
    """Return the names of every track that has features, made ready to be searched."""
    return _names(dataset, encoder, store().features.modified(dataset, encoder))


def segment_start(track: TrackInfo | None, segment: int) -> float:
    """Return where a segment of a track begins in seconds; 0 for a whole track.

    See `mess.audio.decoding.segment_span`.
    """
    if track is None or segment < 0:
        return 0.0
    return segment_span(segment, track.duration)[0]


def _label(track_id: str, labels: TrackLabels) -> str:
    title = labels.title or track_id
    changed = labels.extra.get("changed")
    name = f"{labels.composer}: {title}" if labels.composer else title
    return f"{name} ({changed} changed)" if changed else name
