"""Standard MIDI files made byte by byte, as no library would write them."""

from collections.abc import Iterable

Event = tuple[int, bytes]  # absolute tick, message


def note(start: int, stop: int, pitch: int, *, velocity: int = 80, channel: int = 0) -> list[Event]:
    """Return a key's way down and up."""
    return [
        (start, bytes([0x90 | channel, pitch, velocity])),
        (stop, bytes([0x80 | channel, pitch, 0])),
    ]


def notes(
    count: int = 40, *, step: int = 240, length: int = 200, start: int = 0, channel: int = 0
) -> list[Event]:
    """Return an even scale that goes round in an octave."""
    return [
        event
        for i in range(count)
        for event in note(start + i * step, start + i * step + length, 60 + i % 12, channel=channel)
    ]


def pedal(tick: int, value: int, *, channel: int = 0) -> Event:
    """Return a movement of the sustain pedal."""
    return tick, bytes([0xB0 | channel, 64, value])


def meta(tick: int, kind: int, content: bytes) -> Event:
    """Return a meta event."""
    return tick, bytes([0xFF, kind, len(content)]) + content


def track(events: Iterable[Event], *, silence: int = 0) -> bytes:
    """Return a track chunk; ``silence`` ticks follow its last event."""
    body, now = b"", 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        body += _variable(tick - now) + message
        now = tick
    return chunk(b"MTrk", body + _variable(silence) + b"\xff\x2f\x00")


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of any kind."""
    return kind + len(body).to_bytes(4) + body


def midi(*tracks: bytes, form: int = 1, division: int = 480) -> bytes:
    """Return a file."""
    counted = sum(one.startswith(b"MTrk") for one in tracks)
    head = b"".join(number.to_bytes(2) for number in (form, counted, division))
    return chunk(b"MThd", head) + b"".join(tracks)


def _variable(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))
