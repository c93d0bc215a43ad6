"""Passages: choose five seconds of a track, listen to what is alike in others."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

from dashboard import readers
from dashboard.address.browser import new_parameters, report, write_address
from dashboard.address.search import COUNTS, Search, fit_search, format_search, parse_search
from dashboard.components.finder import find_track
from dashboard.components.picker import pick_window
from dashboard.components.player import Sound, player
from dashboard.components.results import Action, Row, clock, draw_rows
from dashboard.components.text import plain
from dashboard.components.weights import set_weights, watch_weights, weighable
from dashboard.readers import TrackInfo
from dashboard.sections.missing import offer
from dashboard.sidebar import selected
from mess.errors import ArtifactError, MessError
from mess.search.aspects import OVERALL
from mess.search.passages.recommender import Passage, PassageRecommender

_KEY = "passages"
_START = {OVERALL: 1.0}
Tracks = Mapping[str, TrackInfo]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a list of passages depends on, but for the dataset and the encoder.

    Attributes
    ----------
    search : Search
        Its query, weights, what is left out and how many.
    at : float
        The moment of the query, in seconds.
    per_track : int
        At most so many of a track; 0 for any number.
    """

    search: Search
    at: float = 0.0
    per_track: int = 1


def main() -> None:
    """Draw the page."""
    dataset, encoder = selected()
    try:
        passages = readers.passages(dataset, encoder)
        tracks = readers.tracks(dataset, encoder)
    except ArtifactError as error:
        st.title("Passages")
        command = ["index", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Build them now")
        return
    _restore(passages, tracks)
    st.fragment(_draw)(passages, tracks)


def _restore(passages: PassageRecommender, tracks: Tracks) -> None:
    """Take the search from the address, or else as it was left."""
    place = (passages.dataset, passages.encoder)
    kept: dict[tuple[str, str], Wanted] = st.session_state.setdefault("passage_searches", {})
    given = new_parameters() or {}
    linked = bool(given.keys() - {"dataset", "encoder"})
    wanted, problems = kept.get(place, Wanted(search=Search())), list[str]()
    if linked:
        search, problems = parse_search(given)
        wanted = Wanted(search=search, at=_number(given, "at", 0.0))
        wanted = replace(wanted, per_track=int(_number(given, "per_track", 1)))
    first = next(iter(readers.names(*place).find("", limit=1)))
    search, missing = fit_search(
        wanted.search, tracks=tracks, weighable=weighable(passages), movable=[], start=first
    )
    report([*problems, *missing])
    if search.weights is None:
        search = replace(search, weights=_START)
    at = wanted.at if wanted.at <= tracks[search.query].duration else 0.0
    drawn = f"{_KEY}-count" in st.session_state and st.session_state.get("passages_of") == place
    if linked or not drawn:
        set_weights(search.weights or {}, key=_KEY)
        st.session_state[f"{_KEY}-count"] = search.count
        st.session_state[f"{_KEY}-same-work"] = search.same_work
        st.session_state[f"{_KEY}-per-track"] = wanted.per_track
    kept[place] = replace(wanted, search=search, at=at)
    st.session_state["passages_of"] = place


def _number(given: Mapping[str, list[str]], name: str, otherwise: float) -> float:
    try:
        value = float(given[name][-1])
    except (KeyError, IndexError, ValueError):
        return otherwise
    return value if 0 <= value < 1e6 else otherwise


def _now() -> Wanted:
    found: Wanted = st.session_state["passage_searches"][st.session_state["passages_of"]]
    return found


def _change(wanted: Wanted) -> None:
    st.session_state["passage_searches"][st.session_state["passages_of"]] = wanted


def _draw(passages: PassageRecommender, tracks: Tracks) -> None:
    st.title("Passages")
    _draw_query(passages, tracks)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        weights, settled = watch_weights(passages, key=_KEY)
        same_work = st.checkbox("Leave out the same work", key=f"{_KEY}-same-work")
        per_track = st.number_input(
            "At most so many of one track (0: any)", 0, 50, key=f"{_KEY}-per-track"
        )
    with right, st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.subheader("Most alike", width="stretch")
        count = st.selectbox("Results", COUNTS, key=f"{_KEY}-count", width=90)
    now = _now()
    used = {name: weight for name, weight in weights.items() if weight}
    search = replace(now.search, weights=used, same_work=same_work, count=count)
    _change(replace(now, search=search, per_track=int(per_track)))
    with right:
        _draw_found(passages, tracks)
    if settled:
        parameters = format_search(_now().search)
        parameters["at"] = [f"{_now().at:g}"]
        if _now().per_track != 1:
            parameters["per_track"] = [str(_now().per_track)]
        write_address(passages.dataset, passages.encoder, parameters, page="/passages")


def _draw_query(passages: PassageRecommender, tracks: Tracks) -> None:
    now = _now()
    track = tracks[now.search.query]
    start, end = passages.window(track.id, now.at)
    find_track(
        passages.dataset,
        passages.encoder,
        label="Track",
        key=f"{_KEY}-query",
        shown=track.label,
        on_choose=lambda chosen: _go(chosen, 0.0),
    )
    whole = _sound(passages, track, 0.0, track.duration)
    spans = passages.windows(track.id)
    pick_window(
        whole,
        count=len(spans),
        chosen=spans.index((start, end)),
        key=f"{_KEY}-picker",
        on_pick=lambda number: _go(track.id, spans[number][0]),
    )
    st.caption(
        f"Chosen: {clock(start)} to {clock(end)}. Click in the picture for other five seconds, "
        "or move with the arrow keys."
    )
    player(_sound(passages, track, start, end), key=f"{_KEY}-query-player")


def _go(track: str, at: float) -> None:
    now = _now()
    _change(replace(now, search=replace(now.search, query=track), at=at))


def _draw_found(passages: PassageRecommender, tracks: Tracks) -> None:
    now = _now()
    if not now.search.weights:
        st.info("Move a slider away from 0.")
        return
    try:
        found = passages.recommend(
            (now.search.query, now.at),
            now.search.weights,
            now.search.count,
            exclude_same_work=now.search.same_work,
            max_per_track=now.per_track or None,
        )
    except MessError as error:
        st.warning(plain(str(error)))
        return
    if not found:
        st.info("No other track is left: leave out less.")
        return
    draw_rows(
        passage_rows(passages, tracks, found),
        key=f"{_KEY}-results",
        on_action=_on_action,
        actions=("more",),
    )


def passage_rows(passages: PassageRecommender, tracks: Tracks, found: list[Passage]) -> list[Row]:
    """Return passages as rows of a list, each with its sound."""
    return [
        Row(
            id=f"{one.best:g} {one.track_id}",
            label=f"{tracks[one.track_id].label} · {clock(one.start)}–{clock(one.end)}",
            about=one.track_id,
            found=one,
            sound=_sound(passages, tracks[one.track_id], one.start, one.end),
        )
        for one in found
    ]


def _on_action(_action: Action, row: str) -> None:
    start, _, track = row.partition(" ")
    _go(track, float(start))


def _sound(passages: PassageRecommender, track: TrackInfo, start: float, end: float) -> Sound:
    return Sound(
        dataset=passages.dataset,
        encoder=passages.encoder,
        track=track.id,
        label=f"{track.label}, {clock(start)} to {clock(end)}",
        start=start,
        seconds=end - start,
    )
