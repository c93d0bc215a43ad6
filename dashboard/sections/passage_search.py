"""The search of the page Passages: taken from the address, kept, and written into it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from dashboard import readers
from dashboard.address.browser import new_parameters, report
from dashboard.address.memory import SearchMemory
from dashboard.address.recording import choose_recording, current_recording
from dashboard.address.search import (
    Parameters,
    Search,
    asks_for_a_search,
    fit_search,
    format_search,
    parse_search,
)
from dashboard.components.weights import set_weights, weighable
from dashboard.readers import TrackInfo
from dashboard.sidebar import selected
from mess.search.aspects import OVERALL
from mess.search.passages.recommender import PassageRecommender

KEY = "passages"
_FIRST_WEIGHTS = {OVERALL: 1.0}
_LONGEST = 1e6  # seconds that an address may name


@dataclass(frozen=True, kw_only=True)
class PassageSearch:
    """All that a list of passages depends on, except the dataset and the encoder.

    Attributes
    ----------
    search : Search
        The query's track, the weights, what is left out and the number of results.
    at : float
        The moment of the query in its track, in seconds.
    per_track : int
        The largest number of passages from one track; 0 for any number.
    """

    search: Search
    at: float = 0.0
    per_track: int = 1


memory = SearchMemory[PassageSearch](KEY)


def restore(passages: PassageRecommender, tracks: Mapping[str, TrackInfo]) -> None:
    """Take the search from the address, else the one that was left, and set all controls so."""
    dataset, encoder = passages.dataset, passages.encoder
    given = new_parameters() or {}
    wanted = memory.find(dataset, encoder) or PassageSearch(search=Search())
    problems: list[str] = []
    current = current_recording(dataset)
    if current in tracks and current != wanted.search.query:
        wanted = replace(wanted, search=replace(wanted.search, query=current), at=0.0)
    if linked := asks_for_a_search(given):
        wanted, problems = parse_passage_search(given)
    first = next(iter(readers.names(dataset, encoder).find("", limit=1)))
    search, missing = fit_search(
        wanted.search, tracks=tracks, weighable=weighable(passages), movable=[], start=first
    )
    report([*problems, *missing])
    if search.weights is None:
        search = replace(search, weights=_FIRST_WEIGHTS)
    at = wanted.at if wanted.at <= tracks[search.query].duration else 0.0
    wanted = replace(wanted, search=search, at=at)
    drawn = f"{KEY}-count" in st.session_state and memory.is_open(dataset, encoder)
    if linked or not drawn:
        _set_controls(wanted)
    choose_recording(dataset, search.query)
    memory.open(dataset, encoder, wanted)


def choose_query(track: str, at: float) -> None:
    """Make a moment of a track the query."""
    choose_recording(selected()[0], track)
    now = memory.now()
    memory.change(replace(now, search=replace(now.search, query=track), at=at))


def parse_passage_search(
    parameters: Mapping[str, Sequence[str]],
) -> tuple[PassageSearch, list[str]]:
    """Read an address; return also what could not be followed, as `parse_search` does.

    >>> parse_passage_search({"track": ["a"], "at": ["62"], "per_track": ["-1"]})[0].at
    62.0
    """
    search, problems = parse_search(parameters)
    wanted = PassageSearch(
        search=search,
        at=_number(parameters, "at", 0.0),
        per_track=int(_number(parameters, "per_track", 1.0)),
    )
    return wanted, problems


def format_passage_search(wanted: PassageSearch) -> Parameters:
    """Return a search as the parameters of an address."""
    parameters = format_search(wanted.search)
    parameters["at"] = [f"{wanted.at:g}"]
    if wanted.per_track != 1:
        parameters["per_track"] = [str(wanted.per_track)]
    return parameters


def _number(parameters: Mapping[str, Sequence[str]], name: str, otherwise: float) -> float:
    try:
        value = float(parameters[name][-1])
    except (KeyError, IndexError, ValueError):
        return otherwise
    return value if 0 <= value < _LONGEST else otherwise


def _set_controls(wanted: PassageSearch) -> None:
    """Set every control to what a search says; to be called before they are drawn."""
    set_weights(wanted.search.weights or {}, key=KEY)
    st.session_state[f"{KEY}-count"] = wanted.search.count
    st.session_state[f"{KEY}-same-work"] = wanted.search.same_work
    st.session_state[f"{KEY}-per-track"] = wanted.per_track
