"""Channels that cancel each other are not silence."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from tones import tone

from mess.audio.channels import Balance, audible
from mess.audio.clip import read_clip
from mess.audio.decoding import decode, decode_at
from mess.audio.pictures import read_peaks
from mess.targets import compute_targets

RATE = 24_000
NOTE = "its channels cancel each other: channel {} alone is measured"


def write(path: Path, *channels: np.ndarray) -> Path:
    soundfile.write(path, np.stack(channels, axis=1), RATE, subtype="FLOAT")
    return path


def test_opposite_channels_are_measured_as_one_of_them(tmp_path: Path) -> None:
    music = tone(6.0, sample_rate=RATE)
    alone = decode(write(tmp_path / "mono.wav", music), RATE)
    signal = decode(write(tmp_path / "opposite.wav", music, -music), RATE)
    assert signal.notes == (NOTE.format(1),)
    np.testing.assert_array_equal(signal.samples, alone.samples)
    assert compute_targets(signal).track == pytest.approx(compute_targets(alone).track, nan_ok=True)
    both = decode_at(tmp_path / "opposite.wav", (RATE, 16_000))
    assert both[16_000].notes == signal.notes
    assert np.abs(both[16_000].samples).max() == pytest.approx(0.5, rel=0.1)


def test_the_louder_channel_is_taken_and_what_remains_in_the_mean_does_not_count(
    tmp_path: Path,
) -> None:
    music, other = tone(4.0, sample_rate=RATE), tone(4.0, sample_rate=RATE, seed=1)
    near = write(tmp_path / "near.wav", -0.8 * music, music + 0.1 * other)
    signal = decode(near, RATE)
    assert signal.notes == (NOTE.format(2),)
    np.testing.assert_array_equal(signal.samples, music + np.float32(0.1) * other)


def test_ordinary_channels_are_averaged_without_a_word(tmp_path: Path) -> None:
    music, other = tone(4.0, sample_rate=RATE), tone(4.0, sample_rate=RATE, seed=1)
    nothing = np.zeros_like(music)
    for number, channels in enumerate(
        [
            (music, music),
            (music, other),
            (music, nothing),
            (nothing, nothing, music, nothing, nothing, nothing),
            (music + 0.3, 0.5 * other - 0.3),  # offsets that cancel are no sound
        ]
    ):
        signal = decode(write(tmp_path / f"{number}.wav", *channels), RATE)
        assert signal.notes == ()
        np.testing.assert_allclose(signal.samples, np.mean(channels, axis=0), atol=1e-6)


def test_a_clip_and_a_picture_of_opposite_channels_are_not_silent(tmp_path: Path) -> None:
    music = tone(6.0, sample_rate=RATE)
    mono, opposite = write(tmp_path / "m.wav", music), write(tmp_path / "o.wav", music, -music)
    assert read_clip(opposite, start=1, seconds=2) == read_clip(mono, start=1, seconds=2)
    np.testing.assert_array_equal(read_peaks(opposite), read_peaks(mono))


@given(
    correlation=st.floats(-1, 1).filter(lambda r: abs(r + 0.75) > 0.01),
    cuts=st.lists(st.integers(0, 512), max_size=4),
    offset=st.floats(-1, 1),
)
def test_two_equal_channels_cancel_below_a_correlation_of_minus_three_quarters(
    correlation: float, cuts: list[int], offset: float
) -> None:
    angle = 2 * np.pi * np.arange(512) / 512
    first, second = np.sin(3 * angle), np.sin(5 * angle)
    other = correlation * first + np.sqrt(1 - correlation**2) * second
    block = np.stack([first + offset, other - offset], axis=1).astype(np.float32)
    balance = Balance()
    for part in np.split(block, sorted(cuts)):
        balance.add(part)
    assert balance.cancels == (correlation < -0.75)
    kept = audible(block)
    assert np.std(kept) > 0.24
