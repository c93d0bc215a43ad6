"""Ratings given while exploring: kept if the person agrees, and what sliders learn of them."""

import secrets
import time
from collections.abc import Callable, Mapping

import streamlit as st

from dashboard import readers
from dashboard.components.results import Action
from dashboard.components.text import plain
from mess.as_text import as_words, two_decimals
from mess.errors import MessError
from mess.records.listening import RatingRow
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.ratings import FEWEST_LIKES, Learned, Rated, learn_from_ratings

_AGREED = "ratings-agreed"


def keep_rating(
    dataset: str,
    encoder: str,
    *,
    action: Action,
    query: str,
    track: str,
    weights: Mapping[str, float],
) -> None:
    """Keep what was said of a result, if the person agreed to that."""
    if action == "more" or action == "keep":
        return
    if not st.session_state.get(_AGREED) or query == track:
        return
    listener = st.session_state.setdefault("ratings-listener", secrets.token_hex(8))
    row = RatingRow(
        id=secrets.token_hex(12),
        listener=listener,
        dataset=dataset,
        encoder=encoder,
        query=query,
        track=track,
        rating=action,
        weights=dict(weights),
        rated=time.time(),
    )
    try:
        readers.store().listening.add(row)
    except MessError as error:
        st.session_state["ratings-problem"] = readers.told(error)


def draw_ratings(
    recommender: LayerBasedRecommender, *, set_weights: Callable[[Mapping[str, float]], None]
) -> None:
    """Draw the choice to keep ratings, what they are good for, and how to forget them."""
    st.session_state[_AGREED] = st.checkbox(
        "Keep what I like and what does not belong",
        st.session_state.get(_AGREED, False),  # the widget forgets it when a page is left
        key="ratings-keep",
        help="Each like and unlike of a result is kept on this machine with a random number, so "
        "that the sliders can be set by them. Nothing is kept before you agree.",
    )
    try:
        ratings = readers.store().listening.ratings(recommender.dataset)
    except MessError as error:
        st.warning(plain(readers.told(error)))
        return
    if problem := st.session_state.pop("ratings-problem", None):
        st.warning(plain(problem))
    if not ratings:
        return
    likes = sum(one.rating == "like" for one in ratings)
    st.button(
        f"Set the sliders by {len(ratings)} kept ratings",
        disabled=likes < FEWEST_LIKES,
        help=f"From {FEWEST_LIKES} likes on.",
        on_click=_learn,
        args=(recommender, ratings, set_weights),
        key="ratings-learn",
    )
    if told := st.session_state.get("ratings-learned"):
        st.caption(plain(told))
    st.button("Forget them", on_click=_forget, args=(recommender.dataset,), key="ratings-forget")


def describe_learned(learned: Learned) -> str:
    """Say in one or two sentences what was learned of ratings.

    >>> describe_learned(Learned({"tempo": 1.0, "warmth": 0.0}, likes=4, dislikes=3, told=0.75))
    'From 4 likes and 3 dislikes: tempo 1.00. It tells a like from a dislike that it did not see \
in 0.75 of the pairs (0.5 by chance).'
    """
    used = sorted(learned.weights.items(), key=lambda pair: -pair[1])
    words = ", ".join(
        f"{as_words(name)} {two_decimals(weight)}" for name, weight in used if weight > 0
    )
    dislikes = f"{learned.dislikes} dislike{'' if learned.dislikes == 1 else 's'}"
    text = f"From {learned.likes} likes and {dislikes}: {words}."
    if learned.told is None:
        return (
            f"{text} From 3 likes and 3 dislikes on, it is tested on ratings that it did not see."
        )
    return (
        f"{text} It tells a like from a dislike that it did not see in "
        f"{two_decimals(learned.told)} of the pairs (0.5 by chance)."
    )


def _learn(
    recommender: LayerBasedRecommender,
    ratings: list[RatingRow],
    set_weights: Callable[[Mapping[str, float]], None],
) -> None:
    rated = [Rated(one.query, one.track, one.rating == "like") for one in ratings]
    try:
        learned = learn_from_ratings(recommender, rated)
    except MessError as error:
        st.session_state["ratings-learned"] = readers.told(error)
        return
    set_weights(learned.weights)
    st.session_state["ratings-learned"] = describe_learned(learned)


def _forget(dataset: str) -> None:
    st.session_state.pop("ratings-learned", None)
    try:
        readers.store().listening.forget_ratings(dataset)
    except MessError as error:
        st.session_state["ratings-problem"] = readers.told(error)
