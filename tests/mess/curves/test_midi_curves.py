"""What MIDI tells over time, on a performance that changes in its middle."""

from pathlib import Path

import numpy as np
import pytest
from curve_signals import clock, curves_of, tone
from midi_bytes import midi, note, pedal, track

from mess.curves import CURVES, MIDI_CURVES
from mess.curves.readings import READINGS
from mess.targets import compute_midi_targets, read_notes

HALF = 20.0  # seconds; 960 ticks a second


@pytest.fixture(scope="module")
def performance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Slow soft low legato single notes; then fast loud high staccato thirds with the pedal."""
    events = []
    for at in np.arange(0, 19_200, 480).tolist():
        events += note(at, at + 470, 50, velocity=40)
    for at in np.arange(19_200, 38_400, 240).tolist():
        events += note(at, at + 120, 76, velocity=100) + note(at, at + 120, 80, velocity=100)
    events += [pedal(19_200, 127), pedal(38_400, 0)]
    path = tmp_path_factory.mktemp("midi") / "a.mid"
    path.write_bytes(midi(track(events)))
    return path


def test_curves_change_where_the_performance_does(performance: Path) -> None:
    notes = read_notes(performance)
    wave = tone(220.0, -3 * np.sin(clock(2 * HALF)), 2 * HALF)
    found, at, _ = curves_of(wave, notes=notes)
    before, after = (at > 2) & (at < HALF - 2), (at > HALF + 2) & (at < 2 * HALF - 2)
    expected = {
        "velocity": (40, 100, 0.5),
        "register": (50, 78, 0.5),
        "note_density": (2, 8, 0.4),
        "polyphony": (1.0, 2.0, 0.05),
        "articulation": (0.98, 0.5, 0.05),
        "pedal": (0, 1, 0.02),
    }
    for name, (low, high, error) in expected.items():
        assert found[name][before].mean() == pytest.approx(low, abs=error), name
        assert found[name][after].mean() == pytest.approx(high, abs=error), name
    assert np.isfinite(found["tempo_deviation"][before | after]).all()

    truth = compute_midi_targets(notes)
    for name in ("note_density", "pedal_ratio", "tempo_spread"):
        reading = READINGS[name]
        curve = found[reading.curve]
        value = float(reading.function(curve[np.isfinite(curve)]))
        scale = max(abs(truth[name]), 0.05)
        assert value == pytest.approx(truth[name], abs=0.2 * scale), name


def test_without_midi_only_the_audio_tells() -> None:
    found, _, _ = curves_of(tone(220.0, 0.0, 6))
    told = {name for name, values in found.items() if np.isfinite(values).any()}
    assert told == set(CURVES) - set(MIDI_CURVES) - {"novelty"}
