"""Maps of a dataset, and the layers that they can be drawn of."""

import streamlit as st

from dashboard.readers.data import store
from dashboard.readers.results import discovery
from mess.errors import ArtifactError
from mess.maps import likeliest_layer
from mess.records.discovery import Level
from mess.records.map import MapPoints, MapRecord
from mess.serving import shelf


@st.cache_resource(max_entries=4, show_spinner=False)
def _map_of(
    dataset: str, encoder: str, layer: int, method: str, level: Level, version: float
) -> tuple[MapRecord, MapPoints]:
    return store().maps.read(dataset, encoder, layer=layer, method=method, level=level)


def map_of(
    dataset: str, encoder: str, *, layer: int, method: str, level: Level
) -> tuple[MapRecord, MapPoints]:
    """Return a map; see `MapFiles.read`. Nobody may change the arrays."""
    version = store().maps.modified(dataset, encoder, layer=layer, method=method, level=level)
    return _map_of(dataset, encoder, layer, method, level, version)


def map_rows(record: MapRecord, points: MapPoints) -> list[tuple[str, int]]:
    """Return track and segment of every point of a map."""
    ids = record.tracks
    pairs = zip(points.track.tolist(), points.segment.tolist(), strict=True)
    return [(ids[track], segment) for track, segment in pairs]


def layer_names(dataset: str, encoder: str) -> list[str]:
    """Return the names of the layers by which a dataset was extracted."""
    return list(shelf.features(store(), dataset, encoder).header.layer_names)


def best_layer(dataset: str, encoder: str, *, layers: int, level: Level) -> int:
    """Return the layer of the highest mean R², the last where none was probed."""
    try:
        return likeliest_layer(discovery(dataset, encoder, level=level).cells, layers=layers)
    except ArtifactError:
        return layers - 1
