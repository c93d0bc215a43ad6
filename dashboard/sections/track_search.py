"""The search of the page Recommend: taken from the address, kept, and changed by the controls."""

from dataclasses import replace
from typing import cast

import streamlit as st

from dashboard import readers
from dashboard.address.browser import new_parameters, report
from dashboard.address.memory import SearchMemory
from dashboard.address.recording import choose_recording, current_recording
from dashboard.address.search import Search, asks_for_a_search, fit_search, parse_search
from dashboard.components.results import Action
from dashboard.components.sliders import set_sliders
from dashboard.components.weights import set_weights, start_weights, weighable
from dashboard.readers import TrackInfo
from dashboard.sections.basket import keep, toggle
from dashboard.sections.ratings import keep_rating
from dashboard.sidebar import selected
from mess.as_text import as_words
from mess.records.evaluation import Method
from mess.search.layer_based_recommender import LayerBasedRecommender, Recommendation
from mess.search.terms import By

KEY = "recommend"
SWITCHES = {
    "same_work": "Leave out the same work",
    "same_composer": "Leave out the same composer",
    "copies": "Leave out files of the same recording",
    "repeats": "Leave out all but the best recording of each work",
}
memory = SearchMemory[Search](KEY)


def restore(recommender: LayerBasedRecommender, tracks: dict[str, TrackInfo]) -> None:
    """Take the search from the address, else the one that was left, and set all controls so.

    The query is the current recording, wherever it was chosen.
    """
    dataset, encoder = recommender.dataset, recommender.encoder
    given = new_parameters() or {}
    search, problems = memory.find(dataset, encoder) or Search(), list[str]()
    if (track := current_recording(dataset)) in tracks:
        search = replace(search, query=track)
    if linked := asks_for_a_search(given):
        search, problems = parse_search(given, heads=recommender.heads)
    first = next(iter(readers.names(dataset, encoder).find("", limit=1)))
    search, missing = fit_search(
        search,
        tracks=tracks,
        weighable=weighable(recommender),
        movable=movable(recommender),
        start=first,
    )
    if search.weights is None:
        search = replace(search, weights=start_weights(recommender))
    report([*problems, *missing])
    drawn = f"{KEY}-count" in st.session_state and memory.is_open(dataset, encoder)
    if linked or not drawn:
        _set_controls(search)
    choose_recording(dataset, search.query)
    memory.open(dataset, encoder, search)


def movable(recommender: LayerBasedRecommender) -> list[str]:
    """Return the aspects along which a query can be moved."""
    return [name for name, aspect in recommender.aspects.items() if aspect.steered]


def fit_to(recommender: LayerBasedRecommender, search: Search) -> tuple[Search, list[str]]:
    """Return the same search for another encoder, and the aspects that it cannot be asked for."""
    weighed, moved = weighable(recommender), movable(recommender)
    fitted = replace(
        search,
        weights={name: by for name, by in (search.weights or {}).items() if name in weighed},
        moves={name: by for name, by in search.moves.items() if name in moved},
        hold=tuple(name for name in search.hold if name in weighed),
    )
    asked = [*(search.weights or {}), *search.moves, *search.hold]
    kept = {*(fitted.weights or {}), *fitted.moves, *fitted.hold}
    return fitted, [name for name in dict.fromkeys(asked) if name not in kept]


def find_similar(recommender: LayerBasedRecommender, search: Search) -> list[Recommendation]:
    """Return the tracks that a search finds, best first.

    Raises
    ------
    MessError
        If the recommender cannot be asked so.
    """
    return recommender.multi_aspect_recommendation(
        [search.query, *search.liked],
        search.weights or {},
        search.count,
        method=cast(Method | None, search.method),
        by=cast(By, search.by),
        unlike=search.unlike,
        hold=search.hold,
        offset=search.moves,
        exclude_same_work=search.same_work,
        exclude_same_composer=search.same_composer,
        exclude_duplicates=search.copies,
        one_per_work=search.repeats,
        max_per_composer=search.per_composer or None,
    )


def take_action(action: Action, track: str) -> None:
    """Make a track the query ("more"), or one more example that is liked or unlike.

    Examples and what is kept go into the basket; what is kept is taken out by a second "keep".
    """
    dataset, encoder = selected()
    if action == "keep":
        toggle(dataset, track)
        return
    if action != "more":
        keep(dataset, track, action)
    drop_example(track)
    search = memory.now()
    keep_rating(
        dataset,
        encoder,
        action=action,
        query=search.query,
        track=track,
        weights=search.weights or {},
    )
    if action == "more":
        choose_recording(dataset, track)
        memory.change(replace(search, query=track, at=0.0))
    elif action == "like":
        memory.change(replace(search, liked=(*search.liked, track)))
    else:
        memory.change(replace(search, unlike=(*search.unlike, track)))


def drop_example(track: str) -> None:
    """Take a track off both lists of examples."""
    search = memory.now()
    liked = tuple(example for example in search.liked if example != track)
    unlike = tuple(example for example in search.unlike if example != track)
    memory.change(replace(search, liked=liked, unlike=unlike))


def describe_conditions(search: Search) -> str:
    """Return in one line what narrows the list beside the sliders; its controls may be folded."""
    conditions = [
        text.replace("Leave out", "without")
        for name, text in SWITCHES.items()
        if getattr(search, name)
    ]
    if search.per_composer:
        conditions.append(f"at most {search.per_composer} of a composer")
    if search.method:
        conditions.append(f"method {search.method}")
    conditions += [f"{as_words(name)} {by:+g} σ" for name, by in search.moves.items()]
    conditions += [f"{as_words(name)} held" for name in search.hold]
    if search.liked:
        conditions.append(f"{len(search.liked)} more liked")
    if search.unlike:
        conditions.append(f"{len(search.unlike)} unlike")
    return " · ".join(conditions)


def _set_controls(search: Search) -> None:
    """Set every control to what a search says; to be called before they are drawn."""
    set_weights(search.weights or {}, key=KEY)
    set_sliders(search.moves, key=f"{KEY}-moves")
    for name in (*SWITCHES, "per_composer", "count", "method", "by", "steps"):
        st.session_state[f"{KEY}-{name}"] = getattr(search, name)
    st.session_state[f"{KEY}-hold"] = list(search.hold)
    st.session_state[f"{KEY}-beside"] = search.beside
