"""Curves follow what is known of a sound, and the scalar targets are made from them."""

import numpy as np
import pytest
from curve_signals import Wave, clock, curves_of, tone

from mess.audio.moments import moment_grid
from mess.curves.audio import PITCH_CLASSES
from mess.curves.readings import READINGS
from mess.curves.windows import Windows, mean_over
from mess.targets import TARGETS
from mess.targets.spectrum import FRAME_RATE

SECONDS = 21.3


@pytest.fixture(scope="module")
def music() -> Wave:
    """Notes of changing pitch, loudness and density, between two stretches of silence."""
    rng, wave = np.random.default_rng(3), np.zeros(clock(SECONDS).size)
    at = 0.7
    while at < SECONDS - 1.5:
        level = -15 + 12 * np.sin(2 * np.pi * at / 9) + rng.normal(0, 1)
        pitch = 57 + rng.choice([0, 3, 5, 7, 10]) + 12 * (at > 11)
        since = clock(1.0)
        note = np.exp(-since / 0.3) * tone(440 * 2 ** ((pitch - 69) / 12), level, 1.0)
        first = round(at * 24_000)
        wave[first : first + note.size] += note
        at += rng.uniform(0.15, 0.5) if 6 < at < 14 else rng.uniform(0.4, 0.9)
    return wave


def test_level_and_contour_follow_a_swell() -> None:
    course = -20 + 18 * np.sin(np.pi * clock(10) / 10)
    found, at, _ = curves_of(tone(330.0, course, 10))
    true = 18 * (np.sin(np.pi * at / 10) - 1)
    middle = slice(4, -4)
    for name in ("level", "contour"):
        np.testing.assert_allclose(found[name][middle], true[middle], atol=1.1)


def test_brightness_follows_a_glide_and_pitch_classes_a_melody() -> None:
    glide = 200 * 2 ** (3 * clock(12) / 12)
    found, at, _ = curves_of(tone(glide, 0.0, 12))
    ratio = found["centroid"] / (200 * 2 ** (3 * at / 12))
    assert np.ptp(ratio[1:-1]) < 0.25 * ratio[1:-1].mean()
    assert (np.diff(found["zero_crossings"][1:-1]) > 0).all()

    melody = np.where(clock(12) < 6, 440.0, 440 * 2 ** (3 / 12))
    found, at, _ = curves_of(tone(melody, 0.0, 12))
    for name, heard in (("A", at < 5.5), ("C", at > 6.5)):
        assert (found[f"pitch_class_{name}"][heard] > 0.9).all()
    shares = sum(found[f"pitch_class_{name}"] for name in PITCH_CLASSES)
    np.testing.assert_allclose(shares, 1.0, atol=1e-5)
    assert found["harmonic_entropy"][at < 3].max() < 0.5
    assert abs(at[np.argmax(found["novelty"])] - 6) <= 0.75


def test_onset_density_counts_and_flux_hears_change_whatever_the_level(music: Wave) -> None:
    found, at, analysis = curves_of(music)
    density = found["onset_density"]
    fast = (at > 8) & (at < 12)
    slow = (at > 15) & (at < 19)
    assert density[fast].mean() > 1.4 * density[slow].mean()
    louder = curves_of(5 * music)[0]
    np.testing.assert_allclose(louder["flux"], found["flux"], atol=1e-3)
    assert (found["onset_strength"][np.isfinite(density)] >= 0).all()
    assert np.isfinite(density).sum() == ((at >= analysis.start) & (at <= analysis.stop)).sum()


def test_the_scalar_targets_are_made_from_their_curves(music: Wave) -> None:
    found, _, analysis = curves_of(music)
    heard = analysis.sounding()
    made = {
        name: float(reading.function(found[reading.curve][np.isfinite(found[reading.curve])]))
        for name, reading in READINGS.items()
        if name in TARGETS
    }
    assert len(made) == 10
    for name, value in made.items():
        true = TARGETS[name].function(heard)
        assert value == pytest.approx(true, rel=0.25 if name == "dynamic_range" else 0.12), name


def test_windows_average_what_they_hold_and_know_nothing_of_gaps() -> None:
    values = np.arange(700, dtype=np.float64)
    values[100:150] = np.nan
    windows = Windows.of(moment_grid(7 * FRAME_RATE, FRAME_RATE))
    found = mean_over(values, windows, rate=FRAME_RATE)
    for start, value in zip(windows.start, found, strict=True):
        inside = values[round(start * 100) : round(start * 100) + 50]
        if np.isnan(inside).all():
            assert np.isnan(value)
        else:
            assert value == pytest.approx(np.nanmean(inside))
