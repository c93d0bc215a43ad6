"""In time: hear where a layer is wrong about a curve, and find passages by their course."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import library, readers
from dashboard.address.browser import write_address
from dashboard.address.search import COUNTS
from dashboard.components.fold import foldable
from dashboard.components.text import plain
from dashboard.readers import Predictor, TrackInfo
from dashboard.sections.courses import draw_courses, draw_query
from dashboard.sections.curve_search import (
    COURSE,
    DISAGREE,
    KEY,
    LENGTHS,
    LISTS,
    MEASURED,
    MOMENTS,
    PREDICTED,
    VIEWS,
    CurveSearch,
    format_curve_search,
    memory,
    remember_controls,
    restore,
)
from dashboard.sections.disagreement import draw_disagreement
from dashboard.sections.missing import offer
from dashboard.server.lanes import BEST
from dashboard.sidebar import selected
from dashboard.titles import TITLES
from mess.as_text import as_words
from mess.curves.registry import CURVES
from mess.errors import ArtifactError, MessError
from mess.lanes.datasets import DatasetCurves

_HOW_LISTED = (
    "Choose a span of a recording. The list has the passages whose curve goes the same way, "
    "however high it lies and however wide it swings: the best one of each other work. r is "
    "Pearson's correlation: 1 is the same course. Passages that move less than a quarter as wide "
    "are left out."
)


def main() -> None:
    """Draw the page."""
    st.title(TITLES["in_time"])
    dataset, encoder = selected()
    try:
        tracks = readers.tracks(dataset, encoder)
        curves = readers.dataset_curves(dataset)
    except ArtifactError as error:
        command = ["run-all", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Make it now")
        return
    known = {track: tracks[track] for track in curves.tracks if track in tracks}
    if not known or not curves.defined:
        st.info("No recording has features by this encoder and measured curves.")
        st.code(f"mess run-all --dataset {dataset} --encoder {encoder}", language=None)
        return
    predictor = readers.predictor(dataset, encoder)
    names = readers.names(dataset, encoder).find("", limit=len(tracks))
    restore(
        dataset,
        encoder,
        curves=curves.defined,
        tracks=known,
        predictor=predictor,
        first=next(track for track in names if track in known),
    )
    st.fragment(_draw)(curves, known, predictor, dataset=dataset, encoder=encoder)


def _draw(
    curves: DatasetCurves,
    tracks: Mapping[str, TrackInfo],
    predictor: Predictor | None,
    *,
    dataset: str,
    encoder: str,
) -> None:
    search = _draw_controls(curves, predictor)
    place = {"dataset": dataset, "encoder": encoder}
    predicted = None
    if search.view == DISAGREE or search.of == PREDICTED:
        predicted = _predictions(predictor, search, **place)
    if search.view == DISAGREE:
        if predicted is not None:
            _explain_disagreement(search, predictor)
            draw_disagreement(search, tracks, curves=curves, predicted=predicted, **place)
    else:
        left, right = st.columns([2, 3], gap="medium")
        with left:
            search = draw_query(search, tracks, **place)
            memory.change(search)
        with right:
            draw_courses(search, tracks, curves=curves, predicted=predicted, **place)
    write_address(dataset, encoder, format_curve_search(search), page="/in_time")


def _draw_controls(curves: DatasetCurves, predictor: Predictor | None) -> CurveSearch:
    """Draw what is chosen; return the search."""
    remember_controls()
    view = st.segmented_control(
        "View",
        list(VIEWS),
        key=f"{KEY}-view",
        required=True,
        label_visibility="collapsed",
        format_func=VIEWS.__getitem__,
    )
    now = replace(memory.now(), view=view or DISAGREE)
    box, say = foldable("Curve", key=KEY)
    with box:
        now = _draw_choices(now, curves, predictor)
    layer = "" if predictor is None else f", layer {now.layer}"
    length = f", {now.seconds:g} s" if now.view == COURSE else ""
    say(f"{_name(now.curve)}{layer}{length}, {now.count} results")
    memory.change(now)
    return now


def _draw_choices(
    now: CurveSearch, curves: DatasetCurves, predictor: Predictor | None
) -> CurveSearch:
    with st.container(
        horizontal=True, vertical_alignment="bottom", gap="small", key=f"pairs-{KEY}"
    ):
        curve = st.selectbox(
            "Curve", curves.defined, key=f"{KEY}-curve", format_func=_name, width=240
        )
        now = replace(now, curve=curve)
        if predictor is not None:
            best = predictor.layers[predictor.layer(curve)]
            numbers = [BEST, *(str(number) for number in range(len(predictor.layers)))]
            layer = st.selectbox(
                "Layer",
                numbers,
                key=f"{KEY}-layer",
                format_func=lambda one: (
                    f"best ({best})" if one == BEST else predictor.layers[int(one)]
                ),
                help="Best: the layer that most training folds chose for this curve.",
                width=120,
            )
            now = replace(now, layer=layer)
        if now.view == DISAGREE:
            by = st.selectbox(
                "List", list(LISTS), key=f"{KEY}-by", format_func=LISTS.__getitem__, width=310
            )
            now = replace(now, by=by)
        else:
            kinds = [MEASURED, PREDICTED] if predictor else [MEASURED]
            of = st.selectbox("Compare", kinds, key=f"{KEY}-of", width=130)
            seconds = st.selectbox(
                "Length",
                LENGTHS,
                key=f"{KEY}-seconds",
                format_func=lambda one: f"{one:g} s",
                width=100,
            )
            now = replace(now, of=of, seconds=float(seconds))
        count = st.selectbox("Results", COUNTS, key=f"{KEY}-count", width=90)
    if now.view == COURSE:
        same = st.checkbox("Search the same work, too", key=f"{KEY}-same_work")
        now = replace(now, same_work=same)
    st.caption(f"**{plain(_name(curve))}** ({CURVES[curve].source}): {CURVES[curve].description}")
    if now.view == COURSE:
        st.caption(_HOW_LISTED)
    return replace(now, count=count)


def _predictions(
    predictor: Predictor | None, search: CurveSearch, *, dataset: str, encoder: str
) -> NDArray[np.float32] | None:
    """Return what the layer predicts of all tracks; None, and why, where it does not."""
    try:
        if predictor is None:
            readers.curve_probes(dataset, encoder)  # says why there are none
            return None
        layer = predictor.layer(search.curve) if search.layer == BEST else int(search.layer)
        return readers.dataset_predictions(dataset, encoder, layer=layer)
    except ArtifactError as error:
        command = ["probe", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Probe now")
    except MessError as error:
        others = [one for one in library.encoders(dataset) if readers.predictor(dataset, one)]
        way_out = f" These encoders predict curves: {', '.join(others)}." if others else ""
        st.info(plain(f"{readers.told(error)}.{way_out}"))
    return None


def _explain_disagreement(search: CurveSearch, predictor: Predictor | None) -> None:
    name = search.layer
    if predictor is not None:
        layer = predictor.layer(search.curve) if search.layer == BEST else int(search.layer)
        name = predictor.layers[layer]
    listed = (
        "A difference is predicted less measured, in standard deviations of all differences."
        if search.by == MOMENTS
        else "r is Pearson's correlation of both curves over the whole recording."
    )
    st.caption(
        f"Layer {plain(name)} predicts the curve of each recording by a probe that never saw its "
        f"work. {listed} Play a passage to hear why they differ."
    )


def _name(curve: str) -> str:
    unit = CURVES[curve].unit
    return f"{as_words(curve)} ({unit})" if unit else as_words(curve)
