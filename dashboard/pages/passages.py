"""Passages: choose five seconds of a track, and listen to similar passages of other tracks."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from dashboard import readers
from dashboard.address.browser import write_address
from dashboard.address.search import COUNTS
from dashboard.components.finder import find_track
from dashboard.components.fold import below_on_phone, foldable
from dashboard.components.player import passage_sound, player
from dashboard.components.results import describe_score, heading
from dashboard.components.weights import presets, summarise, watch_weights
from dashboard.readers import TrackInfo
from dashboard.sections.missing import offer
from dashboard.sections.passage_list import draw_passages, pick_segment, search_passages
from dashboard.sections.passage_search import (
    KEY,
    choose_query,
    format_passage_search,
    memory,
    restore,
)
from dashboard.sidebar import selected
from dashboard.titles import TITLES
from mess.errors import ArtifactError
from mess.search.passages.recommender import PassageRecommender


def main() -> None:
    """Draw the page."""
    dataset, encoder = selected()
    try:
        passages = readers.passages(dataset, encoder)
        tracks = readers.tracks(dataset, encoder)
    except ArtifactError as error:
        st.title(TITLES["passages"])
        command = ["index", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Build them now")
        return
    restore(passages, tracks)
    st.fragment(_draw)(passages, tracks)


def _draw(passages: PassageRecommender, tracks: Mapping[str, TrackInfo]) -> None:
    st.title(TITLES["passages"])
    _draw_query(passages, tracks)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        settled = _draw_controls(passages)
    with right:
        with st.container(
            horizontal=True, vertical_alignment="bottom", gap="small", key=f"bar-{KEY}"
        ):
            weights = memory.now().search.weights or {}
            st.header(heading(weights), width="stretch")
            count = st.selectbox("Results", COUNTS, key=f"{KEY}-count", width=90)
        now = memory.now()
        now = replace(now, search=replace(now.search, count=count))
        memory.change(now)
        results = search_passages(
            passages,
            (now.search.query, now.at),
            now.search.weights or {},
            count=count,
            exclude_same_work=now.search.same_work,
            max_per_track=now.per_track or None,
        )
        if results:
            below_on_phone(KEY).caption(describe_score(weights, "segments"))
        draw_passages(passages, tracks, results, key=f"{KEY}-results", on_choose=choose_query)
    if settled:
        parameters = format_passage_search(now)
        write_address(passages.dataset, passages.encoder, parameters, page="/passages")


def _draw_query(passages: PassageRecommender, tracks: Mapping[str, TrackInfo]) -> None:
    dataset, encoder = passages.dataset, passages.encoder
    now = memory.now()
    track = tracks[now.search.query]
    find_track(
        dataset,
        encoder,
        label="Track",
        key=f"{KEY}-query",
        shown=track.label,
        on_choose=lambda chosen: choose_query(chosen, 0.0),
    )
    spans = passages.windows(track.id)
    start, end = passages.window(track.id, now.at)
    pick_segment(
        passage_sound(track, start=0.0, end=track.duration, dataset=dataset, encoder=encoder),
        spans,
        chosen=spans.index((start, end)),
        key=f"{KEY}-picker",
        on_pick=lambda number: choose_query(track.id, spans[number][0]),
    )
    player(
        passage_sound(track, start=start, end=end, dataset=dataset, encoder=encoder),
        key=f"{KEY}-query-player",
    )


def _draw_controls(passages: PassageRecommender) -> bool:
    """Draw the sliders and the filters; return whether no slider is being dragged."""
    box, say = foldable("Sliders", key=KEY)
    with box:
        weights, settled = watch_weights(passages, key=KEY)
        same_work = st.checkbox("Leave out the same work", key=f"{KEY}-same-work")
        per_track = st.number_input(
            "At most this many of one track (0: any number)", 0, 50, key=f"{KEY}-per-track"
        )
    now = memory.now()
    used = {name: weight for name, weight in weights.items() if weight}
    say(summarise(used, presets(passages)))
    search = replace(now.search, weights=used, same_work=same_work)
    memory.change(replace(now, search=search, per_track=int(per_track)))
    return settled
