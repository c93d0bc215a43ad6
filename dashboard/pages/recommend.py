"""Recommend: choose a track, weigh the aspects, and listen to what is similar."""

from dataclasses import replace

import streamlit as st

from dashboard import exports, readers
from dashboard.address.browser import write_address
from dashboard.address.search import COUNTS, Search, format_search
from dashboard.components.fold import below_on_phone
from dashboard.components.player import track_sound
from dashboard.components.results import describe_score, draw_results, heading
from dashboard.components.text import plain
from dashboard.readers import TrackInfo
from dashboard.sections.basket import kept_tracks
from dashboard.sections.beside import draw_beside
from dashboard.sections.list_exports import draw_exports
from dashboard.sections.missing import offer, results_of
from dashboard.sections.track_path import draw_path
from dashboard.sections.track_search import (
    KEY,
    describe_conditions,
    find_similar,
    memory,
    restore,
    take_action,
)
from dashboard.sections.track_search_controls import draw_controls
from dashboard.sidebar import selected
from dashboard.titles import TITLES
from mess.errors import ArtifactError
from mess.search.layer_based_recommender import LayerBasedRecommender, Recommendation


def main() -> None:
    """Draw the page."""
    dataset, encoder = selected()
    try:
        recommender = readers.recommender(dataset, encoder)
        tracks = readers.tracks(dataset, encoder)
    except ArtifactError as error:
        st.title(TITLES["recommend"])
        command = ["run-all", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Make it now")
        return
    if recommender.warning:
        st.warning(plain(recommender.warning))
    restore(recommender, tracks)
    st.fragment(_draw)(recommender, tracks)


def _draw(recommender: LayerBasedRecommender, tracks: dict[str, TrackInfo]) -> None:
    dataset, encoder = recommender.dataset, recommender.encoder
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.title(TITLES["recommend"])
        settled = draw_controls(recommender, tracks)
    with right:
        bar = st.container(
            horizontal=True, vertical_alignment="bottom", gap="small", key=f"bar-{KEY}"
        )
        with bar:
            weights = memory.now().weights or {}
            st.header(heading(weights), width="stretch")
            count = st.selectbox("Results", COUNTS, key=f"{KEY}-count", width=90)
        search = replace(memory.now(), count=count)
        memory.change(search)
        results = [(result, tracks[result.track_id]) for result in _search(recommender, search)]
        if conditions := describe_conditions(search):
            st.caption(conditions)
        if results:
            below_on_phone(KEY).caption(describe_score(weights, "tracks"))
            with bar:
                parameters = {"dataset": [dataset], "encoder": [encoder], **format_search(search)}
                draw_exports(
                    name="recommendations",
                    csv=lambda: exports.as_csv(results),
                    json=lambda: exports.as_json(results, search=parameters),
                    m3u8=lambda: exports.as_m3u8(track for _, track in results),
                    parameters=parameters,
                    key=KEY,
                )
            draw_results(
                [
                    (result, track, track_sound(track, dataset=dataset, encoder=encoder))
                    for result, track in results
                ],
                key=f"{KEY}-results",
                on_action=take_action,
                kept=kept_tracks(dataset),
            )
    draw_path(recommender, tracks)
    draw_beside(recommender, tracks, [result for result, _ in results])
    if settled:
        write_address(dataset, encoder, format_search(memory.now()), page="/recommend")


def _search(recommender: LayerBasedRecommender, search: Search) -> list[Recommendation]:
    if not (search.weights or search.moves or search.hold):
        st.info("Move a slider away from 0.")
        return []
    return results_of(lambda: find_similar(recommender, search))
