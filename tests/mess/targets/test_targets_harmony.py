"""Harmonic complexity counts the pitch classes in play, in any tuning and octave."""

import math

import numpy as np
import pytest
from known_signals import Wave, chord, noise, sine, track


def complexity(wave: Wave) -> float:
    return track(wave)["harmonic_complexity"]


def walk(steps: list[int], *, tuning: float = 0.0) -> Wave:
    return np.concatenate([chord([step + tuning], 0.25) for step in steps])


def test_the_entropy_of_equal_pure_tones_is_the_logarithm_of_their_number() -> None:
    assert complexity(sine(440, 4)) == pytest.approx(0, abs=0.02)
    assert complexity(chord([0, 4, 7], 6)) == pytest.approx(math.log2(3), abs=0.03)
    assert complexity(chord([0, 3, 6, 9], 6)) == pytest.approx(2, abs=0.03)
    assert complexity(chord([-12, 0, 12], 6)) == pytest.approx(0, abs=0.02)


def test_a_chromatic_walk_is_more_complex_than_a_scale_and_a_scale_than_a_chord() -> None:
    chromatic = complexity(walk([i % 12 for i in range(48)]))
    scale = complexity(walk([[0, 2, 4, 5, 7, 9, 11][i % 7] for i in range(48)]))
    broken_chord = complexity(walk([[0, 4, 7][i % 3] for i in range(48)]))
    assert chromatic == pytest.approx(math.log2(12), abs=0.1)
    assert scale == pytest.approx(math.log2(7), abs=0.1)
    assert broken_chord == pytest.approx(math.log2(3), abs=0.1)


@pytest.mark.parametrize("tuning", [-0.45, -0.2, 0.3, 0.45])
def test_a_piano_out_of_tune_is_no_more_complex(tuning: float) -> None:
    steps = [0, 4, 7, 12, 9, 5, 2, 0] * 4
    assert complexity(walk(steps, tuning=tuning)) == pytest.approx(complexity(walk(steps)), abs=0.1)


def test_noise_has_all_pitch_classes() -> None:
    assert complexity(noise(4)) > 3.5
