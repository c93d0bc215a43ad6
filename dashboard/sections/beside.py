"""The list of the page Recommend beside that of another encoder, and two results to compare."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from dashboard import library, readers
from dashboard.components.hits import Hit, draw_hits
from dashboard.components.pair import draw_pair
from dashboard.components.player import track_sound
from dashboard.components.text import plain
from dashboard.readers import TrackInfo
from dashboard.sections.missing import results_of
from dashboard.sections.track_search import KEY, find_similar, fit_to, memory
from mess.as_text import as_words
from mess.audio.loudness import common_level
from mess.errors import MessError
from mess.search.layer_based_recommender import LayerBasedRecommender, Recommendation
from mess.serving.clips import loudness_of
from mess.serving.tracks import recording_of

_KEY = f"{KEY}-beside"
_NONE = ""


def draw_beside(
    recommender: LayerBasedRecommender,
    tracks: Mapping[str, TrackInfo],
    found: Sequence[Recommendation],
) -> None:
    """Draw the choice of the other encoder and, where it is made, both lists and a pair."""
    dataset = recommender.dataset
    indexed = [name for of, name in readers.store().indices.available() if of == dataset]
    st.header("Compare two by ear")
    search = memory.now()
    names = [_NONE, *sorted(indexed)]
    if st.session_state.get(_KEY) not in names:
        st.session_state[_KEY] = search.beside if search.beside in names else _NONE
    chosen = st.selectbox(
        "The same query by",
        names,
        format_func=lambda name: name or "no second list",
        key=_KEY,
        help="A second list, by another encoder or by this one. Choose A in the one list and B in "
        "the other: both play the same moment, equally loud, and X changes between them.",
    )
    memory.change(replace(search, beside=chosen))
    if not chosen or not found:
        return
    try:
        other = readers.recommender(dataset, library.known_encoder(dataset, chosen))
    except MessError as error:
        st.warning(plain(readers.told(error)))
        return
    search, left = fit_to(other, memory.now())
    if left:
        words = ", ".join(map(as_words, left))
        st.caption(f"Not validated by {plain(chosen)}, so left out of its list: {words}.")
    beside = results_of(lambda: find_similar(other, search))
    if not beside:
        return
    lists = [[one.track_id for one in own if one.track_id in tracks] for own in (found, beside)]
    if not all(lists):
        st.info(f"Nothing that {plain(chosen)} finds has features by {plain(recommender.encoder)}.")
        return
    st.caption(describe_overlap(*lists) + " Choose A in the one list and B in the other.")
    _draw_pair(recommender, tracks, lists)
    for column, own, rest, side, by in zip(
        st.columns(2), lists, lists[::-1], "AB", (recommender.encoder, chosen), strict=True
    ):
        with column:
            st.markdown(f"**{side}: {plain(by)}**")
            draw_hits(
                [
                    Hit(
                        id=track,
                        label=tracks[track].label,
                        score="",
                        about=f"there: {rest.index(track) + 1}." if track in rest else "only here",
                        sound=track_sound(
                            tracks[track], dataset=dataset, encoder=recommender.encoder
                        ),
                    )
                    for track in own
                ],
                key=f"{_KEY}-{side}-list",
                action=f"Hear as {side}",
                on_action=lambda track, side=side: _choose(side, track),  # type: ignore[misc]
            )


def describe_overlap(one: Sequence[str], other: Sequence[str]) -> str:
    """Say in a sentence what two lists share.

    >>> describe_overlap(["a", "b", "c"], ["c", "d", "a"])
    '2 of 3 recordings are in both lists.'
    """
    return f"{len(set(one) & set(other))} of {len(one)} recordings are in both lists."


def _choose(side: str, track: str) -> None:
    now = memory.now()
    memory.change(replace(now, a=track) if side == "A" else replace(now, b=track))


def _draw_pair(
    recommender: LayerBasedRecommender,
    tracks: Mapping[str, TrackInfo],
    lists: Sequence[Sequence[str]],
) -> None:
    """Draw A and B: what was chosen, else the first of each list that the other begins not with."""
    dataset, encoder = recommender.dataset, recommender.encoder
    search = memory.now()
    a = search.a or lists[0][0]
    b = search.b or next((track for track in lists[1] if track != a), lists[1][0])
    sounds = [track_sound(tracks[track], dataset=dataset, encoder=encoder) for track in (a, b)]
    try:
        heard = []
        for sound in sounds:
            path, version = recording_of(readers.store(), dataset, tracks[sound.track])
            heard.append(loudness_of(path, version=version, start=0.0, seconds=sound.seconds))
    except MessError as error:
        st.warning(plain(readers.told(error)))
        return
    draw_pair(
        *sounds,
        level=common_level(heard),
        at=search.at,
        key=f"{_KEY}-pair",
        on_rest=lambda at: memory.change(replace(memory.now(), at=at)),
    )
