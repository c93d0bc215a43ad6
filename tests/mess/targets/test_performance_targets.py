"""Targets of performance are what the notes of the MIDI say."""

from pathlib import Path

import numpy as np
import pytest

pretty_midi = pytest.importorskip("pretty_midi", reason="needs the extra 'ml'")

from mess.datasets import load_dataset  # noqa: E402
from mess.errors import MessError  # noqa: E402
from mess.targets import PERFORMANCE_TARGETS, compute_performance_targets, read_notes  # noqa: E402


def write(
    path: Path,
    notes: list[tuple[float, float, int, int]],
    pedal: list[tuple[float, int]] | None = None,
) -> Path:
    midi = pretty_midi.PrettyMIDI(resolution=960)
    piano = pretty_midi.Instrument(program=0)
    piano.notes = [pretty_midi.Note(v, p, start, end) for start, end, p, v in notes]
    piano.control_changes = [pretty_midi.ControlChange(64, v, t) for t, v in pedal or []]
    midi.instruments.append(piano)
    midi.write(str(path))
    return path


def test_every_number_of_four_notes(tmp_path: Path) -> None:
    path = write(
        tmp_path / "four.mid",
        [(0, 0.5, 60, 40), (0, 1.0, 64, 60), (1, 1.5, 62, 80), (2, 4, 70, 100)],
        [(0.0, 127), (1.0, 0)],
    )
    found = compute_performance_targets(read_notes(path))
    assert list(found) == list(PERFORMANCE_TARGETS)
    assert found["note_density"] == pytest.approx(1.0, abs=0.01)
    assert found["velocity_mean"] == 70
    assert found["velocity_spread"] == pytest.approx(np.std([40, 60, 80, 100]))
    assert found["polyphony"] == pytest.approx((0.5 * 2 + 0.5 + 0.5 + 2) / 3.5, abs=0.01)
    assert found["register"] == pytest.approx((30 + 64 + 31 + 140) / 4, abs=0.01)
    assert found["articulation_ratio"] == pytest.approx(0.5, abs=0.01)
    assert found["pedal_ratio"] == pytest.approx(0.25, abs=0.01)
    assert np.isnan(found["tempo_spread"])  # too short


def test_strict_time_bends_less_than_rubato(tmp_path: Path) -> None:
    def spread(bend: float) -> float:
        step = 0.5 * (1 + bend * np.sin(np.linspace(0, 6 * np.pi, 120)))
        onset = np.append(0, np.cumsum(step))[:-1]
        notes = [(float(t), float(t) + 0.3, 60, 64) for t in onset]
        return compute_performance_targets(read_notes(write(tmp_path / "t.mid", notes)))[
            "tempo_spread"
        ]

    assert spread(0.0) < 0.01
    assert spread(0.05) < spread(0.15)
    assert spread(0.15) == pytest.approx(
        np.std(np.log2(1 + 0.15 * np.sin(np.linspace(0, 6, 99)))), rel=0.6
    )


def test_the_demo_library_says_the_same(demo_library: Path) -> None:
    tracks = load_dataset("demo", root=demo_library / "audio" / "demo").tracks
    for track in tracks[:6]:
        assert track.midi_path is not None
        found = compute_performance_targets(read_notes(track.midi_path))
        assert found["velocity_mean"] == pytest.approx(
            float(track.extra["mean_velocity"]), abs=0.01
        )
        assert found["velocity_spread"] == pytest.approx(
            float(track.extra["velocity_deviation"]), abs=0.01
        )
        assert found["pedal_ratio"] == 0.0


def test_a_midi_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.mid").write_bytes(b"RIFF no midi")
    with pytest.raises(MessError, match=r"bad\.mid: is no MIDI that can be read .*copy it again"):
        read_notes(tmp_path / "bad.mid")
    write(tmp_path / "empty.mid", [])
    with pytest.raises(MessError, match=r"empty\.mid: has no notes"):
        read_notes(tmp_path / "empty.mid")
