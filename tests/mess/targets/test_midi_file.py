"""Whatever is a standard MIDI file is read; whatever is none is one line."""

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from midi_bytes import chunk, meta, midi, note, notes, pedal, track

from mess.errors import MessError
from mess.targets import compute_midi_targets, read_notes
from mess.targets.midi_file import Notes

PLAIN = midi(track(notes()))


def read(folder: Path, content: bytes) -> Notes:
    path = folder / "x.mid"
    path.write_bytes(content)
    return read_notes(path)


def rows(found: Notes) -> list[tuple[float, ...]]:
    return list(zip(found.onset, found.offset, found.pitch, found.velocity, strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("midi")


@pytest.mark.parametrize(
    ("tracks", "why"),
    [
        ([track([*notes(), pedal(0, 127), pedal(4800, 0)])], "in the track of the notes"),
        ([track([]), track(notes()), track([pedal(0, 127), pedal(4800, 0)])], "in its own track"),
        (
            [track([*notes(), pedal(0, 127, channel=1), pedal(4800, 0, channel=1)])],
            "on a channel without notes",
        ),
        ([track([*notes(), pedal(0, 127)]), track([pedal(4800, 0)])], "up in another track"),
        ([track([*notes(), pedal(0, 127), (4800, b"\xb0\x79\x00")])], "let go by a reset"),
        (
            [
                track([*notes(), pedal(0, 127), pedal(4800, 0), pedal(2, 90, channel=3)]),
                track([pedal(2400, 0, channel=3)]),
            ],
            "on two channels at once",
        ),
    ],
)
def test_the_pedal_counts_wherever_it_is_written(
    folder: Path, tracks: list[bytes], why: str
) -> None:
    found = compute_midi_targets(read(folder, midi(*tracks)))
    assert found["pedal_ratio"] == pytest.approx(5 / 9.9583, abs=1e-3), why


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (midi(track(notes(1300, step=16380, length=13650)), division=32767), 324.89),
        (midi(track(notes()), track(notes(1, start=20_000_000))), 20833.5),
        (midi(track(notes(step=500, length=400)), division=(256 - 25) << 8 | 40), 19.9),
        (midi(track(notes(step=500, length=400)), division=(256 - 29) << 8 | 40), 16.6),
        (midi(track(notes()), track([meta(0, 0x51, b"\x03\xd0\x90")])), 4.98),
        (midi(track([meta(0, 0x59, b"\x09\x05"), *notes()])), 9.96),
        (midi(track([meta(0, 0x54, b"\xff" * 5), *notes()])), 9.96),
        (midi(chunk(b"XFIH", b"123"), track(notes())), 9.96),
        (PLAIN + b"\0" * 60, 9.96),
        (b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + PLAIN, 9.96),
        (midi(track([(0, b"\xf0\x03\x41\x10\xf7"), *notes()])), 9.96),
        (midi(track(notes()), form=0), 9.96),
        (midi(track([]), track(notes()), form=2), 9.96),
    ],
    ids=[
        "five minutes of a fine division",
        "a late note",
        "25 frames a second",
        "29.97 frames a second",
        "tempo in another track",
        "a key that does not exist",
        "an offset that does not exist",
        "a chunk of another kind",
        "padding",
        "RIFF",
        "system exclusive",
        "format 0",
        "format 2 of one sequence",
    ],
)
def test_what_the_format_allows_is_read(folder: Path, content: bytes, seconds: float) -> None:
    found = read(folder, content)
    assert len(found.onset) >= 40
    assert found.end == pytest.approx(seconds, abs=0.05)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"ID3 no midi at all", "is no MIDI"),
        (PLAIN[: len(PLAIN) // 2], "is truncated"),
        (PLAIN[:14], "is truncated"),
        (midi(track([])), "has no notes"),
        (midi(track(notes(channel=9))), "has only drums"),
        (midi(track(notes()), division=0), "a quarter note of 0 ticks"),
        (midi(track(notes()), division=0xE700), "a time base that does not exist"),
        (midi(track([meta(0, 0x51, b"\0\0\0"), *notes()])), "a quarter note of 0 seconds"),
        (midi(track([(0, b"\x90\x3c\xbc"), *notes()])), "a value over 127"),
        (midi(track([(0, b"\x3c\x50"), *notes()])), "an event that is none"),
        (midi(chunk(b"MTrk", b"\0\xff\x01\x7f")), "an event that is none"),
        (midi(chunk(b"MTrk", b"\xff" * 9)), "a number without end"),
        (midi(track(notes()), track(notes()), form=2), "not played together"),
    ],
)
def test_what_is_none_is_one_line(folder: Path, content: bytes, reason: str) -> None:
    with pytest.raises(MessError) as caught:
        read(folder, content)
    assert reason in str(caught.value)
    assert "x.mid: " in str(caught.value) and "\n" not in str(caught.value)


def test_a_folder_and_a_lost_file_are_one_line(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "lost.mid"):
        with pytest.raises(MessError, match="cannot be read"):
            read_notes(path)


