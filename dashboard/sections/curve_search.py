"""What the page In time shows: taken from the address, kept, and written into it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from dashboard import readers
from dashboard.address.browser import new_parameters, report
from dashboard.address.memory import SearchMemory
from dashboard.address.recording import choose_recording, current_recording
from dashboard.address.search import COUNTS, Parameters, asks_for_a_search
from dashboard.components.player import Choice
from dashboard.components.text import plain
from dashboard.readers import Predictor, TrackInfo
from dashboard.server.lanes import BEST, USUAL_CURVE
from dashboard.sidebar import selected

KEY = "in-time"
DISAGREE, COURSE = "disagree", "course"
VIEWS = {DISAGREE: "Where they disagree", COURSE: "Where does it go like this?"}
MOMENTS, RECORDINGS = "moments", "recordings"
LISTS = {
    MOMENTS: "moments with the largest difference",
    RECORDINGS: "recordings that correlate least",
}
MEASURED, PREDICTED = "measured", "predicted"
LENGTHS = (5.0, 7.5, 10.0, 15.0, 20.0)  # seconds
_CONTROLS = ("view", "curve", "layer", "by", "seconds", "of", "same_work", "count")
_LONGEST = 1e6  # seconds that an address may name


@dataclass(frozen=True, kw_only=True)
class CurveSearch:
    """All that the page depends on, except the dataset and the encoder.

    Attributes
    ----------
    view : {"disagree", "course"}
    curve : str
    layer : str
        The number of a layer, or "best": the layer that most folds chose for the curve.
    by : {"moments", "recordings"}
        What is listed where model and measurement disagree.
    track : str
        The query's; "" for the first track.
    at, seconds : float
        The span of the query.
    of : {"measured", "predicted"}
        Whose courses are compared.
    same_work : bool
        Whether the work of the query is searched, too.
    count : int
        The number of results, one of `COUNTS`.
    """

    view: str = DISAGREE
    curve: str = USUAL_CURVE
    layer: str = BEST
    by: str = MOMENTS
    track: str = ""
    at: float = 0.0
    seconds: float = 10.0
    of: str = MEASURED
    same_work: bool = False
    count: int = COUNTS[1]


memory = SearchMemory[CurveSearch](KEY)
_USUAL = CurveSearch()


def restore(
    dataset: str,
    encoder: str,
    *,
    curves: Sequence[str],
    tracks: Mapping[str, TrackInfo],
    predictor: Predictor | None,
    first: str,
) -> None:
    """Take the search from the address, else the one that was left, and set all controls so.

    Parameters
    ----------
    dataset, encoder : str
    curves : sequence of str
        That can be shown.
    tracks : mapping of str to TrackInfo
        By id, those that can be the query.
    predictor : Predictor or None
    first : str
        The query if there is none.
    """
    given = new_parameters() or {}
    wanted, problems = memory.find(dataset, encoder) or CurveSearch(), list[str]()
    current = current_recording(dataset)
    if current in tracks and current != wanted.track:
        wanted = replace(wanted, track=current, at=0.0)
    if linked := asks_for_a_search(given):
        wanted, problems = parse_curve_search(given)
    layers = [str(number) for number in range(len(predictor.layers) if predictor else 0)]
    if wanted.curve not in curves:
        problems += [f"curve {_short(wanted.curve)}"] if linked else []
        wanted = replace(wanted, curve=curves[0])
    if wanted.layer not in (BEST, *layers):
        problems.append(f"layer {_short(wanted.layer)}")
        wanted = replace(wanted, layer=BEST)
    if wanted.track not in tracks:
        problems += [f"track {_short(wanted.track)}"] if wanted.track else []
        wanted = replace(wanted, track=first, at=0.0)
    latest = max(tracks[wanted.track].duration - wanted.seconds, 0.0)
    wanted = replace(wanted, at=min(wanted.at, latest))
    if predictor is None and wanted.of == PREDICTED:
        wanted = replace(wanted, of=MEASURED)
    report(problems)
    if linked or not memory.is_open(dataset, encoder):
        for name in _CONTROLS:
            st.session_state[f"{KEY}-{name}"] = getattr(wanted, name)
    choose_recording(dataset, wanted.track)
    memory.open(dataset, encoder, wanted)


def remember_controls() -> None:
    """Set the controls that were not drawn in the last run: they have forgotten their values."""
    now = memory.now()
    for name in _CONTROLS:
        st.session_state.setdefault(f"{KEY}-{name}", getattr(now, name))


def lane_choice(search: CurveSearch, *, dataset: str, encoder: str) -> Choice:
    """Return what the lanes of the page show; another encoder where this one predicts nothing."""
    own = readers.predictor(dataset, encoder) is not None
    return Choice(curve=search.curve, by=(f"{encoder}:{search.layer}",) if own else ())


def choose_span(track: str, at: float) -> None:
    """Make a span of a track the query, and show where it goes like this."""
    choose_recording(selected()[0], track)
    memory.change(replace(memory.now(), view=COURSE, track=track, at=at))
    st.session_state[f"{KEY}-view"] = COURSE


def parse_curve_search(
    parameters: Mapping[str, Sequence[str]],
) -> tuple[CurveSearch, list[str]]:
    """Read an address; return also what could not be followed, in a few words each.

    >>> found, problems = parse_curve_search({"view": ["course"], "at": ["62"], "n": ["7"]})
    >>> found.at, problems
    (62.0, ['n 7'])
    """
    problems: list[str] = []

    def last(name: str, allowed: Collection[str] | None = None) -> str:
        text = parameters[name][-1].strip() if parameters.get(name) else ""
        if text and allowed is not None and text not in allowed:
            problems.append(f"{name} {_short(text)}")
            return ""
        return text

    def number(name: str) -> float:
        try:
            value = float(last(name) or 0)
        except ValueError:
            value = -1.0
        if not 0 <= value < _LONGEST:
            problems.append(f"{name} {_short(last(name))}")
            return 0.0
        return value

    found = CurveSearch(
        view=last("view", VIEWS) or _USUAL.view,
        curve=last("curve") or _USUAL.curve,
        layer=last("layer") or BEST,
        by=last("by", LISTS) or _USUAL.by,
        track=last("track"),
        at=number("at"),
        seconds=float(last("seconds", [f"{one:g}" for one in LENGTHS]) or _USUAL.seconds),
        of=last("of", (MEASURED, PREDICTED)) or _USUAL.of,
        same_work=last("with", ("work",)) == "work",
        count=int(last("n", [str(one) for one in COUNTS]) or _USUAL.count),
    )
    return found, problems


def format_curve_search(search: CurveSearch) -> Parameters:
    """Return a search as the parameters of an address, without the usual values."""
    found = {
        "view": search.view,
        "curve": search.curve,
        "layer": "" if search.layer == BEST else search.layer,
        "n": "" if search.count == _USUAL.count else str(search.count),
    }
    if search.view == DISAGREE:
        found["by"] = "" if search.by == _USUAL.by else search.by
    else:
        found |= {
            "track": search.track,
            "at": f"{search.at:g}",
            "seconds": f"{search.seconds:g}",
            "of": "" if search.of == _USUAL.of else search.of,
            "with": "work" if search.same_work else "",
        }
    return {name: [value] for name, value in found.items() if value}


def _short(text: str) -> str:
    return plain(text if len(text) <= 40 else text[:39] + "…") or "(nothing)"
