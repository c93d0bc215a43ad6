"""The fifteen targets as a user gets them: names, gain, segments, undefined values."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_signals import RATE, as_signal, chord, clicks, noise, notes, sections, sine

from mess.audio.decoding import Signal, segment_bounds
from mess.targets import (
    FAMILIES,
    MIDI_TARGETS,
    TARGETS,
    TargetValues,
    analyse,
    compute_targets,
)

PIECE = np.concatenate(
    [
        notes(list(np.arange(0.2, 9.8, 0.37)), 10, levels=list(np.linspace(-18, 0, 26))),
        sections([6, 5]),
        notes(list(np.arange(0.1, 8, 0.5)), 8.3, attack=0.04, frequency=330),
    ]
)


def assert_same(left: TargetValues, right: TargetValues) -> None:
    for name, value in left.track.items():
        np.testing.assert_allclose(value, right.track[name], rtol=1e-3, atol=1e-4, err_msg=name)
    for name, values in left.segments.items():
        np.testing.assert_allclose(values, right.segments[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_there_are_fifteen_in_six_families() -> None:
    assert list(TARGETS) == [
        *("spectral_centroid", "spectral_rolloff", "spectral_bandwidth", "zero_crossing_rate"),
        *("tempo", "onset_density"),
        *("dynamic_range", "dynamic_variance", "crescendo_strength", "diminuendo_strength"),
        "harmonic_complexity",
        *("attack_slopes", "attack_sharpness"),
        *("phrase_regularity", "num_phrases"),
    ]
    assert tuple(dict.fromkeys(target.family for target in TARGETS.values())) == FAMILIES[:-1]
    assert {target.family for target in MIDI_TARGETS.values()} == set(FAMILIES[-1:])
    for name, target in TARGETS.items():
        assert target.name == name
        assert target.description.endswith(".")


def test_importing_the_registry_is_light() -> None:
    code = "import sys, mess.targets; print([m for m in ('scipy', 'librosa') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("decibel", [-12, 12])
def test_gain_moves_nothing(decibel: int) -> None:
    gain = 10 ** (decibel / 20)
    assert_same(
        compute_targets(as_signal(0.2 * PIECE)), compute_targets(as_signal(gain * 0.2 * PIECE))
    )


def test_values_have_one_entry_per_segment_of_the_track() -> None:
    signal = as_signal(PIECE)
    bounds = segment_bounds(signal.samples.size, 5 * RATE)
    values = compute_targets(signal)
    assert set(values.track) == set(TARGETS)
    assert set(values.segments) == {n for n, t in TARGETS.items() if t.level == "segment"}
    assert not {"tempo", "num_phrases", "phrase_regularity"} & set(values.segments)
    for row in values.segments.values():
        assert row.shape == (len(bounds),)
        assert row.dtype == np.float64


def test_segments_see_what_happens_in_their_own_window() -> None:
    """Low, then high with notes, then low; 13 s, so that the last window is shifted back."""
    busy = chord([24], 5) + notes(list(np.arange(0.1, 4.9, 0.25)), 5, frequency=3520)
    values = compute_targets(as_signal(np.concatenate([chord([0], 5), busy, chord([0], 3)])))
    low, high, mixed = values.segments["spectral_centroid"]
    assert low == pytest.approx(440, rel=0.02)
    assert high > 1700
    assert low < mixed < high  # the window from 8 s to 13 s holds two busy seconds
    density = values.segments["onset_density"]
    assert density[1] == pytest.approx(4, abs=0.25)
    assert density[0] <= 0.4
    assert density[2] == pytest.approx(8 / 5, abs=0.45)


@pytest.mark.parametrize(
    "name", [n for n, t in TARGETS.items() if t.family in ("timbre", "rhythm")]
)
def test_a_segment_agrees_with_the_same_seconds_as_a_track(name: str) -> None:
    if TARGETS[name].level == "track":
        pytest.skip("is not measured on segments")
    wave = notes(list(np.arange(0.3, 19.8, 0.25)), 20)
    inner = compute_targets(as_signal(wave)).segments[name][1]
    alone = compute_targets(as_signal(wave[5 * RATE : 10 * RATE])).track[name]
    assert inner == pytest.approx(alone, rel=0.06)


def test_the_length_of_segments_can_be_chosen() -> None:
    values = compute_targets(as_signal(sections([6, 6])), segment_seconds=3)
    assert values.segments["spectral_centroid"].shape == (4,)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    seconds=st.floats(1.0, 7.0),
    density=st.floats(0.0, 12.0),
    background=st.floats(-80.0, -10.0),
    gain=st.floats(-30.0, 20.0),
)
def test_values_are_numbers_or_nan_and_gain_moves_none(
    seed: int, seconds: float, density: float, background: float, gain: float
) -> None:
    rng = np.random.default_rng(seed)
    onsets = np.sort(rng.uniform(0, seconds, int(density * seconds)))
    levels = list(rng.uniform(-40, 0, onsets.size))
    wave = noise(seconds, seed=seed) * 10 ** (background / 20)
    wave = 0.1 * (wave + notes(list(onsets), seconds, levels=levels, frequency=300 + seed % 3000))
    values = compute_targets(as_signal(wave))
    everything = np.concatenate([list(values.track.values()), *values.segments.values()])
    assert not np.isinf(everything).any()
    for name in ("spectral_centroid", "dynamic_variance", "harmonic_complexity"):
        assert np.isfinite(values.track[name])
    # A power of two changes no digit, so even a value at a threshold stays where it is.
    louder = compute_targets(as_signal(wave * 2.0 ** round(gain / 6)))
    assert_same(values, louder)


def test_an_impulse_and_a_second_of_sound_are_measured_too() -> None:
    impulse = np.zeros(3 * RATE)
    impulse[RATE] = 1
    for wave in (impulse, sine(440, 1.0), clicks(120, 1.2)):
        values = compute_targets(as_signal(wave)).track
        assert not any(np.isinf(value) for value in values.values())
        assert np.isnan(values["num_phrases"])


def test_another_sample_rate_and_silence_are_refused() -> None:
    with pytest.raises(ValueError, match="24000 Hz, not at 44100 Hz"):
        analyse(Signal(np.ones(44_100, dtype=np.float32), 44_100, mean=1.0, std=0.0))
    with pytest.raises(ValueError, match="nothing but silence"):
        analyse(as_signal(np.zeros(RATE)))