def seconds_of(*spans: tuple[int, int, int, int]) -> list[tuple[float, ...]]:
    return [(a / 960, b / 960, pitch, velocity) for a, b, pitch, velocity in spans]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        # struck again, and the "off" of the first note stands behind the "on" of the second
        (
            [(0, b"\x90\x3c\x50"), *note(240, 480, 60, velocity=81), (240, b"\x80\x3c\0")],
            [(0, 240, 60, 80), (240, 480, 60, 81)],
        ),
        # struck again without a release: the key was up in between
        ([(0, b"\x90\x3c\x50"), *note(240, 480, 60)], [(0, 240, 60, 80), (240, 480, 60, 80)]),
        # two voices in unison
        (
            [*note(0, 480, 60), *note(0, 960, 60, velocity=90)],
            [(0, 480, 60, 80), (0, 480, 60, 90)],
        ),
        # a release without a key, and a velocity of 0 for a release
        ([(0, b"\x80\x3c\0"), (5, b"\x90\x3c\x50"), (9, b"\x90\x3c\0")], [(5, 9, 60, 80)]),
        # all notes off
        ([(0, b"\x90\x3c\x50"), (99, b"\xb0\x7b\0"), *note(200, 300, 60)],
         [(0, 99, 60, 80), (200, 300, 60, 80)]),
    ],
)  # fmt: skip
def test_a_key_is_down_until_it_is_let_go_or_struck_again(
    folder: Path, events: list, expected: list
) -> None:
    found = sorted(rows(read(folder, midi(track(events)))))
    np.testing.assert_allclose(found, seconds_of(*expected))


def test_a_key_that_is_never_let_go_is_struck_but_has_no_length(folder: Path) -> None:
    held = [(i * 240, bytes([0x90, 60 + i, 80])) for i in range(20)]
    found = compute_midi_targets(read(folder, midi(track(held))))
    assert found["note_density"] == pytest.approx(20 / 4.75)
    assert all(np.isnan(found[name]) for name in ("polyphony", "register", "articulation_ratio"))
    one_more = compute_midi_targets(read(folder, midi(track([*notes(), (100, b"\x90\x20\x50")]))))
    assert one_more["polyphony"] == pytest.approx(1.0)


def test_keys_without_length_are_struck_keys(folder: Path) -> None:
    found = compute_midi_targets(read(folder, midi(track(notes(length=0)))))
    assert found["note_density"] == pytest.approx(40 / 9.75)
    assert found["velocity_mean"] == 80


@st.composite
def performances(draw: st.DrawFn) -> list[tuple[int, int, int, int, int]]:
    """Notes of two tracks that never overlap on a key: (track, start, stop, pitch, velocity)."""
    found = []
    for key in draw(
        st.lists(st.tuples(st.integers(0, 1), st.integers(0, 127)), min_size=1, unique=True)
    ):
        now = 0
        for rest, length in draw(
            st.lists(st.tuples(st.integers(1, 2000), st.integers(1, 2000)), min_size=1, max_size=4)
        ):
            velocity = draw(st.integers(1, 127))
            found.append((key[0], now + rest, now + rest + length, key[1], velocity))
            now += rest + length
    return found


@given(
    played=performances(),
    tempos=st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 2**24 - 1)), max_size=4),
    division=st.integers(1, 32767),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_another_reader_finds_the_same_notes(
    folder: Path,
    played: list[tuple[int, int, int, int, int]],
    tempos: list[tuple[int, int]],
    division: int,
) -> None:
    pretty_midi = pytest.importorskip("pretty_midi")
    conductor = track([meta(tick, 0x51, tempo.to_bytes(3)) for tick, tempo in tempos])
    hands = [
        track(
            event
            for which, start, stop, pitch, velocity in played
            if which == hand
            for event in note(start, stop, pitch, velocity=velocity)
        )
        for hand in (0, 1)
    ]
    content = midi(conductor, *hands, division=division)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = pretty_midi.PrettyMIDI(io.BytesIO(content))
    expected = sorted(
        (n.start, n.pitch, n.end, n.velocity) for i in other.instruments for n in i.notes
    )
    found = read(folder, content)
    ours = sorted(zip(found.onset, found.pitch, found.offset, found.velocity, strict=True))
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9)


@given(content=st.one_of(st.binary(max_size=200), st.binary(max_size=80).map(
    lambda body: midi(chunk(b"MTrk", body)))))  # fmt: skip
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_notes_or_one_line(folder: Path, content: bytes) -> None:
    try:
        found = read(folder, content)
    except MessError as error:
        assert "\n" not in str(error)
    else:
        assert len(found.onset) > 0
        compute_midi_targets(found)


@given(position=st.integers(0, len(PLAIN) - 1), value=st.integers(0, 255))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_byte_is_notes_or_one_line(folder: Path, position: int, value: int) -> None:
    content = bytearray(PLAIN)
    content[position] = value
    try:
        compute_midi_targets(read(folder, bytes(content)))
    except MessError as error:
        assert "\n" not in str(error)
