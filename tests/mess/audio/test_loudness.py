"""Loudness against the answers that the standard states, and excerpts made equally loud."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from mess.audio.clip import RATE, as_flac, read_clip, read_samples
from mess.audio.loudness import MOST_DBTP, USUAL_LUFS, Heard, common_level, measure_loudness


def sine(hertz: float, *, peak_db: float, seconds: float = 3.0, rate: int = 48_000, phase=0.0):
    time = np.arange(round(seconds * rate)) / rate
    return 10 ** (peak_db / 20) * np.sin(2 * np.pi * hertz * time + phase)


def test_a_tone_at_minus_twenty_has_the_loudness_that_the_standard_states() -> None:
    # BS.1770: a tone of 997 Hz at 0 dBFS in one channel is −3.01 LUFS.
    heard = measure_loudness(sine(997, peak_db=0.0), 48_000)
    assert heard.lufs == pytest.approx(-3.01, abs=0.05)
    # EBU Tech 3341, case 1 and 2, in one channel instead of two: 3 dB less.
    assert measure_loudness(sine(1000, peak_db=-23.0), 48_000).lufs == pytest.approx(-26, abs=0.1)


def test_silence_between_notes_does_not_make_them_softer() -> None:
    note = sine(1000, peak_db=-20.0, seconds=3.0)
    with_rest = np.concatenate([note, np.zeros(3 * 48_000)])
    alone, both = measure_loudness(note, 48_000), measure_loudness(with_rest, 48_000)
    assert both.lufs == pytest.approx(alone.lufs, abs=0.3)


def test_a_peak_between_samples_is_found() -> None:
    # A quarter of the rate, sampled at 45°: no sample is above −3 dB, the tone reaches 0 dB.
    tone = sine(12_000, peak_db=0.0, phase=np.pi / 4)
    assert 20 * np.log10(np.abs(tone).max()) == pytest.approx(-3.01, abs=0.01)
    assert measure_loudness(tone, 48_000).dbtp == pytest.approx(0.0, abs=0.2)


def test_silence_and_a_moment_have_no_loudness() -> None:
    assert measure_loudness(np.zeros(48_000), 48_000) == Heard(-np.inf, -np.inf)
    assert measure_loudness(sine(997, peak_db=-6, seconds=0.2), 48_000).lufs == -np.inf


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.floats(-45, -5), st.floats(0.5, 30)).map(
            lambda pair: Heard(pair[0], pair[0] + pair[1])
        ),
        min_size=1,
        max_size=3,
    )
)
def test_no_gain_lifts_a_peak_too_high(excerpts: list[Heard]) -> None:
    level = common_level(excerpts)
    assert level <= USUAL_LUFS
    assert all(one.dbtp + one.gain(level) <= MOST_DBTP + 1e-9 for one in excerpts)
    held_back = any(one.dbtp + one.gain(USUAL_LUFS) > MOST_DBTP for one in excerpts)
    assert held_back == (level < USUAL_LUFS)


def test_a_cut_begins_and_ends_softly_and_nothing_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, sine(440, peak_db=-6, rate=RATE, phase=1.0), RATE, subtype="FLOAT")
    plain = read_samples(path, start=1.0, seconds=1.0)
    soft = read_samples(path, start=1.0, seconds=1.0, fade=0.02)
    edge = round(0.02 * RATE)
    assert abs(soft[0]) < 1e-5 and abs(soft[-1]) < 1e-5
    np.testing.assert_array_equal(soft[edge:-edge], plain[edge:-edge])
    decoded, rate = soundfile.read(io.BytesIO(as_flac(soft)))
    assert (len(decoded), rate) == (RATE, RATE)


def test_parts_of_a_recording_with_one_gain_keep_their_difference(tmp_path: Path) -> None:
    soft, loud = sine(997, peak_db=-40.0), sine(997, peak_db=-28.0)
    path = tmp_path / "piece.wav"
    soundfile.write(path, np.concatenate([soft, loud]), 48_000, subtype="PCM_24")

    def heard(start: float, like: Heard | None) -> float:
        clip = read_clip(path, start=start, seconds=2.5, level=USUAL_LUFS, like=like)
        samples, rate = soundfile.read(io.BytesIO(clip))
        return measure_loudness(samples, rate).lufs

    first = measure_loudness(read_samples(path, start=0.0, seconds=2.5), RATE)
    for start, like in ((0.0, None), (3.2, None), (0.0, first)):
        assert heard(start, like) == pytest.approx(USUAL_LUFS, abs=0.2)
    assert heard(3.2, first) == pytest.approx(USUAL_LUFS + 12, abs=0.3)
