"""The search of a page as the parameters of an address, and back.

?dataset=demo&encoder=spectral&track=…&like=…&unlike=…&weights=brightness:0.5,tempo:-1
 &move=tempo:-1&hold=dynamics&by=model&method=probe&without=work,composer,copies,repeats&per_composer=2&n=20
 &to=…&steps=5&beside=whisper-tiny&a=…&b=…&at=12.5
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite

from dashboard.components.text import plain
from mess.search.aspects import aspect_names
from mess.search.paths import STEPS
from mess.search.terms import BY, METHODS

COUNTS = (5, 10, 20, 50, 100)  # the numbers of results to choose from
STEPS_BETWEEN = (*range(1, 13), 16, 20)  # the numbers of steps of a path to choose from
MAX_MOVE = 2.0  # standard deviations
MAX_PER_COMPOSER = 20
_MOST_EXAMPLES = 20
_LONGEST = 1e5  # seconds that an address may name
_NOTHING = "none"  # all sliders are at 0; without a word, they are at their first values
_LEAVE_OUT = {
    "work": "same_work",
    "composer": "same_composer",
    "copies": "copies",
    "repeats": "repeats",
}

Parameters = dict[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class Search:
    """All that a list of recommendations depends on, except the dataset and the encoder.

    Attributes
    ----------
    query : str
        The id of a track; "" for the first track.
    liked, unlike : tuple of str
        More tracks to be like, and tracks to be unlike.
    weights : mapping of str to float, or None
        Weights from −1 to 1; None for those of a first visit.
    moves : mapping of str to float
        From −2 to 2 standard deviations.
    hold : tuple of str
        Aspects that stay as they are.
    method : str or None
        None: each aspect ranks by its own method.
    by : str
        "model", "measurement" or "better".
    same_work, same_composer, copies, repeats : bool
        Whether these are left out; repeats are all but the best recording of a work.
    per_composer : int
        The largest number of tracks of one composer; 0 for any number.
    count : int
        The number of results, one of `COUNTS`.
    to : str
        The track that a path leads to; "" for no path.
    steps : int
        How many tracks lie between, one of `STEPS_BETWEEN`.
    beside : str
        The encoder whose list stands beside this one; "" for none.
    a, b : str
        The tracks that are compared by ear; "" for the first ones of both lists.
    at : float
        The moment at which both begin, in seconds.
    """

    query: str = ""
    liked: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    weights: Mapping[str, float] | None = None
    moves: Mapping[str, float] = field(default_factory=dict)
    hold: tuple[str, ...] = ()
    method: str | None = None
    by: str = "better"
    same_work: bool = False
    same_composer: bool = False
    copies: bool = False
    repeats: bool = False
    per_composer: int = 0
    count: int = 10
    to: str = ""
    steps: int = STEPS
    beside: str = ""
    a: str = ""
    b: str = ""
    at: float = 0.0


def format_search(search: Search) -> Parameters:
    """Return a search as the parameters of an address, without the usual values."""
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
        "by": [search.by] if search.by != usual.by else [],
        "without": [",".join(left_out)] if left_out else [],
        "per_composer": [str(search.per_composer)] if search.per_composer else [],
        "n": [str(search.count)] if search.count != usual.count else [],
        "to": [search.to] if search.to else [],
        "beside": [search.beside] if search.beside else [],
        "steps": [str(search.steps)] if search.to and search.steps != usual.steps else [],
        "a": [search.a] if search.beside and search.a else [],
        "b": [search.b] if search.beside and search.b else [],
        "at": [f"{search.at:g}"] if search.beside and search.at else [],
    }
    return {name: values for name, values in found.items() if values}


def parse_search(
    parameters: Mapping[str, Sequence[str]], *, heads: Collection[str] = ()
) -> tuple[Search, list[str]]:
    """Read an address.

    Parameters
    ----------
    parameters : mapping of str to sequence of str
        As somebody typed them.
    heads : collection of str
        The names of learned heads, which may have a weight, too.

    Returns
    -------
    search : Search
        Tracks in it may not exist; see `fit_search`.
    problems : list of str
        What could not be followed, in a few words each.
    """
    problems: list[str] = []
    names = (*aspect_names(), *heads)

    def last(name: str) -> str:
        return parameters[name][-1].strip() if parameters.get(name) else ""

    def examples(name: str) -> tuple[str, ...]:
        given = tuple(dict.fromkeys(filter(None, parameters.get(name, ()))))
        if len(given) > _MOST_EXAMPLES:
            problems.append(f"more than {_MOST_EXAMPLES} tracks under '{name}'")
        return given[:_MOST_EXAMPLES]

    def choice(name: str, allowed: Collection[str]) -> str:
        if last(name) and last(name) not in allowed:
            problems.append(f"{name} {short(last(name))}")
            return ""
        return last(name)

    def moment() -> float:
        try:
            value = float(last("at") or 0)
        except ValueError:
            value = -1.0
        if 0 <= value < _LONGEST:
            return round(value, 1)
        problems.append(f"at {short(last('at'))}")
        return 0.0

    words = [word for word in last("without").split(",") if word]
    hold = [word for word in last("hold").split(",") if word]
    for what, given, allowed in (("without", words, _LEAVE_OUT), ("hold", hold, names)):
        problems += [f"{what} {short(one)}" for one in given if one not in allowed]
    weights: dict[str, float] | None = {}
    if last("weights") != _NOTHING:
        found = _read_pairs(last("weights"), names, limit=1.0, what="weight", problems=problems)
        weights = found or None
    most = choice("per_composer", [str(number) for number in range(MAX_PER_COMPOSER + 1)])
    count = choice("n", [str(number) for number in COUNTS])
    steps = choice("steps", [str(number) for number in STEPS_BETWEEN])
    search = Search(
        query=last("track"),
        liked=examples("like"),
        unlike=examples("unlike"),
        weights=weights,
        moves=_read_pairs(last("move"), names, limit=MAX_MOVE, what="move", problems=problems),
        hold=tuple(dict.fromkeys(one for one in hold if one in names)),
        method=choice("method", METHODS) or None,
        by=choice("by", BY) or Search().by,
        per_composer=int(most or 0),
        count=int(count or Search().count),
        to=last("to"),
        steps=int(steps or Search().steps),
        beside=last("beside"),
        a=last("a") if last("beside") else "",
        b=last("b") if last("beside") else "",
        at=moment() if last("beside") else 0.0,
        **{name: word in words for word, name in _LEAVE_OUT.items()},
    )
    return search, problems


def asks_for_a_search(parameters: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether an address names more than a dataset and an encoder."""
    return bool(parameters.keys() - {"dataset", "encoder"})


