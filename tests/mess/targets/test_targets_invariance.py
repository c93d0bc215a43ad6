"""No target moves while the music does not: from the samples through a file to the number."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from known_signals import RATE, as_signal, noise, notes, sections

from mess.audio.decoding import decode
from mess.errors import AudioError
from mess.targets import TARGETS, compute_targets, invariance
from mess.targets.invariance import SAME_MUSIC, UNCHANGED, Change, measure, movement


def piece() -> np.ndarray:
    """26 s in which every target is defined: two textures, a pulse, a crescendo, soft attacks.

    A room is heard 60 dB below, as in a recording.
    """
    onsets = list(np.arange(0.0, 25.8, 0.4))
    played = notes(onsets, 26, levels=list(np.linspace(-20, 0, len(onsets))), decay=0.15)
    bass = notes(onsets[::2], 26, frequency=165, attack=0.03, decay=0.4)
    return played + bass + 0.3 * sections([6, 8, 5, 7]) + 0.003 * noise(26)


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    wave = soxr.resample(piece(), RATE, invariance.RATE, quality="VHQ")
    return (0.9 * wave / np.abs(wave).max()).astype(np.float32)


@pytest.fixture(scope="module")
def before(samples: np.ndarray) -> dict[str, float]:
    values = measure(samples, UNCHANGED)
    assert all(np.isfinite(value) for value in values.values())
    return values


@pytest.mark.parametrize("change", SAME_MUSIC, ids=lambda change: change.name)
def test_no_target_moves_more_than_it_says(
    change: Change, samples: np.ndarray, before: dict[str, float]
) -> None:
    after = measure(samples, change)
    moved = {
        name: (before[name], after[name])
        for name, target in TARGETS.items()
        if change.name not in target.tolerance.reasons
        and movement(target, before[name], after[name]) > 1
    }
    assert not moved


def test_a_target_may_move_only_for_a_reason_and_after_a_change_that_exists() -> None:
    names = {change.name for change in SAME_MUSIC}
    for target in TARGETS.values():
        assert set(target.tolerance.reasons) <= names
        assert all(target.tolerance.reasons.values())
        assert 0 < target.tolerance.allowed(1.0) <= 0.5


def test_silence_belongs_to_no_segment_and_no_count() -> None:
    """Five seconds of music, from 2 s to 7 s of 20."""
    wave = np.pad(notes(list(np.arange(0.05, 4.9, 0.25)), 5), (2 * RATE, 13 * RATE))
    values = compute_targets(as_signal(wave))
    assert values.track["onset_density"] == pytest.approx(4, abs=0.15)
    first, second, *rest = values.segments["onset_density"]
    assert first == pytest.approx(4, abs=0.15)
    assert second == pytest.approx(4, abs=0.6)
    assert len(rest) == 2
    for row in values.segments.values():
        assert np.isnan(row[2:]).all()


def test_a_soft_beginning_is_music_too() -> None:
    """Notes 50 dB below the loudest are counted from the first on."""
    onsets = list(np.arange(0.5, 19.9, 0.5))
    levels = [-50.0] * 20 + [0.0] * (len(onsets) - 20)
    values = compute_targets(as_signal(notes(onsets, 20, levels=levels)))
    assert values.track["onset_density"] == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("rate", [24_000, 44_100])
def test_a_file_of_nothing_but_an_offset_is_silent(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "offset.wav"
    soundfile.write(path, np.full(6 * rate, 0.2), rate)
    with pytest.raises(AudioError, match="is silent"):
        decode(path, 24_000)
    with pytest.raises(ValueError, match="nothing but silence"):
        compute_targets(as_signal(np.full(6 * RATE, 0.2)))
