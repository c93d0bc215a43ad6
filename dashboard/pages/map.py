"""Map: tracks or segments on a plane, near each other where a layer is similar."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from dashboard import readers
from dashboard.components.text import plain
from dashboard.figures.map import categories, map_figure
from dashboard.sections.missing import offer, tell_stale
from dashboard.sections.selection import picked_rows, row_name, show_selection
from dashboard.sidebar import selected
from mess.errors import ArtifactError
from mess.maps import METHODS
from mess.records.discovery import Level
from mess.records.map import MapPoints, MapRecord
from mess.targets import title_with_unit

_CATEGORIES = ("composer", "work", "cluster")
_LEVELS: dict[Level, str] = {"track": "whole tracks", "segment": "segments of 5 s"}
_MOUSE = {"lasso": "lasso", "select": "box", "pan": "click"}
_READ_AS = {
    "pca": "Both axes are directions of greatest variance, so large distances are meaningful.",
    "tsne": "Neighbours are meaningful. Distances between groups and sizes of groups are not.",
    "umap": "Neighbours are meaningful. Distances between groups are hardly so.",
}


def main() -> None:
    """Draw the page."""
    st.title("Map")
    dataset, encoder = selected()
    st.markdown("Points that are close are similar in the layer. Draw around some to hear them.")
    try:
        tracks = readers.tracks(dataset, encoder)
        names = readers.layer_names(dataset, encoder)
    except ArtifactError as error:
        command = ["run-all", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Run it now")
        return
    _show(dataset, encoder, tracks, names)


@st.fragment
def _show(
    dataset: str, encoder: str, tracks: dict[str, readers.TrackInfo], names: list[str]
) -> None:
    level, layer, method = _choose(dataset, encoder, names)
    command = ["map", "--dataset", dataset, "--encoder", encoder, "--layer", str(layer)]
    command += ["--method", method, "--level", level]
    try:
        record, _ = readers.map_of(dataset, encoder, layer=layer, method=method, level=level)
    except ArtifactError as error:
        offer(error, dataset=dataset, command=command, button="Draw this map")
        return
    why = readers.stale("map", dataset, encoder, record.origin)
    tell_stale("This map", why, dataset=dataset, command=command, button="Draw it again")
    options = [*_CATEGORIES, *readers.target_names(dataset)]
    left, right = st.columns([4, 2])
    colour = left.selectbox("Colour", options, key="map-colour", format_func=title_with_unit)
    mouse = right.segmented_control(
        "Pick by",
        list(_MOUSE),
        default="lasso",
        key="map-mouse",
        format_func=_MOUSE.__getitem__,
        required=True,
    )
    version = (
        readers.store().maps.modified(dataset, encoder, layer=layer, method=method, level=level),
        readers.store().features.modified(dataset, encoder),
        readers.store().targets.modified(dataset),
    )
    figure, rows, colours = _figure(
        dataset, encoder, layer, method, level, colour, mouse or "lasso", version
    )
    words = _words(record, colour, colours)
    event: Any = st.plotly_chart(
        figure,
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
        key=f"map-{dataset}-{encoder}-{level}-{layer}-{method}",
        config={"displaylogo": False, "scrollZoom": True, "displayModeBar": True},
        alt=words,
    )
    st.caption(f"{words} {_READ_AS[method]}")
    chosen = picked_rows(event)
    if not chosen:
        st.info(
            "Draw around some points, or pick by click and choose one: they are listed here. The "
            "wheel zooms."
        )
        return
    st.header(f"{len(chosen)} {level}{'s' * (len(chosen) != 1)} chosen")
    text = [_text(colours[row]) for row in chosen]
    show_selection(
        [rows[row] for row in chosen],
        tracks,
        dataset=dataset,
        encoder=encoder,
        values={title_with_unit(colour): text},
        key="map-player",
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _figure(
    dataset: str,
    encoder: str,
    layer: int,
    method: str,
    level: Level,
    colour: str,
    mouse: str,
    version: tuple[float, ...],
) -> tuple[go.Figure, list[tuple[str, int]], list[str] | NDArray[np.float64]]:
    """Return the figure of a map with track, segment and colour of each of its points."""
    record, points = readers.map_of(dataset, encoder, layer=layer, method=method, level=level)
    tracks = readers.tracks(dataset, encoder)
    rows = readers.map_rows(record, points)
    colours = _colours(colour, rows, points, tracks, dataset=dataset, level=level)
    labels = [row_name(tracks, *row) for row in rows]
    name = title_with_unit(colour)
    figure = map_figure(points.points, labels, colours, title=name, mouse=mouse)
    return figure, rows, colours


def _choose(dataset: str, encoder: str, names: list[str]) -> tuple[Level, int, str]:
    """Return level, layer and method."""
    first, second, third = st.columns([2, 2, 2])
    level = first.segmented_control(
        "Rows",
        list(_LEVELS),
        default="track",
        key="map-level",
        format_func=_LEVELS.__getitem__,
        required=True,
    )
    best = readers.best_layer(dataset, encoder, layers=len(names), level=level)
    layer = second.selectbox(
        "Layer",
        range(len(names)),
        index=best,
        key=f"map-layer-{encoder}-{len(names)}",
        format_func=lambda number: _layer_name(number, names),
    )
    method = third.segmented_control(
        "Method",
        list(METHODS),
        default="pca",
        key="map-method",
        format_func=METHODS.__getitem__,
        required=True,
    )
    return level, layer, method


def _layer_name(number: int, names: list[str]) -> str:
    return str(number) if names[number] == str(number) else f"{number} {names[number]}"


def _colours(
    name: str,
    rows: list[tuple[str, int]],
    points: MapPoints,
    tracks: dict[str, readers.TrackInfo],
    *,
    dataset: str,
    level: Level,
) -> list[str] | NDArray[np.float64]:
    """Return the category or the number of each row."""
    if name == "cluster":
        return [f"group {number + 1}" for number in points.cluster]
    if name == "composer":
        return [tracks[track].composer if track in tracks else "" for track, _ in rows]
    if name == "work":
        return [tracks[track].work if track in tracks else "" for track, _ in rows]
    return readers.target_values(dataset, name, rows, level=level)


def _words(record: MapRecord, colour: str, colours: Sequence[str] | NDArray[Any]) -> str:
    """Say in words what the map shows."""
    text = (
        f"{METHODS[record.method]} of {record.n} {record.level}s by layer "
        f"{record.layer} ({plain(record.layer_name)})"
    )
    if record.trust is not None:
        text += f", trustworthiness {record.trust:.2f} (1 at best)"
    if record.method == "pca":
        text += f", {sum(record.explained):.0%} of the variance"
    if isinstance(colours, np.ndarray):
        return f"{text}; coloured by {plain(title_with_unit(colour))}."
    largest = [f"{plain(k)} {len(v)}" for k, v in list(categories(colours).items())[:3]]
    return f"{text}; coloured by {colour}, most of {', '.join(largest)}."


def _text(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return "–" if np.isnan(value) else f"{value:.4g}"
