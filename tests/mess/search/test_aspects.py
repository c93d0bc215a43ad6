"""Aspects take their layers from a discovery and say so when no probe stands behind them."""

from typing import Any

import pytest

from mess.errors import MessError, UnknownName
from mess.search.aspects import ASPECTS, THRESHOLD, find_aspects, parse_weights


def cells(**r2: list[float | None]) -> list[dict[str, Any]]:
    """One list of R² per target, layer by layer."""
    return [
        {"layer": layer, "target": target, "r2": value}
        for target, values in r2.items()
        for layer, value in enumerate(values)
    ]


def test_there_are_ten_aspects_over_the_fifteen_targets() -> None:
    assert len(ASPECTS) == 10
    assert len({target for targets in ASPECTS.values() for target in targets}) == 15
    assert ASPECTS["brightness"] == ("spectral_centroid",)
    assert ASPECTS["texture"] == ("spectral_rolloff", "zero_crossing_rate")


def test_an_aspect_takes_the_layer_of_its_best_probe() -> None:
    found = find_aspects(
        cells(
            spectral_centroid=[0.1, 0.8, 0.5],
            spectral_rolloff=[0.4, 0.2, 0.3],
            zero_crossing_rate=[0.3, 0.1, 0.6],
            tempo=[-2.0, -0.1, 0.29],
        )
    )
    assert list(found) == list(ASPECTS)
    bright = found["brightness"]
    assert (bright.layer, bright.target, bright.r2) == (1, "spectral_centroid", 0.8)
    assert bright.validated
    assert (found["texture"].layer, found["texture"].target) == (2, "zero_crossing_rate")
    assert found["warmth"].layer == 1
    assert found["tempo"].layer == 2
    assert not found["tempo"].validated
    assert found["tempo"].r2 == 0.29


def test_an_aspect_without_any_score_is_not_validated() -> None:
    found = find_aspects(cells(tempo=[None, None]))
    for name in ("tempo", "phrasing"):
        assert not found[name].validated
        assert (found[name].layer, found[name].target, found[name].r2) == (None, None, None)


def test_layer_zero_and_an_r2_of_zero_count() -> None:
    found = find_aspects(cells(tempo=[0.0, -0.5]), threshold=0.0)["tempo"]
    assert found.validated
    assert (found.layer, found.target, found.r2) == (0, "tempo", 0.0)


def test_the_threshold_itself_is_enough() -> None:
    assert find_aspects(cells(tempo=[THRESHOLD]))["tempo"].validated
    assert not find_aspects(cells(tempo=[THRESHOLD - 1e-9]))["tempo"].validated


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
