"""Targets of performance are what the notes of the MIDI say."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pretty_midi = pytest.importorskip("pretty_midi", reason="needs the extra 'ml'")

from mess.datasets import load_dataset  # noqa: E402
from mess.targets import MIDI_TARGETS, compute_midi_targets, read_notes  # noqa: E402
from mess.targets.midi_file import Notes  # noqa: E402


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
    found = compute_midi_targets(read_notes(path))
    assert list(found) == list(MIDI_TARGETS)
    assert found["note_density"] == pytest.approx(1.0, abs=0.01)
    assert found["velocity_mean"] == 70
    assert found["velocity_spread"] == pytest.approx(np.std([40, 60, 80, 100]))
    assert found["polyphony"] == pytest.approx((0.5 * 2 + 0.5 + 0.5 + 2) / 3.5, abs=0.01)
    assert found["register"] == pytest.approx((30 + 64 + 31 + 140) / 4, abs=0.01)
    assert found["articulation_ratio"] == pytest.approx(0.5, abs=0.01)
    assert found["pedal_ratio"] == pytest.approx(0.25, abs=0.01)
    assert np.isnan(found["tempo_spread"])  # too short


def struck(onset: np.ndarray, *, pedal: list[tuple[float, float]] | None = None) -> Notes:
    """Notes of 0.2 s, of pitches and velocities that differ."""
    number = np.arange(len(onset))
    return Notes(
        onset=onset,
        offset=onset + 0.2,
        pitch=48.0 + number % 24,
        velocity=40.0 + number % 50,
        pedal=np.array(pedal or [], dtype=np.float64).reshape(-1, 2),
    )


def bent(onset: np.ndarray, *, depth: float, period: float = 20.0) -> tuple[np.ndarray, float]:
    """Play onsets with a tempo of 2^(depth sin); return them and the true spread over 8 s."""
    grid = np.arange(0, onset[-1] + 1, 0.01)
    local = depth * np.sin(2 * np.pi * grid / period)
    seconds = np.concatenate([[0], np.cumsum(0.01 * 2.0**-local)])[:-1]
    starts = np.arange(0, seconds[-1] - 8, 2.0)
    mean = [local[(seconds >= s) & (seconds < s + 8)].mean() for s in starts]
    return np.interp(onset, grid, seconds), float(np.std(mean))


@st.composite
def rhythms(draw: st.DrawFn) -> np.ndarray:
    """Onsets on a strict grid of semiquavers: a bar of any rhythm, repeated with omissions."""
    beat = draw(st.floats(0.4, 1.0))
    bar = np.array([True, *draw(st.lists(st.booleans(), min_size=15, max_size=15))])
    bar[[2, 4, 8]] = True  # some rhythm there must be, and its unit is heard
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    bars = int(np.ceil(40 / (4 * beat)))
    played = np.tile(bar, bars) & (rng.random(16 * bars) < 0.9)
    played[[0, -1]] = True
    return np.flatnonzero(played) * beat / 4


@given(onset=rhythms(), rests=st.lists(st.tuples(st.floats(0, 40), st.integers(1, 99)), max_size=3))
@settings(max_examples=25)
def test_strict_time_has_no_tempo_spread(onset: np.ndarray, rests: list) -> None:
    grid = np.diff(onset).min()
    for at, length in rests:  # of whole units of the grid
        onset = np.where(onset > at, onset + length * grid, onset)
    assert np.nan_to_num(compute_midi_targets(struck(onset))["tempo_spread"]) < 0.03


@pytest.mark.parametrize("depth", [0.05, 0.1, 0.2, 0.3])
def test_the_tempo_spread_is_that_of_the_local_tempo(depth: float) -> None:
    beats = np.arange(0, 100, 0.5)
    onset, true = bent(np.sort(np.append(beats, beats[::2] + 0.25)), depth=depth)
    found = compute_midi_targets(struck(onset))["tempo_spread"]
    assert found == pytest.approx(true, rel=0.2, abs=0.01)


@given(
    onset=rhythms(),
    lead=st.floats(0, 300),
    tail=st.floats(0, 300),
    down=st.tuples(st.floats(0, 30), st.floats(0, 20)),
)
@settings(max_examples=20)
def test_what_lies_before_the_first_note_and_after_the_last_counts_for_nothing(
    onset: np.ndarray, lead: float, tail: float, down: tuple[float, float]
) -> None:
    plain = struck(onset, pedal=[(down[0], down[0] + down[1])])
    inside = compute_midi_targets(plain)
    later = struck(
        onset + lead,
        pedal=[
            (0.0, lead),
            *(plain.pedal + lead).tolist(),
            (plain.end + lead, plain.end + lead + tail),
            (plain.end + lead + tail + 1, np.inf),
        ],
    )
    found = compute_midi_targets(later)
    for name, value in inside.items():
        assert found[name] == pytest.approx(value, rel=1e-6, abs=2e-3, nan_ok=True), name


def test_a_lead_in_of_strict_time_has_no_spread(tmp_path: Path) -> None:
    notes = [(20 + 0.5 * i, 20.3 + 0.5 * i, 60 + i % 12, 64) for i in range(120)]
    found = compute_midi_targets(read_notes(write(tmp_path / "late.mid", notes)))
    assert found["tempo_spread"] < 0.01


def test_the_demo_library_says_the_same(demo_library: Path) -> None:
    tracks = load_dataset("demo", root=demo_library / "audio" / "demo").tracks
    for track in tracks[:6]:
        assert track.midi_path is not None
        found = compute_midi_targets(read_notes(track.midi_path))
        assert found["velocity_mean"] == pytest.approx(
            float(track.extra["mean_velocity"]), abs=0.01
        )
        assert found["velocity_spread"] == pytest.approx(
            float(track.extra["velocity_deviation"]), abs=0.01
        )
        assert found["pedal_ratio"] == 0.0
