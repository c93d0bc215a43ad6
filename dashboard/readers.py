"""What the pages read, cached until the files behind it change."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from mess.audio.decoding import SEGMENT_SECONDS
from mess.datasets import available_datasets
from mess.errors import ArtifactError
from mess.maps import likeliest_layer
from mess.reports.comparison import with_rates
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.names import Names
from mess.search.passages.recommender import PassageRecommender
from mess.status.staleness import (
    Conclusion,
    Sources,
    attempt,
    judge,
    judge_comparison,
    judge_cross,
    judge_reliability,
)
from mess.storage.paths import Level
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


# A resource is shared, not copied: nobody changes it, and there may be a million predictions.
@st.cache_resource(max_entries=4, show_spinner=False)
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
    return with_rates(store(), store().read_comparison(dataset))


def comparison(dataset: str) -> dict[str, Any]:
    """Return the encoders of a dataset beside each other; see `Store.read_comparison`."""
    return _comparison(dataset, store().comparison_time(dataset))


@st.cache_data(max_entries=32, show_spinner=False)
def _stale(
    kind: Conclusion, dataset: str, encoder: str, made_from: str, version: tuple[float, ...]
) -> str:
    return str(judge(kind, json.loads(made_from), Sources(store(), dataset, encoder)))


def stale(kind: Conclusion, dataset: str, encoder: str, record: Mapping[str, Any]) -> str:
    """Return why something that was read is stale, "" where it is not; see `judge`."""
    names = ("code_version", "features", "targets", "index", "discovery", "inputs")
    made_from = {name: record[name] for name in names if name in record}
    version = (
        store().features_time(dataset, encoder),
        store().targets_time(dataset),
        store().index_time(dataset, encoder),
        store().discovery_time(dataset, encoder, "track"),
    )
    return _stale(kind, dataset, encoder, json.dumps(made_from, sort_keys=True), version)


@st.cache_data(max_entries=8, show_spinner=False)
def _stale_comparison(dataset: str, version: tuple[float, ...]) -> str:
    return str(judge_comparison(store(), dataset, store().read_comparison(dataset)))


def stale_comparison(dataset: str) -> str:
    """Return why a comparison is stale, "" where it is not."""
    encoders = store().encoders_of(dataset)
    times = [store().discovery_time(dataset, encoder, "track") for encoder in encoders]
    return _stale_comparison(dataset, (store().comparison_time(dataset), *times))


def stale_reliability(dataset: str, record: Mapping[str, Any]) -> str:
    """Return why a test of the targets is stale, "" where it is not."""
    return str(judge_reliability(record, attempt(lambda: store().targets_manifest(dataset))))


def stale_cross(encoder: str, record: Mapping[str, Any]) -> str:
    """Return why a cross table is stale, "" where it is not."""
    return str(judge_cross(store(), encoder, record))


def reliability(dataset: str) -> dict[str, Any]:
    """Return how far the targets of a dataset are to be trusted."""
    return store().read_reliability(dataset)


def discoveries() -> list[tuple[str, str, Level]]:
    """Return dataset, encoder and level of every discovery that there is."""
    levels: tuple[Level, ...] = ("track", "segment")
    return [
        (dataset, encoder, level)
        for dataset in available_datasets(store().audio_dir(""))
        for encoder in store().encoders_of(dataset)
        for level in levels
        if store().discovery_time(dataset, encoder, level) > 0
    ]


def datasets_of(encoder: str) -> list[str]:
    """Return the datasets that have features by an encoder."""
    datasets = available_datasets(store().audio_dir(""))
    return [name for name in datasets if store().features_time(name, encoder) > 0]


def segment_start(track: TrackInfo | None, segment: int) -> float:
    """Return where a segment of a track begins in seconds; 0 for a whole track.

    The last segment is shifted back to end with the track: `mess.audio.decoding.segment_bounds`.
    """
    if track is None or segment < 0:
        return 0.0
    return max(0.0, min(segment * SEGMENT_SECONDS, track.duration - SEGMENT_SECONDS))


def cross(encoder: str) -> dict[str, Any]:
    """Return how the probes of one dataset do on another."""
    return store().read_cross(encoder)


@st.cache_resource(max_entries=4, show_spinner=False)
def _targets(dataset: str, level: Level, version: float) -> pd.DataFrame:
    return store().read_targets(dataset, level=level)


def targets(dataset: str, *, level: Level = "track") -> pd.DataFrame:
    """Return the targets of a dataset; see `Store.read_targets`. Nobody may change the table."""
    return _targets(dataset, level, store().targets_time(dataset))


@st.cache_data(max_entries=4, show_spinner=False)
def _stated(dataset: str, name: str, version: float) -> "pd.Series[float]":
    entries = store().targets_manifest(dataset).done()
    found = {track: entry.get("extra", {}).get(name) for track, entry in entries.items()}
    return pd.to_numeric(pd.Series(found, dtype=object), errors="coerce").dropna()


def stated(dataset: str, name: str) -> "pd.Series[float]":
    """Return a number that a dataset states of its tracks, by id; empty where it states none."""
    return _stated(dataset, name, store().targets_time(dataset))


def target_names(dataset: str) -> list[str]:
    """Return the targets that have values, none where nothing was measured."""
    try:
        table = targets(dataset)
    except ArtifactError:
        return []
    return [name for name in table.columns if table[name].notna().any()]


def target_values(
    dataset: str, target: str, rows: Sequence[tuple[str, int]], *, level: Level = "track"
) -> NDArray[np.float64]:
    """Return a target of each row (track, segment), NaN where it is unknown.

    A target that means nothing on a segment is that of the whole track.
    """
    table = targets(dataset, level=level)
    if target not in table.columns:
        table, rows = targets(dataset), [(track, -1) for track, _ in rows]
    index = pd.MultiIndex.from_tuples(rows, names=table.index.names)
    return table[target].reindex(index).to_numpy(dtype=np.float64)


@st.cache_resource(max_entries=4, show_spinner=False)
def _map_of(
    dataset: str, encoder: str, layer: int, method: str, level: Level, version: float
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    return store().read_map(dataset, encoder, layer=layer, method=method, level=level)


def map_of(
    dataset: str, encoder: str, *, layer: int, method: str, level: Level
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return a map; see `Store.read_map`. Nobody may change the arrays."""
    version = store().map_time(dataset, encoder, layer=layer, method=method, level=level)
    return _map_of(dataset, encoder, layer, method, level, version)


