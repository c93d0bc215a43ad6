"""The sliders of a search: the weight of each aspect from −1 to 1, with its R² beside it.

Each page that searches draws them with its own key.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import streamlit as st

from dashboard import readers
from dashboard.components.heard import agreement_about, describe_agreement
from dashboard.components.sliders import Slider, are_set, draw_sliders, set_sliders
from dashboard.components.text import plain
from mess.as_text import as_words, interval, two_decimals
from mess.errors import MessError
from mess.listening.agreement import ListeningResult
from mess.records.evaluation import Method
from mess.search.aspects import ASPECTS, OVERALL, Aspect
from mess.search.tempo import TEMPO
from mess.search.terms import By, Terms
from mess.targets import title_of

EVERYTHING = "Everything"
RESET = "Reset"
PRESETS: dict[str, tuple[str, ...]] = {
    EVERYTHING: tuple(ASPECTS),
    "Timbre": ("brightness", "texture", "warmth", "harmonic_richness"),
    "Rhythm": ("tempo", "rhythmic_energy", "articulation"),
    "Dynamics": ("dynamics", "crescendo", "phrasing"),
}


_TIMES = {2: "twice", 3: "three times"}


class Searchable(Protocol):
    """A search of tracks (`LayerBasedRecommender`) or of passages (`PassageRecommender`)."""

    aspects: dict[str, Aspect]
    terms: Terms

    def get_available_aspects(self) -> list[str]:
        """Return the validated aspects."""
        ...


_PLAYED = "How it is played (known from MIDI, predicted where there is none)"
_LEARNED = "Learned heads (trained by others; see `mess heads`)"


def presets(recommender: Searchable) -> dict[str, dict[str, float]]:
    """Return the weights of every preset, without aspects that are not validated.

    "Everything" gives each aspect the weight 0.5, so that each can be raised and lowered.
    """
    validated = recommender.get_available_aspects()
    found: dict[str, dict[str, float]] = {}
    for name, aspects in PRESETS.items():
        counts = 0.5 if name == EVERYTHING else 1.0
        weights = {aspect: counts for aspect in aspects if aspect in validated}
        if weights:
            found[name] = weights
    if recommender.terms.indexed is not None:
        found["Overall"] = {OVERALL: 1.0}
    return found


def summarise(weights: Mapping[str, float], presets: Mapping[str, Mapping[str, float]]) -> str:
    """Say in one line how the sliders are set; the heaviest aspect comes first.

    >>> summarise({"tempo": 1.0, "texture": -0.4}, {"Rhythm": {"tempo": 1.0}})
    'tempo +1.00, texture −0.40'
    >>> summarise({"tempo": 1.0}, {"Rhythm": {"tempo": 1.0}})
    'Rhythm: tempo +1.00'
    """
    used = {name: weight for name, weight in weights.items() if weight}
    if not used:
        return "all at 0"
    preset = next((name for name, values in presets.items() if dict(values) == used), "")
    heaviest = sorted(used.items(), key=lambda one: -abs(one[1]))
    signs = {name: "+" if weight > 0 else "−" for name, weight in heaviest}
    words = [f"{as_words(name)} {signs[name]}{abs(w):.2f}" for name, w in heaviest]
    return (f"{preset}: " if preset else "") + ", ".join(words)


def weighable(recommender: Searchable) -> list[str]:
    """Return what may have a weight: validated aspects, `OVERALL`, MIDI targets, learned heads."""
    validated = recommender.get_available_aspects()
    names = [name for name in validated if name in ASPECTS]
    if recommender.terms.indexed is not None:
        names.append(OVERALL)
    return names + [name for name in validated if name not in ASPECTS]


def start_weights(recommender: Searchable) -> dict[str, float]:
    """Return the weights that a first visit shows: the first preset."""
    return next(iter(presets(recommender).values()), {})


def set_weights(weights: Mapping[str, float], *, key: str) -> None:
    """Set the sliders of a place. Call it before they are drawn.

    Parameters
    ----------
    weights : mapping of str to float
        Sliders that are not named become 0.
    key : str
        Of `watch_weights`.
    """
    set_sliders(weights, key=f"{key}-weights")


def watch_weights(
    recommender: Searchable,
    *,
    key: str,
    method: Method | None = None,
    by: By = "better",
    moved: Collection[str] = (),
) -> tuple[dict[str, float], bool]:
    """Draw the sliders, the presets and what is not validated; return the weights.

    Parameters
    ----------
    recommender : Searchable
    key : str
        Of this place: begins the keys of its widgets.
    method : str, optional
        By which all aspects rank, if one was asked for.
    by : str
        "model", "measurement" or "better".
    moved : collection of str
        The aspects along which the query is moved.

    Returns
    -------
    weights : dict of str to float
        From −1 to 1, of all that is `weighable`.
    settled : bool
        Whether no slider is being dragged.
    """
    if not are_set(f"{key}-weights"):
        set_weights(start_weights(recommender), key=key)
    listened = _what_listeners_said(recommender.terms)
    rows = [
        _slider(recommender, name, method=method, by=by, moved=name in moved, listened=listened)
        for name in weighable(recommender)
    ]
    choices = presets(recommender) | {RESET: start_weights(recommender)}
    found = draw_sliders(rows, presets=choices if rows else {}, key=f"{key}-weights")
    if not recommender.get_available_aspects():
        st.warning(f"No aspect is validated on these recordings: {unvalidated(recommender)}")
    elif others := unvalidated(recommender):
        st.caption(f"Not validated on these recordings: {others}")
    used = [name for name, weight in found[0].items() if weight]
    for target, aspects in recommender.terms.shared_targets(used).items():
        both = " and ".join(as_words(name) for name in aspects)
        st.caption(
            f"{both[0].upper()}{both[1:]} share the target {title_of(target)}: together they weigh "
            f"it {_TIMES.get(len(aspects), str(len(aspects)) + ' times')}."
        )
    return found


def _what_listeners_said(terms: Terms) -> ListeningResult | None:
    """Return what answers say; where they cannot be read, a line says so and sliders work on."""
    try:
        return readers.listening_result(terms.dataset, terms.encoder)
    except MessError as error:
        st.warning(plain(readers.told(error)))
        return None


def _slider(
    recommender: Searchable,
    name: str,
    *,
    method: Method | None,
    by: By,
    moved: bool,
    listened: ListeningResult | None,
) -> Slider:
    return Slider(
        name=name,
        label=as_words(name),
        note=slider_note(recommender, name, method=method, by=by, moved=moved, listened=listened),
        help=describe(recommender, name, method=method, by=by, moved=moved, listened=listened),
        group=_group(recommender, name),
    )


def _group(recommender: Searchable, name: str) -> str:
    if name in ASPECTS or name == OVERALL:
        return ""
    return _PLAYED if recommender.aspects[name].head is None else _LEARNED


def slider_note(
    recommender: Searchable,
    name: str,
    *,
    method: Method | None = None,
    by: By = "better",
    moved: bool = False,
    listened: ListeningResult | None = None,
) -> str:
    """Say by what a slider ranks and how faithful that is; R² where nothing was evaluated.

    Where people ``listened`` and judged, the note says in which share they agreed.
    """
    chosen = recommender.terms.ranks_by(name, method=method, by=by, moved=moved)
    if chosen == "overall":
        return ""
    if chosen == "head":
        heard = recommender.aspects[name].heard
        if heard is None:
            return "learned"
        return f"learned {heard.accuracy:.2f}" + ("" if heard.seen else " (chance)")
    notes = []
    faithful = recommender.terms.faithful.get(name, {}).get(chosen)
    r2 = recommender.aspects[name].r2
    if faithful is not None:
        notes.append(f"{'measured' if chosen == 'direct' else 'model'} {faithful:.2f}")
    elif r2 is not None:
        notes.append(f"R² {r2:.2f}")
    agreed = agreement_about(recommender.terms, name, chosen, listened)
    if agreed is not None:
        notes.append(f"listeners\N{NO-BREAK SPACE}{two_decimals(agreed.share)}")
    return ", ".join(notes)


def describe(
    recommender: Searchable,
    name: str,
    *,
    method: Method | None = None,
    by: By = "better",
    moved: bool = False,
    listened: ListeningResult | None = None,
) -> str:
    """Say by what an aspect ranks, and how faithful that is; the search itself decides it."""
    chosen = recommender.terms.ranks_by(name, method=method, by=by, moved=moved)
    if chosen == "overall":
        return "Ranks by the cosine of whitened features of all layers, without probes."
    aspect = recommender.aspects[name]
    if chosen == "head":
        return _describe_head(aspect)
    behind = {
        "probe": f"along what all layers predict of {_titles(aspect.steered)}",
        "subspace": f"where {_titles(aspect.targets)} and their course are predicted together",
        "direct": f"by the measured {_titles(aspect.targets)}",
        "layer": f"over the whole of layer {aspect.layer}, "
        f"by the probe of {title_of(aspect.target or '')}",
    }
    octaves = TEMPO in aspect.targets and chosen != "layer" and not moved
    text = f"Ranks {behind[chosen]}" + (", whole octaves alike." if octaves else ".")
    if chosen == "direct" and method is None and TEMPO not in aspect.targets:
        text += " A query that was not measured is ranked by what the layers predict."
    faithful = recommender.terms.faithful.get(name, {}).get(chosen)
    if faithful is not None:
        text += (
            f" Faithful to {faithful:.2f}: the correlation of its ranks with true differences, "
            "1 at best, 0 by chance."
        )
    if aspect.r2 is not None:
        text += f" R² of the prediction {aspect.r2:.2f}."
    agreed = agreement_about(recommender.terms, name, chosen, listened)
    if agreed is not None and listened is not None:
        text += f" {describe_agreement(agreed, listened)}"
    return text


def _titles(targets: Sequence[str]) -> str:
    return ", ".join(map(title_of, targets))


def _describe_head(aspect: Aspect) -> str:
    if aspect.head is None:
        return ""
    text = (
        "Ranks by the cosine of what a learned head makes of the layers. Others trained it to tell "
        f"{aspect.head.factor} (licence of its weights: {aspect.head.licence}). "
    )
    if aspect.heard is None:
        return text + "`mess factors` measures whether it does."
    bounds = interval(aspect.heard.low, aspect.heard.high)
    return text + (
        f"Of two recordings it finds the one that shares this and nothing else in "
        f"{aspect.heard.accuracy:.2f} {bounds} of the cases; 0.50 is chance."
    )


def unvalidated(recommender: Searchable) -> str:
    """Return the aspects without a slider in one line, with each reason once."""
    validated = recommender.get_available_aspects()
    by_reason: dict[str, list[str]] = {}
    for name, aspect in recommender.aspects.items():
        if name not in validated:
            by_reason.setdefault(aspect.doubt, []).append(as_words(aspect.name))
    return "; ".join(f"{', '.join(names)} ({why})" for why, names in by_reason.items())
