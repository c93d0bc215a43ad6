"""Sliders: how much each aspect counts in a search, from −1 to 1, with the R² beside each.

Any page that asks a `LayerBasedRecommender` draws them with its own key.
"""

from collections.abc import Mapping

import streamlit as st

from mess.search.aspects import ASPECTS, OVERALL
from mess.search.layer_based_recommender import LayerBasedRecommender

EVERYTHING = "Everything"
PRESETS: dict[str, tuple[str, ...]] = {
    EVERYTHING: tuple(ASPECTS),
    "Timbre": ("brightness", "texture", "warmth", "harmonic_richness"),
    "Rhythm": ("tempo", "rhythmic_energy", "articulation"),
    "Dynamics": ("dynamics", "crescendo", "phrasing"),
}
STEP = 0.05


def presets(recommender: LayerBasedRecommender) -> dict[str, dict[str, float]]:
    """Return the weights of every preset that has a validated aspect; others of it are left out.

    "Everything" counts every aspect by a half, so that each can be raised and lowered.
    """
    validated = recommender.get_available_aspects()
    found: dict[str, dict[str, float]] = {}
    for name, aspects in PRESETS.items():
        counts = 0.5 if name == EVERYTHING else 1.0
        weights = {aspect: counts for aspect in aspects if aspect in validated}
        if weights:
            found[name] = weights
    if recommender.terms.found is not None:
        found["Overall"] = {OVERALL: 1.0}
    return found


def weighable(recommender: LayerBasedRecommender) -> list[str]:
    """Return what may have a weight here: validated aspects, `OVERALL`, what only MIDI tells."""
    validated = recommender.get_available_aspects()
    names = [name for name in validated if name in ASPECTS]
    if recommender.terms.found is not None:
        names.append(OVERALL)
    return names + [name for name in validated if name not in ASPECTS]


def start_weights(recommender: LayerBasedRecommender) -> dict[str, float]:
    """Return the weights that a first visit shows: the first preset."""
    return next(iter(presets(recommender).values()), {})


def set_weights(
    recommender: LayerBasedRecommender, weights: Mapping[str, float], *, key: str
) -> None:
    """Put the sliders of a place where they should be; to be called before they are drawn.

    Parameters
    ----------
    recommender : LayerBasedRecommender
    weights : mapping of str to float
        What is not named becomes 0.
    key : str
        Of `choose_weights`.
    """
    for name in weighable(recommender):
        value = min(max(weights.get(name, 0.0), -1.0), 1.0)
        st.session_state[f"{key}-weight-{name}"] = round(round(value / STEP) * STEP, 2)


def choose_weights(recommender: LayerBasedRecommender, *, key: str) -> dict[str, float]:
    """Draw the sliders, the presets and what is not validated; return the weights.

    Parameters
    ----------
    recommender : LayerBasedRecommender
    key : str
        Of this place: begins the keys of its widgets.

    Returns
    -------
    dict of str to float
        From −1 to 1 of all that is `weighable`.
    """
    names = weighable(recommender)
    if any(f"{key}-weight-{name}" not in st.session_state for name in names):
        set_weights(recommender, start_weights(recommender), key=key)
    _draw_presets(recommender, key)
    weights = {}
    for name in [one for one in names if one in ASPECTS or one == OVERALL]:
        weights[name] = _slider(recommender, name, key)
    played = [name for name in names if name not in weights]
    if played:
        with st.expander("How it is played (known from MIDI, predicted where there is none)"):
            for name in played:
                weights[name] = _slider(recommender, name, key)
    _draw_others(recommender)
    return weights


def _draw_presets(recommender: LayerBasedRecommender, key: str) -> None:
    choices = {**presets(recommender), "Reset": start_weights(recommender)}
    with st.container(horizontal=True, gap="small"):
        for name, weights in choices.items():
            st.button(
                name,
                key=f"{key}-preset-{name}",
                on_click=set_weights,
                args=(recommender, weights),
                kwargs={"key": key},
            )


def _slider(recommender: LayerBasedRecommender, name: str, key: str) -> float:
    r2 = None if name == OVERALL else recommender.aspects[name].r2
    label = name.replace("_", " ")
    weight: float = st.slider(
        label if r2 is None else f"{label} (R² {r2:.2f})",
        -1.0,
        1.0,
        step=STEP,
        key=f"{key}-weight-{name}",
        help=describe(recommender, name),
    )
    return weight


def describe(recommender: LayerBasedRecommender, name: str) -> str:
    """Return one sentence on what an aspect ranks by here."""
    if name == OVERALL:
        return "Ranks by the cosine over everything that the encoder hears, whitened."
    aspect = recommender.aspects[name]
    behind = {
        "probe": f"along what all layers predict of {', '.join(aspect.steered)}",
        "subspace": f"where {', '.join(aspect.targets)} and their course are predicted together",
        "direct": f"by the measured {', '.join(aspect.targets)}",
        "layer": f"over the whole of layer {aspect.layer}, by the probe of {aspect.target}",
    }
    return f"Ranks {behind[recommender.terms.default_method(name)]}."


def unvalidated(recommender: LayerBasedRecommender) -> str:
    """Return the aspects that have no slider here, with the R² that is too low, as a line."""
    validated = recommender.get_available_aspects()
    return ", ".join(
        f"{aspect.name.replace('_', ' ')} "
        + ("(undefined)" if aspect.r2 is None else f"(R² {aspect.r2:.2f})")
        for name, aspect in recommender.aspects.items()
        if name not in validated
    )


def _draw_others(recommender: LayerBasedRecommender) -> None:
    if not recommender.get_available_aspects():
        st.warning("No aspect is validated: this encoder's layers do not predict any target here.")
    elif others := unvalidated(recommender):
        st.caption(f"Not validated on these recordings: {others}")
