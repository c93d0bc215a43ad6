"""Articulation targets tell a hammer from a bow and staccato from legato."""

import math

import numpy as np
import pytest
from known_signals import Wave, clock, noise, notes, sine, track

BEGIN = [0.5 + 0.5 * i for i in range(20)]


def played(*, attack: float, decay: float = 0.06, levels: list[float] | None = None) -> Wave:
    return notes(BEGIN, 11, attack=attack, decay=decay, levels=levels)


def test_sharp_attacks_are_steeper_and_sharper_than_slow_ones() -> None:
    sharp, medium, slow = (track(played(attack=a)) for a in (0.002, 0.03, 0.08))
    for name in ("attack_slopes", "attack_sharpness"):
        assert sharp[name] > medium[name] > slow[name]
    assert sharp["attack_slopes"] > 2 * slow["attack_slopes"]


@pytest.mark.parametrize(("rise", "seconds"), [(20, 0.06), (30, 0.06), (30, 0.09)])
def test_a_slope_is_the_rise_over_its_time(rise: float, seconds: float) -> None:
    """Notes whose level rises along a straight line in dB, seen through a window of 20 ms."""
    time = clock(11)
    tones = sum(np.sin(2 * np.pi * 440 * 2**octave * time) for octave in range(4))
    level = np.interp(time % 0.5, [0, seconds, 0.4], [-rise, 0, -rise])
    slope = track(0.1 * tones * 10 ** (level / 20))["attack_slopes"]
    assert slope == pytest.approx(rise / seconds, rel=0.15)


def test_detached_notes_rise_more_steeply_than_notes_that_overlap() -> None:
    staccato, legato = track(played(attack=0.005, decay=0.03)), track(played(attack=0.005, decay=1))
    assert staccato["attack_slopes"] > 2 * legato["attack_slopes"]


def test_sharpness_does_not_depend_on_how_loud_notes_are() -> None:
    levels = [-12.0 * (i % 2) for i in range(len(BEGIN))]
    even, uneven = track(played(attack=0.01)), track(played(attack=0.01, levels=levels))
    assert uneven["attack_sharpness"] == pytest.approx(even["attack_sharpness"], abs=0.03)


def test_without_an_onset_there_is_no_attack() -> None:
    swelling = sine(440, 5) * np.linspace(0.01, 1, 5 * 24_000)
    values = track(swelling)
    assert math.isnan(values["attack_slopes"])
    assert math.isnan(values["attack_sharpness"])


def test_sharpness_is_a_share() -> None:
    for wave in (played(attack=0.002), played(attack=0.05), noise(11) + played(attack=0.01)):
        assert 0 < track(wave)["attack_sharpness"] < 1
