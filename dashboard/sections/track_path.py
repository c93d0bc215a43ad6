"""A path from the query of the page Recommend to another recording, along its sliders."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import streamlit as st

from dashboard import exports
from dashboard.address.search import STEPS_BETWEEN, format_search
from dashboard.components.finder import find_track
from dashboard.components.hits import Hit, draw_hits
from dashboard.components.player import track_sound
from dashboard.readers import TrackInfo
from dashboard.sections.list_exports import draw_exports
from dashboard.sections.missing import results_of
from dashboard.sections.track_search import KEY, memory, take_action
from mess.as_text import as_words
from mess.records.evaluation import Method
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.paths import Path, Step, path_between
from mess.search.terms import By

_KEY = f"{KEY}-path"


def draw_path(recommender: LayerBasedRecommender, tracks: Mapping[str, TrackInfo]) -> None:
    """Draw the field for the other end and, where it is named, the path."""
    dataset, encoder = recommender.dataset, recommender.encoder
    search = memory.now()
    bar = st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"bar-{_KEY}")
    with bar:
        st.header("A path to another recording", width="stretch")
        steps = st.selectbox("Steps between", STEPS_BETWEEN, key=f"{KEY}-steps", width=120)
    search = replace(search, steps=steps)
    memory.change(search)
    find_track(
        dataset,
        encoder,
        label="Lead from the query to",
        key=f"{_KEY}-end",
        shown=tracks[search.to].label if search.to else "",
        on_choose=_lead_to,
    )
    if not search.to:
        return
    bar.button("No path", key=f"{_KEY}-none", on_click=_lead_to, args=("",))
    if search.to == search.query:
        st.info("The query itself is there already: name another recording.")
        return
    weights = {name: weight for name, weight in (search.weights or {}).items() if weight > 0}
    if not weights:
        st.info("A path goes along the sliders above 0: move one.")
        return
    found = results_of(lambda: [_find(recommender, weights)])
    if not found:
        return
    path = found[0]
    st.caption(
        "Along "
        + ", ".join(f"{as_words(name)} {w:.0%}" for name, w in path.weights.items())
        + ". At most one recording of each work. The figures say how far each lies on the way, and "
        "how far beside the straight line, as a share of the whole way. "
        f"Evenness {path.evenness:.2f}: 1 if all distances are equal."
    )
    with bar:
        parameters = {"dataset": [dataset], "encoder": [encoder], **format_search(search)}
        draw_exports(
            name="path",
            csv=lambda: exports.path_as_csv(path, tracks),
            json=lambda: exports.path_as_json(path, tracks, search=parameters),
            m3u8=lambda: exports.as_m3u8(tracks[step.track_id] for step in path.steps),
            parameters=parameters,
            key=_KEY,
        )
    draw_hits(
        [
            Hit(
                id=step.track_id,
                label=tracks[step.track_id].label,
                score=f"{step.position:.0%}",
                about=_describe(step, path),
                sound=track_sound(tracks[step.track_id], dataset=dataset, encoder=encoder),
            )
            for step in path.steps
        ],
        key=f"{_KEY}-steps-list",
        action="Begin here",
        on_action=lambda track: take_action("more", track),
        row=True,
    )


def _find(recommender: LayerBasedRecommender, weights: Mapping[str, float]) -> Path:
    search = memory.now()
    return path_between(
        recommender,
        search.query,
        search.to,
        weights,
        steps=search.steps,
        method=cast(Method | None, search.method),
        by=cast(By, search.by),
    )


def _lead_to(track: str) -> None:
    memory.change(replace(memory.now(), to=track))


def _describe(step: Step, path: Path) -> str:
    if step is path.steps[0]:
        return "the query"
    if step is path.steps[-1]:
        return "the end"
    return f"{step.track_id} · {step.aside:.0%} beside the line"
