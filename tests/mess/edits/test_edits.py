"""Each edit changes what it says, by its doses, and leaves alone what it says it leaves alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tones import tone

from mess.doses.changed import measure
from mess.edits import loudness, spectrum, surroundings, time_scale
from mess.edits.registry import EDITS, Edit
from mess.targets import ALL_TARGETS

RATE = 24_000
MOVED = {  # by edit: a target that rises with the dose
    "tilt": "spectral_centroid",
    "low-pass": "spectral_centroid",
    "dynamics": "dynamic_variance",
    "swell": "crescendo_strength",
    "stretch": "onset_density",
    "transients": "attack_sharpness",
}
Samples = NDArray[np.float32]


def music(seconds: float = 8.0) -> Samples:
    """Return plucked notes that grow louder and softer."""
    samples = tone(seconds, sample_rate=RATE, seed=3)
    course = 1 + 0.7 * np.sin(np.arange(samples.size) / RATE * 2 * np.pi / 6)
    return (samples * course).astype(np.float32)


MUSIC = music()


def measured(samples: Samples) -> dict[str, float]:
    return dict(measure(samples, RATE, encoder_rate=RATE).measured)


def loudest_frequency(samples: Samples) -> float:
    windowed = samples * np.hanning(samples.size)
    return float(np.fft.rfftfreq(samples.size, 1 / RATE)[np.abs(np.fft.rfft(windowed)).argmax()])


@pytest.mark.parametrize("edit", EDITS.values(), ids=lambda one: one.name)
def test_an_edit_is_named_fully_and_its_neutral_dose_changes_nothing(edit: Edit) -> None:
    assert list(edit.doses) == sorted(edit.doses)
    assert set(edit.moves) <= set(ALL_TARGETS)
    assert edit.neutral not in edit.doses
    if edit.neutral is not None:
        same = edit.function(MUSIC, RATE, edit.neutral)
        assert same.dtype == np.float32
        np.testing.assert_allclose(same, MUSIC, atol=2e-5)


@pytest.mark.parametrize("name", MOVED)
def test_what_an_edit_is_meant_to_move_rises_with_the_dose(name: str) -> None:
    edit, target = EDITS[name], MOVED[name]
    assert target in edit.moves
    low, high = (measured(edit.function(MUSIC, RATE, dose)) for dose in edit.doses[::3])
    plain = measured(MUSIC)[target]
    assert low[target] < plain or edit.neutral is None
    assert high[target] > 1.02 * low[target]
    assert high[target] > plain or edit.neutral is None


@settings(max_examples=25)
@given(
    name=st.sampled_from(list(EDITS)),
    place=st.integers(0, 3),
    seed=st.integers(0, 99),
    n=st.integers(RATE // 2, 2 * RATE),
)
def test_every_dose_of_every_edit_gives_finite_samples_of_the_right_length(
    name: str, place: int, seed: int, n: int
) -> None:
    edit = EDITS[name]
    dose = edit.doses[place % len(edit.doses)]
    noise = np.random.default_rng(seed).standard_normal(n).astype(np.float32)
    noise[: n // 3] = 0.0
    edited = edit.function(noise, RATE, dose)
    assert edited.dtype == np.float32 and np.isfinite(edited).all()
    assert edited.size == round(n / edit.speed(dose))
    np.testing.assert_array_equal(edited, edit.function(noise, RATE, dose))


def test_nothing_is_clipped_in_silence() -> None:
    sine = np.sin(np.arange(RATE) * 0.2).astype(np.float32)
    np.testing.assert_allclose(loudness.gain(sine, RATE, 20.0), 10 * sine, rtol=1e-5)
    loud = surroundings.mp3(4 * sine, RATE, 128)
    middle = slice(RATE // 4, -RATE // 4)
    np.testing.assert_allclose(loud[middle], 4 * sine[middle], atol=0.1)


def test_stretching_keeps_the_pitch_and_pitching_keeps_the_tempo() -> None:
    sine = np.sin(np.arange(2 * RATE) * 2 * np.pi * 440 / RATE).astype(np.float32)
    slower = time_scale.stretch(sine, RATE, 0.7)
    assert loudest_frequency(slower) == pytest.approx(440, abs=2)
    middle = slower[RATE // 2 : -RATE // 2]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(np.sqrt(0.5), rel=0.05)
    higher = time_scale.pitch(sine, RATE, 12)
    assert higher.size == sine.size and loudest_frequency(higher) == pytest.approx(880, abs=2)
    up, plain = measured(EDITS["pitch"].function(MUSIC, RATE, 6.0)), measured(MUSIC)
    assert up["onset_density"] == pytest.approx(plain["onset_density"], rel=0.05)


def test_what_stretching_spoils_is_seen_there_and_back() -> None:
    plain = measured(MUSIC)
    back = measured(EDITS["there and back"].function(MUSIC, RATE, 1.4))
    assert back["onset_density"] == pytest.approx(plain["onset_density"], rel=0.05)
    assert back["dynamic_variance"] == pytest.approx(plain["dynamic_variance"], rel=0.1)
    assert back["attack_slopes"] < plain["attack_slopes"], "attacks are smeared, and it shows"


def test_a_filter_takes_away_what_is_above_it_and_keeps_the_energy() -> None:
    noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    dark = spectrum.low_pass(noise, RATE, 1000.0)
    power = np.abs(np.fft.rfft(dark)) ** 2
    above = np.fft.rfftfreq(RATE, 1 / RATE) > 2000
    assert power[above].sum() < 0.01 * power.sum()
    for edited in (dark, spectrum.tilt(noise, RATE, -3.0)):
        assert np.square(edited).sum() == pytest.approx(np.square(noise).sum(), rel=1e-3)


def test_noise_and_reverberation_have_the_level_that_they_say() -> None:
    added = surroundings.noise(MUSIC, RATE, -30.0) - MUSIC
    level = 10 * np.log10(np.mean(added**2) / np.mean(MUSIC**2))
    assert level == pytest.approx(-30.0, abs=0.2)
    click = np.zeros(3 * RATE, dtype=np.float32)
    click[0] = 1.0
    tail = surroundings.reverberation(click, RATE, 1.0)[RATE // 50 + 1 :]
    early, late = (np.mean(tail[at : at + RATE // 10] ** 2) for at in (0, RATE // 2))
    assert 10 * np.log10(early / late) == pytest.approx(30.0, abs=2.0), "60 dB in a second"
