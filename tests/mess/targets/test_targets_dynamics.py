"""Dynamic targets measure differences of loudness in dB, whatever the gain."""

import math

import numpy as np
import pytest
from known_signals import analysis_of, clock, noise, notes, sine, track

from mess.targets.dynamics import note_levels


def fade(decibel_from: float, decibel_to: float, seconds: float) -> np.ndarray:
    return sine(440, seconds) * 10 ** (
        np.linspace(decibel_from, decibel_to, clock(seconds).size) / 20
    )


def test_a_fade_in_is_a_crescendo_of_its_own_slope() -> None:
    values = track(fade(-30, 0, 30))
    assert values["crescendo_strength"] == pytest.approx(1.0, abs=0.08)
    assert values["diminuendo_strength"] < 0.01


def test_a_fade_out_is_a_diminuendo_of_its_own_slope() -> None:
    values = track(fade(0, -30, 30))
    assert values["diminuendo_strength"] == pytest.approx(1.0, abs=0.08)
    assert values["crescendo_strength"] < 0.01


def test_plucked_notes_that_grow_louder_are_a_crescendo_too() -> None:
    onsets = list(np.arange(0.2, 29.5, 0.25))
    values = track(notes(onsets, 30, levels=list(np.linspace(-24, 0, len(onsets)))))
    assert values["crescendo_strength"] == pytest.approx(24 / 30, rel=0.15)
    assert values["diminuendo_strength"] < 0.05


@pytest.mark.parametrize(
    "steady", [sine(440, 12), noise(12), notes([0.5 * i for i in range(24)], 12)]
)
def test_steady_sound_has_no_dynamics(steady: np.ndarray) -> None:
    values = track(steady)
    assert values["crescendo_strength"] < 0.15
    assert values["diminuendo_strength"] < 0.15
    assert values["dynamic_variance"] < 0.1
    assert values["dynamic_range"] < 0.6


def test_dynamic_range_is_that_of_the_notes() -> None:
    onsets = list(np.arange(0.2, 29.5, 0.5))
    levels = list(np.random.default_rng(0).uniform(-20, 0, len(onsets)))
    values = track(notes(onsets, 30, levels=levels))
    low, high = np.percentile(levels, [10, 95])
    assert values["dynamic_range"] == pytest.approx(high - low, abs=0.5)


def test_the_decay_of_notes_is_no_dynamic_range() -> None:
    onsets = list(np.arange(0.2, 29.5, 1.0))
    for decay in (0.05, 0.4):
        assert track(notes(onsets, 30, decay=decay))["dynamic_range"] < 0.5


def test_a_held_tone_that_swells_has_a_range_without_any_onset() -> None:
    values = track(fade(-30, 0, 20))
    assert values["dynamic_range"] == pytest.approx(0.85 * 30, abs=3)


def test_dynamic_variance_is_that_of_loud_and_soft_passages() -> None:
    """Half loud, half 12 dB softer: a variance of 6² dB², less the time that the change takes."""
    soft_and_loud = sine(440, 40) * np.where(clock(40) < 20, 1, 10 ** (-12 / 20))
    assert track(soft_and_loud)["dynamic_variance"] == pytest.approx(36, rel=0.1)


def test_levels_are_those_that_notes_reach() -> None:
    levels = note_levels(analysis_of(notes([1, 2, 3, 4], 5, levels=[0, -6, -12, -18])))
    np.testing.assert_allclose(np.sort(levels), [-18, -12, -6, 0], atol=0.3)


def test_one_short_note_has_no_range() -> None:
    assert math.isnan(track(notes([0.3], 1.0))["dynamic_range"])
