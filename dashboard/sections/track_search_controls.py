"""The controls of the page Recommend: query, aspects, examples, moves, and what is left out."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import cast

import streamlit as st

from dashboard.address.search import MAX_MOVE, MAX_PER_COMPOSER
from dashboard.components.finder import find_track
from dashboard.components.fold import foldable
from dashboard.components.player import player, track_sound
from dashboard.components.results import Action
from dashboard.components.sliders import Slider, draw_sliders
from dashboard.components.text import plain
from dashboard.components.weights import (
    presets,
    set_weights,
    summarise,
    watch_weights,
    weighable,
)
from dashboard.readers import TrackInfo, told
from dashboard.sections.ratings import draw_ratings
from dashboard.sections.track_search import (
    KEY,
    SWITCHES,
    drop_example,
    memory,
    movable,
    take_action,
)
from mess.as_text import as_words
from mess.errors import MessError
from mess.records.evaluation import Method
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.terms import BY, METHODS, By

BY_WORDS: dict[By, str] = {
    "better": "better of both",
    "model": "model",
    "measurement": "measurement",
}


def draw_controls(recommender: LayerBasedRecommender, tracks: Mapping[str, TrackInfo]) -> bool:
    """Draw all controls; return whether no slider is being dragged."""
    _draw_query(recommender, tracks)
    box, say = foldable("Sliders", key=KEY)
    with box:
        weights_settled = _draw_weights(recommender)
        _draw_examples(recommender, tracks)
        moves_settled = _draw_moves(recommender)
        _draw_filters()
    say(summarise(memory.now().weights or {}, presets(recommender)))
    return weights_settled and moves_settled


def _draw_query(recommender: LayerBasedRecommender, tracks: Mapping[str, TrackInfo]) -> None:
    dataset, encoder = recommender.dataset, recommender.encoder
    query = tracks[memory.now().query]
    find_track(
        dataset,
        encoder,
        label="Query track",
        key=f"{KEY}-query",
        shown=query.label,
        on_choose=partial(take_action, "more"),
    )
    player(track_sound(query, dataset=dataset, encoder=encoder), key=f"{KEY}-query-player")


def _draw_weights(recommender: LayerBasedRecommender) -> bool:
    search = memory.now()
    by = st.segmented_control(
        "Each slider ranks by",
        BY,
        format_func=BY_WORDS.__getitem__,
        key=f"{KEY}-by",
        help="By what the model predicts of works that it never saw, by what was measured on the "
        "recordings, or by whichever `mess evaluate` found to follow the aspect better. The "
        "figure beside a slider says how faithful it is: the correlation of its ranks with true "
        "differences, 1 at best, 0 by chance.",
    )
    by = by or "better"  # a second click on a choice takes it away
    # The method is chosen further down the page; the help of each slider says it here.
    method = cast(Method | None, st.session_state.get(f"{KEY}-method", search.method))
    weights, settled = watch_weights(recommender, key=KEY, method=method, by=by, moved=search.moves)
    for name, reason in recommender.left_out_heads().items():
        st.caption(plain(f"The learned head {name} has no slider here: {reason}"))
    used = {name: weight for name, weight in weights.items() if weight}
    memory.change(replace(search, weights=used, by=by))
    return settled


def _draw_examples(recommender: LayerBasedRecommender, tracks: Mapping[str, TrackInfo]) -> None:
    """Draw the fields that add tracks to be like and unlike."""
    search = memory.now()
    fields: tuple[tuple[Action, str, tuple[str, ...]], ...] = (
        ("like", "Also like", search.liked),
        ("unlike", "Unlike", search.unlike),
    )
    with st.expander("More examples"):
        for action, label, examples in fields:
            find_track(
                recommender.dataset,
                recommender.encoder,
                label=label,
                key=f"{KEY}-{action}",
                on_choose=partial(take_action, action),
                chips={track: tracks[track].label for track in examples},
                on_remove=drop_example,
            )
        st.button(
            "Set the sliders by what the liked tracks share",
            disabled=not search.liked,
            on_click=_fit_weights,
            args=(recommender,),
        )
        if problem := st.session_state.pop(f"{KEY}-problem", None):
            st.warning(plain(problem))
        draw_ratings(recommender, set_weights=partial(set_weights, key=KEY))


def _fit_weights(recommender: LayerBasedRecommender) -> None:
    search = memory.now()
    try:
        set_weights(recommender.fit_weights([search.query, *search.liked]), key=KEY)
    except MessError as error:
        st.session_state[f"{KEY}-problem"] = told(error)


def _draw_moves(recommender: LayerBasedRecommender) -> bool:
    """Draw the sliders of "as this one, but …"; return whether none is being dragged."""
    aspects = movable(recommender)
    moves: dict[str, float] = {}
    settled = True
    with st.expander("As this one, but …"):
        if aspects:
            st.caption("The distance from the query, in standard deviations of the dataset.")
            rows = [
                Slider(name=name, label=as_words(name), reach=MAX_MOVE, step=0.25)
                for name in aspects
            ]
            moves, settled = draw_sliders(rows, presets={"Reset": {}}, key=f"{KEY}-moves")
        names = weighable(recommender)
        chosen = st.pills(
            "Stays as it is",
            names,
            selection_mode="multi",
            format_func=as_words,
            key=f"{KEY}-hold",
            help="Counts with the weight 1 where its slider is at 0.",
        )
    hold = tuple(name for name in chosen if name in names)
    used = {name: by for name, by in moves.items() if by}
    memory.change(replace(memory.now(), moves=used, hold=hold))
    return settled


def _draw_filters() -> None:
    with st.expander("Leave out, and method"):
        same_work, same_composer, copies, repeats = (
            st.checkbox(label, key=f"{KEY}-{name}") for name, label in SWITCHES.items()
        )
        per_composer = st.number_input(
            "At most this many of one composer (0: any number)",
            0,
            MAX_PER_COMPOSER,
            key=f"{KEY}-per_composer",
        )
        method = st.selectbox(
            "Method",
            [None, *METHODS],
            format_func=lambda name: name or "as evaluated",
            key=f"{KEY}-method",
            help="The method by which every aspect ranks. `mess evaluate` finds the best one of "
            "each aspect.",
        )
    memory.change(
        replace(
            memory.now(),
            same_work=same_work,
            same_composer=same_composer,
            copies=copies,
            repeats=repeats,
            per_composer=int(per_composer),
            method=method,
        )
    )
