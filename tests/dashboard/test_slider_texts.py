"""A slider says by what it ranks, as the search decides it: chosen, asked for, or moved."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from made_answers import follow, made_plan, session_of

from dashboard.components.results import describe_score, heading
from dashboard.components.weights import describe, slider_note
from mess.listening.agreement import analyse
from mess.records.index import Column, Kind
from mess.search.aspects import Aspect
from mess.search.coordinate_index import CoordinateIndex, serialise
from mess.search.terms import BY, Method, Terms

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
        models={"brightness": "subspace"},
        faithful={"brightness": {"probe": 0.7, "subspace": 0.8, "direct": 1.0}},
    )
    return SimpleNamespace(aspects=aspects, terms=terms)


def test_a_slider_says_what_was_chosen_for_it() -> None:
    words = {
        "probe": "along what all layers predict of spectral centroid",
        "subspace": "are predicted together",
        "direct": "by the measured spectral centroid",
        "layer": "over the whole of layer 1",
    }
    for chosen, said in words.items():
        assert said in describe(searchable(chosen), "brightness")  # type: ignore[arg-type]
        assert said in describe(searchable("probe"), "brightness", method=chosen)  # type: ignore[arg-type]


def test_a_slider_of_a_moved_query_says_that_it_ranks_along_the_probe() -> None:
    assert "predict of" in describe(searchable("subspace"), "brightness", moved=True)


def test_tempo_says_that_octaves_pass_unless_the_query_is_moved() -> None:
    found = searchable("probe")
    assert describe(found, "tempo").startswith("Ranks by the measured tempo, whole octaves alike.")
    assert "octaves" not in describe(found, "tempo", moved=True)


def test_the_choice_between_model_and_measurement_is_told_at_the_slider() -> None:
    found = searchable("probe")
    assert [slider_note(found, "brightness", by=by) for by in BY] == [
        "model 0.70",
        "model 0.80",
        "measured 1.00",
    ]
    assert "measured spectral centroid" in describe(found, "brightness", by="measurement")
    assert "Faithful to 1.00" in describe(found, "brightness", by="measurement")
    # A method that was asked for has precedence.
    assert slider_note(found, "brightness", method="probe", by="measurement") == "model 0.70"
    assert slider_note(found, "tempo") == "R² 0.90"  # nothing was evaluated


def test_what_listeners_said_stands_beside_the_method_that_ranks_and_nothing_is_made_up() -> None:
    plan = made_plan(items=18)
    answers = [
        answer
        for number in range(4)
        for answer in follow(plan, session_of(plan, seed=number), judge="measured")
    ]
    heard = analyse(answers, dataset="d", encoder="e", draws=50)
    found = searchable("probe")
    measured = slider_note(found, "brightness", by="measurement", listened=heard)
    assert measured == "measured 1.00, listeners\N{NO-BREAK SPACE}1.00"
    mean = heard.of_aspect("brightness", "mean")
    assert mean is not None
    assert (
        slider_note(found, "brightness", listened=heard)
        == f"model 0.70, listeners\N{NO-BREAK SPACE}{mean.share:.2f}"
    )
    text = describe(found, "brightness", listened=heard)
    assert "Blind listeners agreed with probes of means" in text
    assert "with each other in 1.00" in text
    assert slider_note(found, "tempo", listened=heard) == "R² 0.90"  # nobody was asked about it
    nobody = analyse([], dataset="d", encoder="e")
    assert slider_note(found, "brightness", listened=nobody) == "model 0.70"
    assert "listeners" not in describe(found, "brightness", listened=nobody)


def test_a_target_of_two_aspects_is_named() -> None:
    terms = searchable("probe").terms
    warmth = Aspect("warmth", (), 1, None, 0.9, 0.9, True, steered=("spectral_centroid",))
    terms = replace(terms, aspects={**terms.aspects, "warmth": warmth})
    assert terms.shared_targets(["brightness", "warmth", "tempo"]) == {
        "spectral_centroid": ["brightness", "warmth"]
    }
    assert terms.shared_targets(["brightness", "tempo", "overall"]) == {}


def test_a_list_says_what_its_score_means() -> None:
    assert (heading({"tempo": 1.0}), heading({"tempo": -1.0})) == ("Most alike", "Most unlike")
    assert heading({"tempo": 1.0, "warmth": -1.0}) == "Alike in tempo, unlike in warmth"
    assert "1 is equal, 0 as unlike as half of the tracks" in describe_score({"a": 1.0}, "tracks")
    assert "other way round" in describe_score({"a": 1.0, "b": -0.4}, "tracks")
    assert "1 is among the tenth" in describe_score({"a": -1.0}, "tracks")
