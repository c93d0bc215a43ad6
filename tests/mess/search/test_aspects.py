"""Aspects take their layers from a discovery and say so when no probe stands behind them."""

import pytest
from made_records import made_cell, made_summary

from mess.errors import MessError, UnknownName
from mess.probing.results import Cell, TargetSummary
from mess.records.index import Column
from mess.search.aspects import (
    ASPECTS,
    THRESHOLD,
    find_aspects,
    find_evidence,
    parse_weights,
)


def cells(p_family: float | None = 0.01, works: int = 45, **r2: list[float | None]) -> list[Cell]:
    """One list of R² per target, layer by layer."""
    return [
        made_cell(layer, target, value, p_family=p_family, works=works)
        for target, values in r2.items()
        for layer, value in enumerate(values)
    ]


def columns(p_family: float | None = None, **r2: float | None) -> list[Column]:
    """The columns of an index that predicts these targets."""
    return [Column(name, "probe", r2=value, p_family=p_family) for name, value in r2.items()]


def nested(**r2: float | None) -> list[TargetSummary]:
    return [made_summary(target, value) for target, value in r2.items()]


def test_there_are_ten_aspects_over_the_fifteen_targets() -> None:
    assert len(ASPECTS) == 10
    assert len({target for targets in ASPECTS.values() for target in targets}) == 15
    assert ASPECTS["brightness"] == ("spectral_centroid",)
    assert ASPECTS["texture"] == ("spectral_rolloff", "zero_crossing_rate")


def test_an_aspect_takes_the_layer_of_its_best_probe() -> None:
    probes = cells(
        spectral_centroid=[0.1, 0.8, 0.5],
        spectral_rolloff=[0.4, 0.2, 0.3],
        zero_crossing_rate=[0.3, 0.1, 0.6],
        tempo=[-2.0, -0.1, 0.29],
    )
    predicted = columns(spectral_centroid=0.7, zero_crossing_rate=0.5, spectral_rolloff=0.2)
    evidence = find_evidence(probes, nested(tempo=0.29), predicted=predicted)
    found = find_aspects(probes, evidence)
    assert list(found) == list(ASPECTS)
    bright = found["brightness"]
    assert (bright.layer, bright.target, bright.layer_r2) == (1, "spectral_centroid", 0.8)
    assert (bright.validated, bright.r2, bright.doubt) == (True, 0.7, "")
    assert (found["texture"].layer, found["texture"].target) == (2, "zero_crossing_rate")
    assert found["texture"].steered == ("zero_crossing_rate",)
    assert found["warmth"].layer == 1
    assert found["tempo"].layer == 2
    assert not found["tempo"].validated
    assert (found["tempo"].r2, found["tempo"].doubt) == (0.29, "R² 0.290 is under 0.3")
    assert found["phrasing"].doubt == "undefined"


@pytest.mark.parametrize(
    ("p_family", "works", "r2", "doubt"),
    [
        (0.05, 10, THRESHOLD, ""),
        (0.051, 45, 0.9, "no layer is significant, p 0.05"),
        (None, 45, 0.9, "never tested against shuffled works"),
        (0.001, 9, 0.9, "9 works, and 10 are needed"),
        (0.001, 45, THRESHOLD - 1e-3, "R² 0.299 is under 0.3"),
        (0.001, 45, None, "undefined"),
    ],
)
@pytest.mark.parametrize("kind", ["nested", "stacked"])
def test_validated_is_significant_and_well_read_over_enough_works(
    kind: str, p_family: float | None, works: int, r2: float | None, doubt: str
) -> None:
    probes = cells(p_family, works, tempo=[0.95])
    summaries, predicted = (
        (nested(tempo=r2), columns(tempo=0.1)) if kind == "nested" else ([], columns(tempo=r2))
    )
    if r2 is None:
        predicted = columns(tempo=None)
    found = find_aspects(probes, find_evidence(probes, summaries, predicted=predicted))["tempo"]
    assert found.doubt == doubt
    assert found.validated == (not doubt)
    assert found.steered == (("tempo",) if not doubt else ())


def test_a_target_that_no_layer_tells_by_its_mean_is_validated_by_a_reading_through_time() -> None:
    probes = cells(0.8, crescendo_strength=[0.01, -0.2])
    for p_family, valid in ((0.001, True), (0.2, False), (None, False)):
        evidence = find_evidence(
            probes,
            nested(crescendo_strength=0.01),
            predicted=columns(p_family, crescendo_strength=0.8),
        )
        found = find_aspects(probes, evidence)["crescendo"]
        assert found.validated == valid
        assert found.steered == (("crescendo_strength",) if valid else ())


def test_the_best_of_many_layers_validates_nothing() -> None:
    probes = cells(tempo=[0.1, 0.9])
    found = find_aspects(probes, find_evidence(probes, nested(tempo=0.1)))["tempo"]
    assert (found.layer, found.layer_r2) == (1, 0.9)
    assert not found.validated


def test_an_aspect_without_any_score_is_not_validated() -> None:
    probes = cells(tempo=[None, None])
    found = find_aspects(probes, find_evidence(probes))
    for name in ("tempo", "phrasing"):
        assert not found[name].validated
        assert (found[name].layer, found[name].target, found[name].r2) == (None, None, None)


def test_layer_zero_and_an_r2_of_zero_count() -> None:
    probes = cells(tempo=[0.0, -0.5])
    evidence = find_evidence(probes, predicted=columns(tempo=0.0))
    found = find_aspects(probes, evidence, threshold=0.0)["tempo"]
    assert found.validated
    assert (found.layer, found.target, found.r2) == (0, "tempo", 0.0)


def test_a_target_of_midi_becomes_an_aspect_where_it_is_validated() -> None:
    probes = cells(polyphony=[0.9], register=[0.9])
    evidence = find_evidence(probes, predicted=columns(polyphony=0.7, register=0.2))
    found = find_aspects(probes, evidence, more=["polyphony", "register", "pedal_ratio"])
    assert set(found) - set(ASPECTS) == {"polyphony"}


def test_weights_are_read_as_the_command_line_writes_them() -> None:
    assert parse_weights("brightness=0.6,texture=0.4") == {"brightness": 0.6, "texture": 0.4}
    assert parse_weights(" tempo = 2 , ") == {"tempo": 2.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no weights given"),
        (" , ", "no weights given"),
        ("brightness", "'brightness' is no weight"),
        ("brightness=much", "'brightness=much' is no weight"),
        ("brightness=1=2", "is no weight"),
        ("brightness=1,brightness=2", "'brightness' is given twice"),
    ],
)
def test_other_weights_are_refused(text: str, message: str) -> None:
    with pytest.raises(MessError, match=message):
        parse_weights(text)


def test_an_unknown_aspect_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="unknown aspect 'brigtness': did you mean 'brightness'"):
        parse_weights("brigtness=1")
