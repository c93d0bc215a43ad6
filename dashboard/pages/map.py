"""Map: tracks or segments on a plane, near each other where a layer is similar."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import readers
from dashboard.address.browser import report
from dashboard.address.controls import Controls, open_controls
from dashboard.address.picked import NAMES, Row, keep_picked, read_picked
from dashboard.address.recording import choose_recording, current_recording
from dashboard.components.finder import find_track
from dashboard.components.fold import foldable
from dashboard.components.scatter import draw_scatter
from dashboard.components.text import plain
from dashboard.figures.map import Colouring, categories, colour_points
from dashboard.sections.missing import offer, tell_stale
from dashboard.sections.picked import draw_current, draw_picked
from dashboard.server.maps import map_url
from dashboard.sidebar import selected
from dashboard.titles import TITLES
from mess.errors import ArtifactError, MessError
from mess.maps import METHODS
from mess.records.discovery import Level
from mess.records.map import MapPoints, MapRecord
from mess.targets import title_with_unit

_CATEGORIES = ("composer", "work", "cluster")
_LEVELS: dict[Level, str] = {"track": "whole tracks", "segment": "segments of 5 s"}
_MOUSE = {"lasso": "lasso", "select": "box", "pan": "click"}
_PARAMETERS = ("level", "layer", "method", "colour", "mouse", *NAMES, "part", "more")
_MOST_RINGS = 200
_READ_AS = {
    "pca": "Both axes are directions of greatest variance, so large distances are meaningful.",
    "tsne": "Neighbours are meaningful. Distances between groups and sizes of groups are not.",
    "umap": "Neighbours are meaningful. Distances between groups are hardly so.",
}


def main() -> None:
    """Draw the page."""
    st.title(TITLES["map"])
    dataset, encoder = selected()
    st.markdown("Points that are close are similar in the layer. Draw around some to hear them.")
    try:
        tracks = readers.tracks(dataset, encoder)
        names = readers.layer_names(dataset, encoder)
    except ArtifactError as error:
        command = ["run-all", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Run it now")
        return
    controls = open_controls("/map", dataset, encoder, names=_PARAMETERS)
    _show(controls, tracks, names)


@st.fragment
def _show(controls: Controls, tracks: dict[str, readers.TrackInfo], names: list[str]) -> None:
    dataset, encoder = controls.dataset, controls.encoder
    box, say = foldable("Map", key="map")
    with box:
        level, layer, method = _choose(controls, names)
    say(f"{_LEVELS[level]}, layer {_layer_name(layer, names)}, {METHODS[method]}")
    command = ["map", "--dataset", dataset, "--encoder", encoder, "--layer", str(layer)]
    command += ["--method", method, "--level", level]
    try:
        record, _ = readers.map_of(dataset, encoder, layer=layer, method=method, level=level)
    except ArtifactError as error:
        offer(error, dataset=dataset, command=command, button="Draw this map")
        controls.write()
        return
    why = readers.stale("map", dataset, encoder, record.origin)
    tell_stale("This map", why, dataset=dataset, command=command, button="Draw it again")
    colour, mouse = _choose_colour(controls)
    version = readers.store().maps.modified(
        dataset, encoder, layer=layer, method=method, level=level
    )
    versions = (
        version,
        readers.store().features.modified(dataset, encoder),
        readers.store().targets.modified(dataset),
    )
    rows, colours, colouring = _coloured(dataset, encoder, layer, method, level, colour, versions)
    words = _words(record, colour, colours)
    picked, problems = read_picked(controls, tracks)
    report(problems)
    chosen = _on_map(picked, rows, level)
    current = current_recording(dataset)
    points_at, names_at = (
        map_url(
            kind,
            dataset=dataset,
            encoder=encoder,
            layer=layer,
            method=method,
            level=level,
            version=version,
        )
        for kind in ("points", "name")
    )
    draw_scatter(
        points=points_at,
        names=names_at,
        colouring=colouring,
        title=title_with_unit(colour),
        mode=mouse,
        picked=chosen,
        rings=[row for row, (track, _) in enumerate(rows) if track == current][:_MOST_RINGS],
        label=words,
        key="map-scatter",
        on_pick=lambda found: _pick(controls, [rows[row] for row in found]),
    )
    find_track(
        dataset,
        encoder,
        label="Pick a recording by its name",
        key="map-finder",
        on_choose=lambda track: _pick(controls, [*picked, (track, -1)], current=track),
    )
    st.caption(f"{words} {_READ_AS[method]}")
    draw_current(tracks, dataset=dataset, encoder=encoder)
    if chosen:
        text = [_text(colours[row]) for row in chosen]
        draw_picked(controls, [rows[row] for row in chosen], tracks, level=level, values=text)
    else:
        st.info(
            "Draw around some points, choose a name of the legend, find a recording by its name, "
            "or pick by click and choose one point: they are listed here. The wheel zooms."
        )
    controls.write()


@st.cache_resource(max_entries=4, show_spinner=False)
def _coloured(
    dataset: str,
    encoder: str,
    layer: int,
    method: str,
    level: Level,
    colour: str,
    versions: tuple[float, ...],
) -> tuple[list[Row], list[str] | NDArray[np.float64], Colouring]:
    """Return track and segment of each point of a map, what its colour says, and the colours."""
    record, points = readers.map_of(dataset, encoder, layer=layer, method=method, level=level)
    rows = readers.map_rows(record, points)
    tracks = readers.tracks(dataset, encoder)
    colours = _colours(colour, rows, points, tracks, dataset=dataset, level=level)
    return rows, colours, colour_points(colours)


def _pick(controls: Controls, rows: list[Row], *, current: str = "") -> None:
    """Keep what is picked; make it the current recording, if it is one."""
    try:
        keep_picked(controls, list(dict.fromkeys(rows)))
    except MessError as error:
        st.toast(plain(readers.told(error)), icon="⚠️", duration="long")
        return
    if current or len(rows) == 1:
        choose_recording(controls.dataset, current or rows[0][0])


def _on_map(picked: list[Row], rows: list[Row], level: Level) -> list[int]:
    """Return the points of what is picked; of a track, all of its segments, and back."""
    whole = {track for track, segment in picked if segment < 0 or level == "track"}
    single = set(picked)
    return [number for number, row in enumerate(rows) if row[0] in whole or row in single]


def _choose_colour(controls: Controls) -> tuple[str, str]:
    """Return what the colours mean, and what dragging does."""
    options = [*_CATEGORIES, *readers.target_names(controls.dataset)]
    left, right = st.container(key="pairs-map").columns([4, 2])
    controls.choose("colour", options, key="map-colour", usual=options[0])
    colour = left.selectbox("Colour", options, key="map-colour", format_func=title_with_unit)
    controls.choose("mouse", list(_MOUSE), key="map-mouse", usual="lasso")
    mouse = right.segmented_control(
        "Pick by", list(_MOUSE), key="map-mouse", format_func=_MOUSE.__getitem__, required=True
    )
    return colour, mouse or "lasso"


def _choose(controls: Controls, names: list[str]) -> tuple[Level, int, str]:
    """Return level, layer and method."""
    first, second, third = st.columns([2, 2, 2])
    controls.choose("level", list(_LEVELS), key="map-level", usual="track")
    chosen = first.segmented_control(
        "Rows",
        list(_LEVELS),
        key="map-level",
        format_func=_LEVELS.__getitem__,
        required=True,
    )
    level: Level = chosen or "track"
    best = readers.best_layer(controls.dataset, controls.encoder, layers=len(names), level=level)
    key = f"map-layer-{controls.encoder}-{len(names)}"
    controls.choose("layer", range(len(names)), key=key, usual=best)
    layer = second.selectbox(
        "Layer",
        range(len(names)),
        key=key,
        format_func=lambda number: _layer_name(number, names),
    )
    controls.choose("method", list(METHODS), key="map-method", usual="pca")
    method = third.segmented_control(
        "Method",
        list(METHODS),
        key="map-method",
        format_func=METHODS.__getitem__,
        required=True,
    )
    return level, layer, method or "pca"


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
    text = f"{METHODS[record.method]} of {record.n} {record.level}s by layer {record.layer}"
    if record.layer_name != str(record.layer):
        text += f" ({plain(record.layer_name)})"
    if record.trust is not None:
        text += f", trustworthiness {record.trust:.2f} (1 at best)"
    if record.method == "pca":
        text += f", {sum(record.explained):.0%} of the variance"
    if isinstance(colours, np.ndarray):
        return f"{text}; coloured by {plain(title_with_unit(colour))}."
    largest = [f"{plain(k)} ({len(v)})" for k, v in list(categories(colours).items())[:3]]
    return f"{text}; coloured by {colour}, most often {', '.join(largest)}."


def _text(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return "–" if np.isnan(value) else f"{value:.4g}"
