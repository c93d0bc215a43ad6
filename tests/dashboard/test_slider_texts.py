"""A slider says by what it ranks, as the search decides it: chosen, asked for, or moved."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from dashboard.components.weights import describe
from mess.records.index import Column, Kind
from mess.search.aspects import Aspect
from mess.search.coordinate_index import CoordinateIndex, serialise
from mess.search.terms import Method, Terms

KINDS: list[tuple[str, Kind]] = [
    ("spectral_centroid", "probe"),
    ("spectral_centroid", "direct"),
    ("brightness", "subspace"),
    ("tempo", "direct"),
    ("tempo", "direct_octaves"),
    ("tempo", "direct_octaves"),
]


def searchable(chosen: Method) -> Any:
    """Three tracks, whose layers do not tell tempo up to octaves."""
    x = np.random.default_rng(0).standard_normal((3, len(KINDS)))
    aspects = {
        name: Aspect(name, (target,), 1, target, 0.9, 0.9, True, steered=(target,))
        for name, target in (("brightness", "spectral_centroid"), ("tempo", "tempo"))
    }
    terms = Terms(
        dataset="d",
        encoder="e",
        track_ids=["a", "b", "c"],
        aspects=aspects,
        indexed=CoordinateIndex(serialise(x, np.zeros((3, 0))), [Column(*one) for one in KINDS]),
        defaults={"brightness": chosen},
    )
    return SimpleNamespace(aspects=aspects, terms=terms)


def test_a_slider_says_what_was_chosen_for_it() -> None:
    words = {
        "probe": "along what all layers predict of spectral_centroid",
        "subspace": "are predicted together",
        "direct": "by the measured spectral_centroid",
        "layer": "over the whole of layer 1",
    }
    for chosen, said in words.items():
        assert said in describe(searchable(chosen), "brightness")  # type: ignore[arg-type]
        assert said in describe(searchable("probe"), "brightness", method=chosen)  # type: ignore[arg-type]


def test_a_slider_of_a_moved_query_says_that_it_ranks_along_the_probe() -> None:
    assert "predict of" in describe(searchable("subspace"), "brightness", moved=True)


def test_tempo_says_that_octaves_pass_unless_the_query_is_moved() -> None:
    found = searchable("probe")
    assert describe(found, "tempo") == "Ranks by the measured tempo, whole octaves alike."
    assert "octaves" not in describe(found, "tempo", moved=True)
