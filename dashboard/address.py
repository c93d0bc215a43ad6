"""What a page shows, as its address: a link reproduces it in any browser.

    ?dataset=demo&encoder=spectral&track=…&like=…&unlike=…&weights=brightness:0.5,tempo:-1
     &move=tempo:-1&hold=dynamics&method=probe&without=work,composer,copies&per_composer=2&n=20

An address may come from anybody. What it asks for and is not there is left out, and said.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from urllib.parse import urlencode

import streamlit as st

from dashboard.components.location import set_location
from dashboard.components.text import plain
from dashboard.library import known_dataset, known_encoder
from mess.errors import UnknownName
from mess.search.aspects import NAMES
from mess.search.terms import METHODS

COUNTS = (5, 10, 20, 50, 100)  # how many results can be asked for
MAX_MOVE = 2.0  # standard deviations
MAX_PER_COMPOSER = 20
_MOST_EXAMPLES = 20
_NOTHING = "none"  # all sliders at 0, which is not the same as no word about them
_LEAVE_OUT = {"work": "same_work", "composer": "same_composer", "copies": "copies"}

Parameters = dict[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class Search:
    """All that a list of recommendations depends on, but for the dataset and the encoder.

    Attributes
    ----------
    query : str
        A track; "" for the first.
    liked, unlike : tuple of str
        More tracks.
    weights : mapping of str to float, or None
        From −1 to 1; None for those of a first visit.
    moves : mapping of str to float
        From −2 to 2 standard deviations.
    hold : tuple of str
        Aspects that stay as they are.
    method : str or None
        None for each aspect's own.
    same_work, same_composer, copies : bool
        Whether these are left out.
    per_composer : int
        At most so many of one composer; 0 for any number.
    count : int
        How many results, one of `COUNTS`.
    """

    query: str = ""
    liked: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    weights: Mapping[str, float] | None = None
    moves: Mapping[str, float] = field(default_factory=dict)
    hold: tuple[str, ...] = ()
    method: str | None = None
    same_work: bool = False
    same_composer: bool = False
    copies: bool = False
    per_composer: int = 0
    count: int = 10


def format_search(search: Search) -> Parameters:
    """Return a search as the parameters of an address; what is as usual is left out."""
    left_out = [word for word, name in _LEAVE_OUT.items() if getattr(search, name)]
    usual = Search()
    found: Parameters = {
        "track": [search.query] if search.query else [],
        "like": list(search.liked),
        "unlike": list(search.unlike),
        "weights": [] if search.weights is None else [_pairs(search.weights) or _NOTHING],
        "move": [_pairs(search.moves)] if _pairs(search.moves) else [],
        "hold": [",".join(search.hold)] if search.hold else [],
        "method": [search.method] if search.method else [],
        "without": [",".join(left_out)] if left_out else [],
        "per_composer": [str(search.per_composer)] if search.per_composer else [],
        "n": [str(search.count)] if search.count != usual.count else [],
    }
    return {name: values for name, values in found.items() if values}


def parse_search(parameters: Mapping[str, Sequence[str]]) -> tuple[Search, list[str]]:
    """Read an address.

    Parameters
    ----------
    parameters : mapping of str to sequence of str
        As somebody typed them.

    Returns
    -------
    search : Search
        Tracks in it may not exist; see `fit_search`.
    problems : list of str
        What could not be followed, in a few words each.
    """
    problems: list[str] = []

    def last(name: str) -> str:
        return parameters[name][-1].strip() if parameters.get(name) else ""

    def examples(name: str) -> tuple[str, ...]:
        given = tuple(dict.fromkeys(filter(None, parameters.get(name, ()))))
        if len(given) > _MOST_EXAMPLES:
            problems.append(f"more than {_MOST_EXAMPLES} tracks under '{name}'")
        return given[:_MOST_EXAMPLES]

    def choice(name: str, allowed: Collection[str]) -> str:
        if last(name) and last(name) not in allowed:
            problems.append(f"{name} {_short(last(name))}")
            return ""
        return last(name)

    words = [word for word in last("without").split(",") if word]
    hold = [word for word in last("hold").split(",") if word]
    for what, given, allowed in (("without", words, _LEAVE_OUT), ("hold", hold, NAMES)):
        problems += [f"{what} {_short(one)}" for one in given if one not in allowed]
    weights: dict[str, float] | None = {}
    if last("weights") != _NOTHING:
        found = _read_pairs(last("weights"), limit=1.0, what="weight", problems=problems)
        weights = found or None
    most = choice("per_composer", [str(number) for number in range(MAX_PER_COMPOSER + 1)])
    count = choice("n", [str(number) for number in COUNTS])
    search = Search(
        query=last("track"),
        liked=examples("like"),
        unlike=examples("unlike"),
        weights=weights,
        moves=_read_pairs(last("move"), limit=MAX_MOVE, what="move", problems=problems),
        hold=tuple(dict.fromkeys(one for one in hold if one in NAMES)),
        method=choice("method", METHODS) or None,
        per_composer=int(most or 0),
        count=int(count or Search().count),
        **{name: word in words for word, name in _LEAVE_OUT.items()},
    )
    return search, problems


def fit_search(
    search: Search,
    *,
    tracks: Mapping[str, object],
    weighable: Sequence[str],
    movable: Sequence[str],
    start: str,
) -> tuple[Search, list[str]]:
    """Leave out of a search what is not there.

    Parameters
    ----------
    search : Search
    tracks : mapping
        By id, the tracks that can be a query or an example.
    weighable : sequence of str
        The aspects that have a slider.
    movable : sequence of str
        Those along which a query can be moved.
    start : str
        The query if there is none.

    Returns
    -------
    search : Search
    problems : list of str
        See `parse_search`.
    """
    problems: list[str] = []

    def there(names: Iterable[str], known: Collection[str], what: str) -> list[str]:
        names = list(names)
        problems.extend(f"{what} {_short(one)}" for one in names if one not in known)
        return [one for one in names if one in known]

    query = next(iter(there(filter(None, [search.query]), tracks, "track")), start)
    liked = [one for one in there(search.liked, tracks, "track") if one != query]
    unlike = there(search.unlike, tracks, "track")
    weights = search.weights
    if weights is not None:
        kept = {name: weights[name] for name in there(weights, weighable, "weight of")}
        weights = kept if kept or not weights else None
    return (
        replace(
            search,
            query=query,
            liked=tuple(liked),
            unlike=tuple(one for one in unlike if one != query and one not in liked),
            weights=weights,
            moves={name: search.moves[name] for name in there(search.moves, movable, "move of")},
            hold=tuple(there(search.hold, weighable, "hold")),
        ),
        problems,
    )


def take_selection() -> str | None:
    """Choose the dataset and the encoder that the address names; before the sidebar is drawn.

    Returns
    -------
    str or None
        Why not, if there is no such dataset or encoder.
    """
    asked = (_asked("dataset"), _asked("encoder"))
    if not any(asked) or asked == st.session_state.get("address_of"):
        return None
    st.session_state["address_of"] = asked
    dataset, encoder = asked
    try:
        dataset = known_dataset(dataset) if dataset else st.session_state.get("dataset", "")
        if not dataset:
            return None
        st.session_state["dataset"] = dataset
        if encoder:
            st.session_state["encoder"] = known_encoder(dataset, encoder)
            st.session_state["encoder_of"] = dataset
    except UnknownName as error:
        return str(error)
    return None


def new_parameters() -> Parameters | None:
    """Return what the address asks of the page, if somebody else than the page wrote it."""
    given = {name: st.query_params.get_all(name) for name in st.query_params}
    if not given or given == st.session_state.get("address"):
        return None
    if given == st.session_state.get("address_replaced"):
        return None  # sent by a browser that had not yet heard of the page's last change
    st.session_state["address"] = given
    st.session_state["address_given"] = True
    return given


def write_address(dataset: str, encoder: str, parameters: Parameters, *, page: str) -> None:
    """Make the browser's address reproduce what a page shows.

    "Back" leads to the query before, not through every move of a slider.
    """
    wanted = {"dataset": [dataset], "encoder": [encoder], **parameters}
    before = st.session_state.get("address")
    given = st.session_state.pop("address_given", False)
    if wanted != before:
        push = not given and before is not None and before.get("track") != wanted.get("track")
        st.session_state["address_replaced"] = None if push else before
        st.session_state["address_push"] = push
    st.session_state["address_of"] = (dataset, encoder)
    st.session_state["address"] = wanted
    set_location(
        link(wanted), page=page, push=st.session_state.get("address_push", False), key="address-bar"
    )


def link(parameters: Parameters) -> str:
    """Return the part of an address from the question mark on."""
    return f"?{urlencode(parameters, doseq=True, safe=':,')}"


def report(problems: Sequence[str], *, show: Callable[[str], object] = st.warning) -> None:
    """Say in one line what an address asks for and is not there."""
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        show("The link asks for what is not here: " + ", ".join(problems[:3]) + more)


def _asked(name: str) -> str:
    return (st.query_params.get(name) or "").strip()


def _short(text: str) -> str:
    """Return a text from an address as one short line that Markdown leaves alone."""
    return plain(text if len(text) <= 40 else text[:39] + "…") or "(nothing)"


def _pairs(numbers: Mapping[str, float]) -> str:
    return ",".join(f"{name}:{value:g}" for name, value in numbers.items() if value)


def _read_pairs(text: str, *, limit: float, what: str, problems: list[str]) -> dict[str, float]:
    """Read "aspect:number" pairs with commas between."""
    found: dict[str, float] = {}
    for pair in filter(None, text[:2000].split(",")):
        name, _, number = pair.partition(":")
        try:
            value = float(number)
        except ValueError:
            value = float("nan")
        if name not in NAMES or not isfinite(value) or abs(value) > limit:
            problems.append(f"{what} {_short(pair)}")
        else:
            found[name] = value
    return {name: value for name, value in found.items() if value}
