"""Tempo as the field judges it: accuracy 1 and 2, coverage, and silence where there is no beat."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_signals import analysis_of, clicks, notes, track

from mess.targets import analyse
from mess.targets.librosa_import import import_librosa
from mess.targets.rhythm import accents, mean_autocorrelation, tempo
from mess.targets.tempo_accuracy import (
    click_track,
    false_tempi,
    scattered_notes,
    tempo_accuracy,
)

TEMPI = st.lists(st.floats(20, 400), min_size=1, max_size=20)


def found(bpm: float, *, subdivisions: int = 1) -> float:
    return tempo(analyse(click_track(bpm, subdivisions=subdivisions)).sounding())


@pytest.mark.parametrize("bpm", [140, 150, 190, 233])
def test_plain_clicks_are_not_halved(bpm: int) -> None:
    assert found(bpm) == pytest.approx(bpm, rel=0.005)


@pytest.mark.parametrize("bpm", [71, 170, 180])
def test_soft_quavers_do_not_make_three_of_them_a_beat(bpm: int) -> None:
    assert found(bpm, subdivisions=2) == pytest.approx(bpm, rel=0.005)


def test_three_to_the_beat_may_be_counted_each_but_never_two_by_two() -> None:
    for bpm in (40, 56, 100):
        assert min(abs(found(bpm, subdivisions=3) / bpm - octave) for octave in (1, 3)) < 0.005


def test_notes_at_random_times_have_no_tempo() -> None:
    assert false_tempi(signals=6) == 0


def test_librosa_s_own_tempo_answers_where_there_is_no_beat() -> None:
    """Why its tempogram is ours: the same function on the plain onset strength."""
    librosa = import_librosa()

    def plain(strength: np.ndarray) -> float:
        return float(librosa.feature.tempo(onset_envelope=strength, sr=100, hop_length=1)[0])

    scattered = analyse(scattered_notes(0)).sounding()
    assert math.isnan(tempo(scattered))
    assert math.isfinite(plain(scattered.onset_strength))
    quavers = analyse(click_track(180, subdivisions=2)).sounding()
    assert abs(plain(quavers.onset_strength) / 180 - 1) > 0.04
    assert tempo(quavers) == pytest.approx(180, rel=0.005)


def test_accents_follow_the_weight_of_a_note() -> None:
    analysis = analysis_of(notes([0.5, 1.0], 2, levels=[0, -12]))
    strength, weighed = (
        [curve[round(at * 100) - 3 :][:8].max() for at in (0.5, 1.0)]
        for curve in (analysis.onset_strength, accents(analysis))
    )
    assert 20 * np.log10(weighed[0] / weighed[1]) > 12
    assert 20 * np.log10(strength[0] / strength[1]) < 9


def test_a_periodic_curve_keeps_its_height_at_long_lags() -> None:
    curve = np.tile(np.eye(1, 50)[0], 60)
    correlation = mean_autocorrelation(curve, window=1000)
    np.testing.assert_allclose(correlation[50:500:50], 1, atol=0.05)
    assert correlation[25] < 0


@given(TEMPI)
def test_accuracy_is_what_its_definition_says(tempi: list[float]) -> None:
    references = np.array(tempi)
    exact = tempo_accuracy(references * 1.039, references)
    assert (exact.accuracy_1, exact.accuracy_2, exact.coverage) == (1, 1, 1)
    for octave in (1 / 3, 1 / 2, 2, 3):
        moved = tempo_accuracy(references * octave, references)
        assert (moved.accuracy_1, moved.accuracy_2) == (0, 1)
    for wrong in (1.05, 2 / 3, 3 / 2, 4 / 3):
        assert tempo_accuracy(references * wrong, references).accuracy_2 == 0
    nothing = tempo_accuracy(np.full(len(tempi), np.nan), references)
    assert (nothing.accuracy_1, nothing.accuracy_2, nothing.coverage) == (0, 0, 0)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="0 estimates"):
        tempo_accuracy(np.empty(0), np.empty(0))
    with pytest.raises(ValueError, match="no tempo"):
        tempo_accuracy(np.array([120.0]), np.array([0.0]))


def test_silence_around_the_music_leaves_its_tempo() -> None:
    wave = clicks(132, 12)
    alone = track(wave)["tempo"]
    assert alone == pytest.approx(132, abs=0.3)
    assert track(np.pad(wave, 30 * 24_000))["tempo"] == pytest.approx(alone, abs=0.1)