def map_rows(
    record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> list[tuple[str, int]]:
    """Return track and segment of every point of a map."""
    ids = record["tracks"]
    pairs = zip(arrays["track"].tolist(), arrays["segment"].tolist(), strict=True)
    return [(ids[track], segment) for track, segment in pairs]


@st.cache_data(max_entries=8, show_spinner=False)
def _layer_names(dataset: str, encoder: str, version: float) -> list[str]:
    manifest = store().features_manifest(dataset, encoder)
    return [str(name) for name in manifest.header["layer_names"]]


def layer_names(dataset: str, encoder: str) -> list[str]:
    """Return the names of the layers by which a dataset was extracted."""
    return _layer_names(dataset, encoder, store().features_time(dataset, encoder))


def best_layer(dataset: str, encoder: str, *, layers: int, level: Level) -> int:
    """Return the layer of the highest mean R², the last where none was probed."""
    try:
        return likeliest_layer(discovery(dataset, encoder, level=level), layers=layers)
    except ArtifactError:
        return layers - 1


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


@st.cache_resource(max_entries=2, show_spinner=False)
def _passages(dataset: str, encoder: str, version: tuple[float, ...]) -> PassageRecommender:
    return PassageRecommender(dataset, encoder, store=store())


def passages(dataset: str, encoder: str) -> PassageRecommender:
    """Return what searches the segments of a dataset; shared by all sessions."""
    version = (
        store().passages_time(dataset, encoder),
        store().features_time(dataset, encoder),
        store().targets_time(dataset),
    )
    return _passages(dataset, encoder, version)


def _label(track_id: str, entry: dict[str, Any]) -> str:
    title = entry.get("title") or track_id
    composer = entry.get("composer")
    changed = entry.get("extra", {}).get("changed")
    name = f"{composer}: {title}" if composer else title
    return f"{name} ({changed} changed)" if changed else name