def fit_search(
    search: Search,
    *,
    tracks: Mapping[str, object],
    weighable: Sequence[str],
    movable: Sequence[str],
    start: str,
) -> tuple[Search, list[str]]:
    """Leave out of a search what does not exist.

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
        problems.extend(f"{what} {short(one)}" for one in names if one not in known)
        return [one for one in names if one in known]

    query = next(iter(there(filter(None, [search.query]), tracks, "track")), start)
    liked = [one for one in there(search.liked, tracks, "track") if one != query]
    unlike = there(search.unlike, tracks, "track")
    to = next(iter(there(filter(None, [search.to]), tracks, "track")), "")
    a, b = (
        next(iter(there(filter(None, [one]), tracks, "track")), "") for one in (search.a, search.b)
    )
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
            to=to if to != query else "",
            a=a,
            b=b,
        ),
        problems,
    )


def short(text: str) -> str:
    """Return a text from an address as one short line that Markdown leaves alone."""
    return plain(text if len(text) <= 40 else text[:39] + "…") or "(nothing)"


def _pairs(numbers: Mapping[str, float]) -> str:
    return ",".join(f"{name}:{value:g}" for name, value in numbers.items() if value)


def _read_pairs(
    text: str, names: Collection[str], *, limit: float, what: str, problems: list[str]
) -> dict[str, float]:
    """Read "aspect:number" pairs with commas between."""
    found: dict[str, float] = {}
    for pair in filter(None, text[:2000].split(",")):
        name, _, number = pair.partition(":")
        try:
            value = float(number)
        except ValueError:
            value = float("nan")
        if name not in names or not isfinite(value) or abs(value) > limit:
            problems.append(f"{what} {short(pair)}")
        else:
            found[name] = value
    return {name: value for name, value in found.items() if value}
