"""Timbre targets read the frequencies that are in the sound."""

import numpy as np
import pytest
from known_signals import RATE, chord, clock, noise, sine, track


@pytest.mark.parametrize("frequency", [220.0, 1000.0, 5000.0])
def test_a_sine_has_its_centroid_and_rolloff_at_its_frequency(frequency: float) -> None:
    values = track(sine(frequency, 3))
    assert values["spectral_centroid"] == pytest.approx(frequency, abs=3)
    assert values["spectral_rolloff"] == pytest.approx(frequency, abs=2 * RATE / 2048)
    assert values["spectral_bandwidth"] < 40
    assert values["zero_crossing_rate"] == pytest.approx(2 * frequency, rel=0.002)


@pytest.mark.parametrize("seconds", [5.11, 5.12, 5.13, 10.24])  # blocks are of 5.12 s
def test_a_recording_may_end_where_a_block_of_frames_begins(seconds: float) -> None:
    values = track(sine(1000.0, seconds))
    assert values["spectral_centroid"] == pytest.approx(1000.0, abs=3)
    assert values["zero_crossing_rate"] == pytest.approx(2000.0, rel=0.002)


def test_two_tones_have_centroid_and_bandwidth_by_formula() -> None:
    low, high = 85 * RATE / 2048, 256 * RATE / 2048
    values = track(3 * sine(low, 3) + sine(high, 3))
    centre = (3 * low + high) / 4
    spread = np.sqrt((3 * (low - centre) ** 2 + (high - centre) ** 2) / 4)
    assert values["spectral_centroid"] == pytest.approx(centre, rel=0.01)
    assert values["spectral_bandwidth"] == pytest.approx(spread, rel=0.01)
    assert values["spectral_rolloff"] == pytest.approx(high, abs=2 * RATE / 2048)


def test_white_noise_is_flat_to_half_the_sample_rate() -> None:
    values = track(noise(5))
    nyquist = RATE / 2
    assert values["spectral_centroid"] == pytest.approx(nyquist / 2, rel=0.01)
    assert values["spectral_rolloff"] == pytest.approx(0.85 * nyquist, rel=0.01)
    assert values["spectral_bandwidth"] == pytest.approx(nyquist / np.sqrt(12), rel=0.01)
    assert values["zero_crossing_rate"] == pytest.approx(nyquist, rel=0.01)


def test_a_chirp_has_its_centroid_in_the_middle_of_its_sweep() -> None:
    time = clock(10)
    phase = 2 * np.pi * (500 * time + 0.5 * (3500 - 500) / 10 * time**2)
    values = track(0.5 * np.sin(phase))
    assert values["spectral_centroid"] == pytest.approx(2000, rel=0.01)
    assert values["zero_crossing_rate"] == pytest.approx(4000, rel=0.01)


def test_a_long_rest_does_not_change_the_timbre() -> None:
    played = chord([0, 4, 7], 6)
    rest = 1e-5 * noise(12)
    with_rest = track(np.concatenate([played, rest]))
    for name in ("spectral_centroid", "spectral_rolloff", "zero_crossing_rate"):
        assert with_rest[name] == pytest.approx(track(played)[name], rel=0.05)
