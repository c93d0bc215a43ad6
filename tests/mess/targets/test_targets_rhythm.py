"""Tempo and onset density read the clock of the music."""

import math

import numpy as np
import pytest
from known_signals import analysis_of, chord, clicks, noise, notes, sine, track


@pytest.mark.parametrize("bpm", [45.0, 60.0, 90.0, 93.7, 120.0])
def test_a_click_track_reads_its_tempo(bpm: float) -> None:
    assert track(clicks(bpm, 30))["tempo"] == pytest.approx(bpm, abs=0.2)


def test_a_click_track_at_90_has_three_onsets_in_two_seconds() -> None:
    values = track(clicks(90, 30))
    assert values["tempo"] == pytest.approx(90, abs=1)
    assert values["onset_density"] == pytest.approx(1.5, abs=0.04)


def test_the_same_music_played_faster_is_found_faster() -> None:
    """Quarter notes with a louder one every two beats and eighths between."""

    def played(bpm: float) -> np.ndarray:
        eighth = 30 / bpm
        onsets = [0.3 + i * eighth for i in range(int(28 / eighth))]
        levels = [0.0 if i % 4 == 0 else -6.0 if i % 2 == 0 else -14.0 for i in range(len(onsets))]
        return notes(onsets, 30, levels=levels)

    slow, fast = track(played(80))["tempo"], track(played(104))["tempo"]
    assert fast / slow == pytest.approx(1.3, rel=0.01)
    assert min(abs(slow / 80 - octave) for octave in (0.5, 1, 2)) < 0.01


def test_tempo_is_found_in_spite_of_uneven_playing() -> None:
    rng = np.random.default_rng(1)
    onsets = (
        np.arange(0.4, 39, 60 / 84) + rng.normal(0, 0.015, 55)[: len(np.arange(0.4, 39, 60 / 84))]
    )
    levels = list(rng.uniform(-12, 0, onsets.size))
    assert track(notes(list(onsets), 40, levels=levels))["tempo"] == pytest.approx(84, rel=0.02)


def test_onsets_lie_where_notes_begin() -> None:
    begin = np.sort(np.random.default_rng(2).choice(np.arange(0.2, 19.5, 0.15), 60, replace=False))
    found = analysis_of(notes(list(begin), 20)).onsets
    assert found.size == begin.size
    assert np.abs(found - begin).max() < 0.03


def test_the_first_note_counts_and_the_end_of_the_file_does_not() -> None:
    assert analysis_of(sine(440, 5)).onsets == pytest.approx([0.0], abs=0.05)
    assert analysis_of(chord([0, 4, 7], 5)).onsets == pytest.approx([0.0], abs=0.05)


def test_a_held_chord_and_noise_have_no_tempo() -> None:
    assert math.isnan(track(chord([0, 4, 7], 20))["tempo"])
    assert math.isnan(track(noise(20))["tempo"])


def test_notes_at_random_times_have_no_tempo() -> None:
    begin = np.sort(np.random.default_rng(3).uniform(0.1, 59, 60))
    assert math.isnan(track(notes(list(begin), 60))["tempo"])
