"""MIDI files: read the notes and the pedal of a standard MIDI file, in seconds.

Only key, pedal and tempo events are read. mido, and pretty_midi, which uses it, decode every event.
They refuse a whole performance because of one event that does not matter here: an invalid key
signature, a RIFF wrapper, more than 10 million ticks. The tests compare this reader with theirs.

Conventions: all tracks sound together; the drum channel is ignored. Notes are paired within their
track and channel. A pedal belongs to its channel, in whichever track its events are.

References
----------
MIDI Manufacturers Association: Standard MIDI Files 1.0. RP-001, 1996.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError

Array = NDArray[np.float64]

_DRUMS = 9  # channel, counted from 0
_SUSTAIN, _PRESSED = 64, 64  # MIDI controller, and the value from which the pedal is down
_RESET, _SOUND_OFF, _NOTES_OFF = 121, 120, 123  # controllers that release the pedal or keys
_NOTE_OFF, _NOTE_ON, _CONTROL = 0x80, 0x90, 0xB0
_LENGTHS = {
    0x80: 2,
    0x90: 2,
    0xA0: 2,
    0xB0: 2,
    0xC0: 1,
    0xD0: 1,
    0xE0: 2,
}  # data bytes of channel messages
_SYSTEM = {0xF1: 1, 0xF2: 2, 0xF3: 1}  # data bytes of system messages; 0 for the others
_FRAMES = {24: 24.0, 25: 25.0, 29: 30_000 / 1001, 30: 30.0}  # frames per second (SMPTE)
_DEFAULT_TEMPO = 500_000  # microseconds per quarter note
_MOST_BYTES = 32 << 20  # some hundred hours of piano; a larger file is not a performance


@dataclass(frozen=True)
class Notes:
    """The notes and the pedal of a performance.

    Attributes
    ----------
    onset, offset, pitch, velocity : ndarray [shape=(n,)]
        Sorted by onset; seconds, MIDI pitch, 1 to 127. The offset of a key that is never
        released is NaN.
    pedal : ndarray [shape=(m, 2)]
        When the sustain pedal went down and up; `inf` if it stayed down.

    Examples
    --------
    >>> time = np.arange(4.0)
    >>> Notes(time, time + 0.5, np.full(4, 60.0), np.full(4, 64.0), np.empty((0, 2))).end
    3.5
    """

    onset: Array
    offset: Array
    pitch: Array
    velocity: Array
    pedal: Array

    @property
    def start(self) -> float:
        """When the first key is struck."""
        return float(self.onset[0])

    @property
    def end(self) -> float:
        """When the last key is released, or struck if no later release is known."""
        return float(np.nanmax(np.append(self.offset, self.onset)))


class _Event(NamedTuple):
    """A key or controller message."""

    tick: int
    track: int
    kind: int
    channel: int
    number: int
    value: int


class _Damaged(Exception):
    """What is wrong with the bytes."""


def read_notes(path: Path) -> Notes:
    """Read the notes of a MIDI file, all its instruments but drums together.

    A key that is struck again before it was released counts as released then.

    Raises
    ------
    MessError
        If the file cannot be read as MIDI, is truncated or has no note.

    Examples
    --------
    >>> track = bytes.fromhex("00 90 3C 40 83 60 80 3C 40 00 FF 2F 00")  # a key for 480 ticks
    >>> head = b"MThd" + bytes.fromhex("00000006 0000 0001 01E0")
    >>> path = Path("one.mid")
    >>> _ = path.write_bytes(head + b"MTrk" + len(track).to_bytes(4, "big") + track)
    >>> read_notes(path).offset.tolist()  # at 120 beats a minute
    [0.5]
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise MessError(f"{path}: is too large for MIDI; look at what it is")
        content = path.read_bytes()
    except OSError as error:
        raise MessError(f"{path}: cannot be read ({error.strerror}); copy it again") from None
    try:
        events, seconds = _parse(content)
    except _Damaged as error:
        raise MessError(f"{path}: {error}; copy or export it again") from None
    played = [event for event in events if event.channel != _DRUMS]
    keys = _pair_keys(played)
    if not keys:
        drums = any(event.kind == _NOTE_ON for event in events)
        reason = "has only drums" if drums else "has no notes"
        raise MessError(f"{path}: {reason}; copy or export it again")
    rows = np.array(keys, dtype=np.float64)
    onset, offset = seconds(rows[:, 0]), seconds(rows[:, 1])
    order = np.lexsort((rows[:, 2], onset))
    pedal = np.array(_pedal_spans(played), dtype=np.float64).reshape(-1, 2)
    return Notes(
        onset=onset[order],
        offset=offset[order],
        pitch=rows[order, 2],
        velocity=rows[order, 3],
        pedal=np.where(np.isfinite(pedal), seconds(np.nan_to_num(pedal, posinf=0)), np.inf),
    )


