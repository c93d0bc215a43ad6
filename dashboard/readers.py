"""What the pages read, cached until the files behind it change."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from mess.places import Level
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.names import Names
from mess.store import Store


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
        return Path(self.file)


def store() -> Store:
    """Return the store that this server shows."""
    return Store()


@st.cache_data(max_entries=8, show_spinner=False)
def _discovery(dataset: str, encoder: str, level: Level, version: float) -> dict[str, Any]:
    return store().read_discovery(dataset, encoder, level=level)


def discovery(dataset: str, encoder: str, *, level: Level = "track") -> dict[str, Any]:
    """Return the record of a discovery; see `Store.read_discovery`."""
    return _discovery(dataset, encoder, level, store().discovery_time(dataset, encoder, level))


@st.cache_data(max_entries=4, show_spinner=False)
def _predictions(dataset: str, encoder: str, level: Level, version: float) -> pd.DataFrame:
    return store().read_predictions(dataset, encoder, level=level)


def predictions(dataset: str, encoder: str, *, level: Level = "track") -> pd.DataFrame:
    """Return the out-of-fold predictions of a discovery."""
    return _predictions(dataset, encoder, level, store().discovery_time(dataset, encoder, level))


@st.cache_data(max_entries=8, show_spinner=False)
def _evaluation(dataset: str, encoder: str, version: float) -> dict[str, Any]:
    return store().read_evaluation(dataset, encoder)


def evaluation(dataset: str, encoder: str) -> dict[str, Any]:
    """Return how well search does what it says; see `Store.read_evaluation`."""
    return _evaluation(dataset, encoder, store().evaluation_time(dataset, encoder))


@st.cache_data(max_entries=4, show_spinner=False)
def _comparison(dataset: str, version: float) -> dict[str, Any]:
    return store().read_comparison(dataset)


def comparison(dataset: str) -> dict[str, Any]:
    """Return the encoders of a dataset beside each other; see `Store.read_comparison`."""
    return _comparison(dataset, store().comparison_time(dataset))


def probed_since(dataset: str) -> list[str]:
    """Return the encoders that were probed after the comparison was written."""
    written = store().comparison_time(dataset)
    return [
        encoder
        for encoder in store().encoders_of(dataset)
        if store().discovery_time(dataset, encoder, "track") > written
    ]


def reliability(dataset: str) -> dict[str, Any]:
    """Return how far the targets of a dataset are to be trusted."""
    return store().read_reliability(dataset)


# A resource is shared, not copied: nobody changes it, and there may be 100,000 tracks.
@st.cache_resource(max_entries=8, show_spinner=False)
def _tracks(dataset: str, encoder: str, version: float) -> dict[str, TrackInfo]:
    audio = store().audio_dir(dataset)
    return {
        track_id: TrackInfo(
            id=track_id,
            label=_label(track_id, entry),
            work=sys.intern(entry["work"]),
            file=f"{audio}{os.sep}{entry['path']}",
            duration=entry["duration"],
            composer=sys.intern(entry.get("composer") or ""),
            title=entry.get("title") or track_id,
        )
        for track_id, entry in store().features_manifest(dataset, encoder).done().items()
    }


def tracks(dataset: str, encoder: str) -> dict[str, TrackInfo]:
    """Return every track that has features, by id."""
    return _tracks(dataset, encoder, store().features_time(dataset, encoder))


@st.cache_resource(max_entries=4, show_spinner=False)
def _names(dataset: str, encoder: str, version: float) -> Names:
    known = sorted(
        tracks(dataset, encoder).values(), key=lambda one: (one.label.casefold(), one.id)
    )
    texts = [f"{one.label} {one.work.rpartition('/')[2]} {one.id}" for one in known]
    return Names([one.id for one in known], texts)


def names(dataset: str, encoder: str) -> Names:
    """Return the names of every track that has features, made ready to be searched."""
    return _names(dataset, encoder, store().features_time(dataset, encoder))


@st.cache_resource(max_entries=4, show_spinner=False)
def _recommender(dataset: str, encoder: str, version: tuple[float, ...]) -> LayerBasedRecommender:
    return LayerBasedRecommender(dataset, encoder, store=store())


def recommender(dataset: str, encoder: str) -> LayerBasedRecommender:
    """Return the recommender of an index; shared by all sessions, which only read it."""
    version = (
        store().index_time(dataset, encoder),
        store().discovery_time(dataset, encoder, "track"),
        store().features_time(dataset, encoder),
        store().evaluation_time(dataset, encoder),
    )
    return _recommender(dataset, encoder, version)


def _label(track_id: str, entry: dict[str, Any]) -> str:
    title = entry.get("title") or track_id
    composer = entry.get("composer")
    changed = entry.get("extra", {}).get("changed")
    name = f"{composer}: {title}" if composer else title
    return f"{name} ({changed} changed)" if changed else name
