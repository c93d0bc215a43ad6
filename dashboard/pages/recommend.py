"""Recommend: choose a track, weigh the aspects, listen to what is alike."""

from collections import Counter
from typing import Any

import streamlit as st

from dashboard import readers
from dashboard.components.figures import aspect_colours, score_shares
from dashboard.components.player import Sound, player
from dashboard.components.text import plain
from dashboard.components.weights import choose_weights, set_weights
from dashboard.readers import TrackInfo
from dashboard.sidebar import selected
from mess.errors import ArtifactError, MessError
from mess.search.aspects import NAMES
from mess.search.layer_based_recommender import LayerBasedRecommender, Recommendation
from mess.search.terms import METHODS
from mess.targets import ALL_TARGETS

_RESULTS = 5
_KEY = "recommend"


def main() -> None:
    """Draw the page."""
    st.title("Recommend")
    dataset, encoder = selected()
    try:
        recommender = readers.recommender(dataset, encoder)
        tracks = readers.tracks(dataset, encoder)
    except ArtifactError as error:
        st.warning(str(error))
        st.code(error.command, language="bash")
        st.markdown("Or use **Re-extract and re-probe** in the sidebar.")
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        query = _choose_query(tracks)
        liked, unlike = _choose_examples(recommender, tracks, query)
        st.markdown(
            "**Aspects**: how much each counts; below 0 asks for tracks that are unlike in it"
        )
        weights = choose_weights(recommender, key=_KEY)
        moves = _choose_moves(recommender)
        options = _choose_options()
    with right:
        st.subheader("Most alike")
        if not any(weights.values()) and not moves:
            st.info("Move a slider away from 0.")
            return
        try:
            found = recommender.multi_aspect_recommendation(
                [query, *liked], weights, _RESULTS, unlike=unlike, offset=moves, **options
            )
        except MessError as error:
            st.warning(str(error))
            return
        if not found:
            st.info("No other track is left.")
        for rank, one in enumerate(found, start=1):
            _show_result(rank, one, tracks[one.track_id])


def _choose_query(tracks: dict[str, TrackInfo]) -> str:
    ids = sorted(tracks, key=lambda track: (tracks[track].label.casefold(), track))
    shared = Counter(track.label for track in tracks.values())

    def name(track_id: str) -> str:
        label = tracks[track_id].label
        return label if shared[label] == 1 else f"{label} · {track_id}"

    query: str = st.selectbox(
        "Query track",
        ids,
        format_func=name,
        key="query",
        help="Type a composer, a title or an id.",
    )
    _player(tracks[query], key="query-player")
    return query


def _choose_examples(
    recommender: LayerBasedRecommender, tracks: dict[str, TrackInfo], query: str
) -> tuple[list[str], list[str]]:
    """Let the person add tracks to be like and unlike, and set the sliders by them."""
    with st.expander("More examples"):
        ids = sorted(tracks, key=lambda track: (tracks[track].label.casefold(), track))
        others = [track for track in ids if track != query]
        name = {track: f"{tracks[track].label} · {track}" for track in ids}
        liked = st.multiselect("Also like", others, format_func=name.__getitem__, key="liked")
        unlike = st.multiselect("Unlike", others, format_func=name.__getitem__, key="unlike")
        if st.button("Set the sliders by what the liked tracks share", disabled=not liked):
            try:
                weights = recommender.fit_weights([query, *liked])
            except MessError as error:
                st.warning(str(error))
            else:
                set_weights(recommender, weights, key=_KEY)
    return liked, [track for track in unlike if track not in liked]


def _choose_moves(recommender: LayerBasedRecommender) -> dict[str, float]:
    """Let the person ask for "as this one, but …"."""
    steered = [name for name, aspect in recommender.aspects.items() if aspect.steered]
    if not steered:
        return {}
    with st.expander("As this one, but …"):
        st.caption("Standard deviations of the dataset. What has a weight above stays as it is.")
        moves = {
            name: st.slider(name.replace("_", " "), -2.0, 2.0, 0.0, 0.25, key=f"move-{name}")
            for name in steered
        }
    return {name: by for name, by in moves.items() if by}


def _choose_options() -> dict[str, Any]:
    same_work = st.checkbox("Leave out other recordings of the same work", key="same-work")
    with st.expander("How to search"):
        method = st.selectbox(
            "Method",
            ["as evaluated", *METHODS],
            key="method",
            help="By which every aspect ranks; `mess evaluate` decides which one is best for each.",
        )
        duplicates = st.checkbox("Leave out files of the same recording", key="duplicates")
        most = st.number_input("At most so many of one composer (0: any)", 0, 20, 0, key="most")
    return {
        "method": None if method == "as evaluated" else method,
        "exclude_same_work": same_work,
        "exclude_duplicates": duplicates,
        "max_per_composer": int(most) or None,
    }


def _show_result(rank: int, one: Recommendation, track: TrackInfo) -> None:
    with st.container(border=True):
        st.markdown(
            f"**{rank}. {plain(track.label)}**  \n"
            f"score {one.score:.3f} · `{track.id.replace('`', '')}`"
        )
        _player(track, key=f"player-{rank}")
        if len(one.contributions) > 1:
            st.plotly_chart(
                score_shares(one.contributions, colours=aspect_colours(list(NAMES))),
                key=f"shares-{rank}",
                config={"staticPlot": True},
            )
        st.caption(
            " · ".join(
                f"{aspect.replace('_', ' ')} {part:+.2f}"
                for aspect, part in one.contributions.items()
            )
        )
        if one.values:
            st.caption(
                "query → this: "
                + ", ".join(
                    f"{target.replace('_', ' ')} {pair['query']:.4g} → {pair['track']:.4g} "
                    f"{ALL_TARGETS[target].unit}".rstrip()
                    for target, pair in one.values.items()
                )
            )


def _player(track: TrackInfo, *, key: str) -> None:
    dataset, encoder = selected()
    sound = Sound(dataset=dataset, encoder=encoder, track=track.id, label=track.label)
    player(sound, key=key)


main()