# Notes and pedal out of events -------------------------------------------------------------------


def _pair_keys(events: list[_Event]) -> list[tuple[float, float, int, int]]:
    """Return onset, offset (ticks), pitch and velocity of each note."""
    down: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
    found: list[tuple[float, float, int, int]] = []

    def release(key: tuple[int, int, int], now: float, until: float) -> None:
        struck = down.pop(key, [])
        # At one tick "on" may stand before the "off" of the note before it.
        before = [one for one in struck if one[0] < now]
        if before and len(before) < len(struck):
            down[key] = struck[len(before) :]
        later = np.inf
        for start, velocity in reversed(before or struck):
            if start < later < np.inf:
                until = later
            later = start
            found.append((start, until, key[2], velocity))

    for event in events:
        key = (event.track, event.channel, event.number)
        if event.kind == _NOTE_ON:
            down.setdefault(key, []).append((event.tick, event.value))
        elif event.kind == _NOTE_OFF:
            release(key, event.tick, event.tick)
        elif event.number in (_SOUND_OFF, _NOTES_OFF):
            for held in [key for key in down if key[:2] == (event.track, event.channel)]:
                release(held, event.tick, event.tick)
    for key in list(down):
        release(key, np.inf, np.nan)
    return found


def _pedal_spans(events: list[_Event]) -> list[tuple[float, float]]:
    """Return the spans in ticks (start, end) in which the sustain pedal of a channel is down."""
    spans: list[tuple[float, float]] = []
    down: dict[int, int] = {}
    for event in events:
        if event.kind != _CONTROL or event.number not in (_SUSTAIN, _RESET):
            continue
        if event.number == _SUSTAIN and event.value >= _PRESSED:
            down.setdefault(event.channel, event.tick)
        elif event.channel in down:
            spans.append((down.pop(event.channel), event.tick))
    return spans + [(tick, float("inf")) for tick in down.values()]


# Parsing ---------------------------------------------------------------------------------------


def _parse(content: bytes) -> tuple[list[_Event], Callable[[Array], Array]]:
    """Return the events of all tracks in time order, and the function from ticks to seconds."""
    if content[:4] == b"RIFF":  # a MIDI file as the only chunk of an .rmi
        content = content[max(content.find(b"MThd"), 0) :]
    if not content:
        raise _Damaged("is empty")
    if content[:4] != b"MThd" or len(content) < 14:
        raise _Damaged("is no MIDI")
    form, wanted, division = (int.from_bytes(content[at : at + 2]) for at in (8, 10, 12))
    events: list[_Event] = []
    tempos: list[tuple[int, int]] = []
    sounding = 0
    for number, track in enumerate(_tracks(content, wanted)):
        before = len(events)
        _read_track(track, number, events, tempos)
        sounding += any(event.kind == _NOTE_ON for event in events[before:])
    if form > 2 or (form == 2 and sounding > 1):
        raise _Damaged("holds sequences that are not played together (format 2)")
    events.sort(key=lambda event: event.tick)  # stable: the order within a track stays
    return events, _clock(division, sorted(tempos, key=lambda tempo: tempo[0]))


