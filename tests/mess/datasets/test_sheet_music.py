"""What is read from an encoded score, and what a note sounds like."""

from pathlib import Path

import numpy as np
import pytest

from mess.datasets.expressive_performance import TICKS_PER_QUARTER, Performance
from mess.datasets.rendering import CEILING, LEVEL, SAMPLE_RATE, level_gain, render
from mess.datasets.sheet_music import GRACE_QUARTERS, corpus_path, read_score
from mess.errors import MessError

pytest.importorskip("music21", reason="needs the extra 'demo'")
pytest.importorskip("symusic", reason="needs the extra 'demo'")

TUNE = """X:1
T:Test
M:3/4
L:1/4
K:C
C2 E-|E {G}A B|[CEG]3|"CG"z3|
"""


def single_note(
    *, velocity: int = 80, pitch: int = 60, seconds: float = 1.0, program: int = 0
) -> Performance:
    return Performance(
        onset=np.array([0]),
        duration=np.array([round(seconds * TICKS_PER_QUARTER)]),
        pitch=np.array([pitch]),
        velocity=np.array([velocity]),
        tempo_onset=np.array([0]),
        tempo_value=np.array([1_000_000]),
        meter=(4, 4),
        program=program,
    )


def level(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2)))


def centroid(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples))
    return float((spectrum * np.fft.rfftfreq(samples.size, 1 / SAMPLE_RATE)).sum() / spectrum.sum())


def test_ties_graces_and_chords(tmp_path: Path) -> None:
    (tmp_path / "tune.abc").write_text(TUNE)
    score = read_score(tmp_path / "tune.abc")
    notes = list(
        zip(score.onset.tolist(), score.duration.tolist(), score.pitch.tolist(), strict=True)
    )
    assert notes == [
        (0.0, 2.0, 60),
        (2.0, 2.0, 64),
        (4.0 - GRACE_QUARTERS, GRACE_QUARTERS, 67),
        (4.0, 1.0, 69),
        (5.0, 1.0, 71),
        (6.0, 3.0, 60),
        (6.0, 3.0, 64),
        (6.0, 3.0, 67),
    ]
    assert score.meter == (3, 4)
    np.testing.assert_array_equal(score.barlines, [0, 3, 6, 9, 12])


def test_a_real_prelude_is_read_whole() -> None:
    score = read_score(corpus_path("bach/bwv846.mxl"))
    assert score.meter == (4, 4)
    np.testing.assert_array_equal(score.pitch[:8], [60, 64, 67, 72, 76, 67, 72, 76])
    np.testing.assert_allclose(score.onset[2:8], np.arange(2, 8) / 4)


def test_a_transposing_instrument_sounds_lower_than_written(tmp_path: Path) -> None:
    from music21 import instrument, note, stream

    part = stream.Part([instrument.Clarinet(), note.Note("C5", quarterLength=4)])
    stream.Score([part]).write("musicxml", tmp_path / "clarinet.musicxml")
    assert "<transpose>" in (tmp_path / "clarinet.musicxml").read_text()
    assert read_score(tmp_path / "clarinet.musicxml").pitch.tolist() == [70]


def test_a_score_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.xml").write_text("<score-partwise><part")
    with pytest.raises(MessError, match=r"broken\.xml"):
        read_score(tmp_path / "broken.xml")
    with pytest.raises(MessError, match="no such score"):
        corpus_path("bach/none.xml")


def test_velocity_sets_loudness_by_the_square() -> None:
    loud, soft = render(single_note(velocity=100)), render(single_note(velocity=50))
    assert level(loud) - level(soft) == pytest.approx(40 * np.log10(2), abs=1.5)


def test_a_soft_note_is_darker() -> None:
    bright, dark = (render(single_note(velocity=velocity)) for velocity in (120, 30))
    assert centroid(dark) < 0.8 * centroid(bright)


def test_a_released_note_dies_away_without_a_click() -> None:
    samples = render(single_note(seconds=1.0, program=48))
    assert samples.size == 2 * SAMPLE_RATE
    frames = samples[SAMPLE_RATE : SAMPLE_RATE + 13_230].reshape(-1, 1323)
    fall = np.diff([level(frame) for frame in frames])
    assert (fall < 0).all() and fall.min() > -15
    assert np.abs(samples[SAMPLE_RATE + 13_230 :]).max() < 1e-4


def test_one_gain_brings_loud_and_soft_recordings_together_and_keeps_their_order() -> None:
    rng = np.random.default_rng(0)
    noise = rng.uniform(-1, 1, SAMPLE_RATE).astype(np.float32)
    levels = []
    for decibels in (-60, -40, -30, -20, -5):
        samples = noise * np.float32(10 ** (decibels / 20))
        levels.append(level(samples * np.float32(level_gain(samples))))
    assert levels == sorted(levels)
    assert max(levels) - min(levels) < 12
    assert all(abs(one - LEVEL) < 5 for one in levels)
    assert level_gain(np.zeros(10, dtype=np.float32)) == 1.0


def test_many_loud_notes_do_not_clip() -> None:
    pitch = np.arange(36, 84)
    one = single_note(velocity=124)
    crowd = Performance(
        onset=np.zeros(pitch.size, dtype=np.int64),
        duration=np.repeat(one.duration, pitch.size),
        pitch=pitch,
        velocity=np.full(pitch.size, 124),
        tempo_onset=one.tempo_onset,
        tempo_value=one.tempo_value,
        meter=one.meter,
        program=48,
    )
    samples = render(crowd)
    assert np.abs(samples * np.float32(level_gain(samples))).max() <= CEILING * (1 + 1e-6)
    click = np.zeros(SAMPLE_RATE, dtype=np.float32)
    click[100] = 5.0  # a level that asks for more than the ceiling allows
    assert np.abs(click * np.float32(level_gain(click))).max() == pytest.approx(CEILING)
