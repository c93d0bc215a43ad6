"""What is said of a slope follows from its interval."""

import pytest

from mess.doses.words import is_side_effect, verdict
from mess.probing.dose import Response
from mess.records.dose import DoseCell


def made(low: float | None, high: float | None, *, moved: tuple[float, float]) -> DoseCell:
    slope = None if low is None or high is None else (low + high) / 2
    answer = Response(slope, low, high, None, None, *moved, n=80, works=20)
    return DoseCell(
        edit="tilt", target="tempo", reading="mean", layer=0, across=0.5, response=answer
    )


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.88, 1.12, "follows"),
        (1.6, 2.5, "runs ahead"),
        (0.04, 0.15, "is blind"),
        (-0.1, 0.1, "is blind"),
        (0.13, 0.28, "hardly follows"),
        (-0.1, 0.4, "hardly follows"),
        (0.28, 0.74, "follows in part"),
        (-0.6, -0.3, "goes the other way"),
        (-0.1, 0.9, "unsure"),
        (None, None, None),
    ],
)
def test_the_whole_interval_decides_the_word(
    low: float | None, high: float | None, word: str | None
) -> None:
    assert verdict(made(low, high, moved=(1.0, 1.0))) == word


def test_a_side_effect_moves_the_prediction_and_hardly_the_target() -> None:
    assert is_side_effect(made(None, None, moved=(0.0, 0.3)))
    assert is_side_effect(made(0.1, 0.2, moved=(0.2, 0.4)))
    assert not is_side_effect(made(0.1, 0.2, moved=(0.3, 0.4)))
    assert not is_side_effect(made(None, None, moved=(0.0, 0.2)))