def _tracks(content: bytes, wanted: int) -> Iterator[bytes]:
    """Yield the bytes of each track; other chunks are skipped, as the standard requires."""
    at = 8 + int.from_bytes(content[4:8])
    while wanted:
        if at + 8 > len(content):
            raise _Damaged(f"is truncated ({wanted} of its tracks are not there)")
        kind, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8])
        at += 8
        if kind == b"MTrk":
            if at + size > len(content):
                raise _Damaged("is truncated (within a track)")
            yield content[at : at + size]
            wanted -= 1
        at += size


def _read_track(
    track: bytes, number: int, events: list[_Event], tempos: list[tuple[int, int]]
) -> None:
    """Append the key, controller and tempo events of a track."""
    at = tick = running = 0
    try:
        while at < len(track):
            delta, at = _variable(track, at)
            tick += delta
            status = track[at]
            if status == 0xFF:
                kind = track[at + 1]
                size, at = _variable(track, at + 2)
                if kind == 0x2F:  # end of track
                    return
                if kind == 0x51:
                    tempos.append((tick, int.from_bytes(track[at : at + size])))
                at += size
            elif status in (0xF0, 0xF7):  # system exclusive
                size, at = _variable(track, at + 1)
                at += size
            elif status > 0xF0:
                at += 1 + _SYSTEM.get(status, 0)
            else:
                if status >= 0x80:
                    running, at = status, at + 1
                kind, channel = running & 0xF0, running & 0x0F
                first, second = track[at], track[at + 1] if _LENGTHS[kind] == 2 else 0
                if first > 127 or second > 127:
                    raise _Damaged("is damaged (a value over 127)")
                at += _LENGTHS[kind]
                if kind == _NOTE_ON and second == 0:
                    kind = _NOTE_OFF
                if kind in (_NOTE_ON, _NOTE_OFF, _CONTROL):
                    events.append(_Event(tick, number, kind, channel, first, second))
        if at > len(track):
            raise IndexError
    except (IndexError, KeyError):  # an incomplete event, or data bytes without a status byte
        raise _Damaged("is damaged (an event that is none)") from None


def _variable(track: bytes, at: int) -> tuple[int, int]:
    """Read a variable-length number (one to four bytes); return it and the next offset."""
    number = 0
    for here in range(at, at + 4):
        number = number << 7 | track[here] & 0x7F
        if track[here] < 0x80:
            return number, here + 1
    raise _Damaged("is damaged (a number without end)")


def _clock(division: int, tempos: list[tuple[int, int]]) -> Callable[[Array], Array]:
    """Return the function from ticks to seconds."""
    if division & 0x8000:  # ticks per video frame (SMPTE): tempo events do not apply
        frames, ticks = _FRAMES.get(256 - (division >> 8)), division & 0xFF
        if frames is None or ticks == 0:
            raise _Damaged("is damaged (a time base that does not exist)")
        return lambda at: at / (frames * ticks)
    if division == 0:
        raise _Damaged("is damaged (a quarter note of 0 ticks)")
    if any(tempo == 0 for _, tempo in tempos):
        raise _Damaged("is damaged (a quarter note of 0 seconds)")
    starts = np.array([0, *(tick for tick, _ in tempos)], dtype=np.float64)
    speeds = np.array([_DEFAULT_TEMPO, *(tempo for _, tempo in tempos)]) / (1e6 * division)
    at_start = np.append(0.0, np.cumsum(np.diff(starts) * speeds[:-1]))

    def seconds(at: Array) -> Array:
        index = np.searchsorted(starts, at, side="right") - 1
        in_seconds: Array = at_start[index] + (at - starts[index]) * speeds[index]
        return in_seconds

    return seconds
