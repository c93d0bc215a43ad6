"""Recommend: choose a track, weigh the aspects, listen to what is alike."""

from collections import Counter

import streamlit as st

from dashboard import readers
from dashboard.components.figures import aspect_colours, score_shares
from dashboard.components.text import plain
from dashboard.readers import TrackInfo
from dashboard.sidebar import selected
from mess.errors import ArtifactError, MessError
from mess.search.aspects import ASPECTS
from mess.search.layer_based_recommender import LayerBasedRecommender, Recommendation

_RESULTS = 5


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
        weights = _choose_weights(recommender)
        same_work = st.checkbox("Leave out other recordings of the same work", key="same-work")
    with right:
        st.subheader("Most alike")
        if not any(weights.values()):
            st.info("Move a slider above 0.")
            return
        found = recommender.multi_aspect_recommendation(
            query, weights, _RESULTS, exclude_same_work=same_work
        )
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
    _player(tracks[query])
    return query


def _choose_weights(recommender: LayerBasedRecommender) -> dict[str, float]:
    st.markdown("**Aspects** (how much each counts)")
    validated = recommender.get_available_aspects()
    weights = {}
    for name in validated:
        aspect = recommender.aspects[name]
        weights[name] = st.slider(
            f"{name.replace('_', ' ')} (R² {aspect.r2:.2f})",
            0.0,
            1.0,
            1.0 if name == validated[0] else 0.0,
            0.05,
            key=f"weight-{name}",
            help=f"Layer {aspect.layer}, by the probe of {aspect.target}; "
            f"targets: {', '.join(aspect.targets)}.",
        )
    others = [aspect for name, aspect in recommender.aspects.items() if name not in validated]
    if others:
        st.caption(
            "Not validated on these recordings: "
            + ", ".join(
                f"{aspect.name.replace('_', ' ')} "
                + ("(undefined)" if aspect.r2 is None else f"(R² {aspect.r2:.2f})")
                for aspect in others
            )
        )
    if not validated:
        st.warning("No aspect is validated: this encoder's layers do not predict any target here.")
    return weights


def _show_result(rank: int, one: Recommendation, track: TrackInfo) -> None:
    with st.container(border=True):
        st.markdown(
            f"**{rank}. {plain(track.label)}**  \n"
            f"score {one.score:.3f} · `{track.id.replace('`', '')}`"
        )
        _player(track)
        if len(one.contributions) > 1:
            st.plotly_chart(
                score_shares(one.contributions, colours=aspect_colours(list(ASPECTS))),
                key=f"shares-{rank}",
                config={"staticPlot": True},
            )
        st.caption(
            " · ".join(
                f"{aspect.replace('_', ' ')} {part:+.2f}"
                for aspect, part in one.contributions.items()
            )
        )


def _player(track: TrackInfo) -> None:
    try:
        st.audio(readers.clip(track.path), format="audio/flac")
    except MessError as error:
        st.caption(plain(str(error)))


main()
