"""What is known of an audio file before it is decoded, and what the readers of containers share."""

from dataclasses import dataclass
from typing import BinaryIO

LOWEST_RATE, HIGHEST_RATE = 2_000, 768_000  # Hz
MOST_CHANNELS = 64  # seventh-order ambisonics
BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")
_MOST_ZEROS = 1 << 20  # bytes of them before the sound


@dataclass(frozen=True)
class Part:
    """A range of bytes of a file that holds one recording.

    Attributes
    ----------
    start, stop : int
        Offsets in bytes.
    prefix : bytes
        What a decoder reads before these bytes: a header that replaces an incomplete one.
    counted : bool
        Whether the header states the number of samples.
    seconds : float, optional
        The length by counted frames, if no header states it.
    """

    start: int
    stop: int
    prefix: bytes = b""
    counted: bool = True
    seconds: float | None = None


@dataclass(frozen=True)
class Layout:
    """The container and the recordings of a file.

    Attributes
    ----------
    container : str
        A key of `mess.audio.containers.SUFFIXES`, or "" if it is not recognised.
    parts : tuple of Part
        The recordings, in their order.
    fault : str
        Why the file cannot be used; "" if it can.
    notes : tuple of str
        Doubts about the file; each reads as a sentence after the file's name.
    """

    container: str
    parts: tuple[Part, ...]
    fault: str = ""
    notes: tuple[str, ...] = ()


def implausible(rate: int, channels: int) -> str:
    """Return the fault of a stated sample rate or number of channels, "" if both are plausible.

    >>> implausible(44_100, 2), implausible(1, 2), implausible(44_100, 255)
    ('', 'states a sample rate of 1 Hz', 'states 255 channels')
    """
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        return f"states a sample rate of {rate:,} Hz"
    if not 1 <= channels <= MOST_CHANNELS:
        return f"states {channels:,} channels"
    return ""


def truncated(there: float, stated: float) -> str:
    """Return the fault of a file that holds less than it states.

    >>> truncated(500, 1000)
    'is truncated (50% of it is there)'
    """
    return f"is truncated ({min(int(100 * there / stated), 99)}% of it is there)"


def read_at(handle: BinaryIO, offset: int, count: int) -> bytes:
    """Return at most ``count`` bytes from ``offset`` on."""
    handle.seek(offset)
    return handle.read(count)


def after_tags(handle: BinaryIO, start: int, size: int) -> int:
    """Return the offset after the ID3v2 tags and zeros that begin at ``start``."""
    at, zeros = start, 0
    while at < size:
        head = read_at(handle, at, 10)
        if head[:3] == b"ID3" and len(head) == 10 and max(head[6:10]) < 0x80:
            length = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
            at += 10 + length + (10 if head[5] & 0x10 else 0)
        elif head[:1] == b"\0" and head[4:8] not in BOXES and zeros < _MOST_ZEROS:
            block = read_at(handle, at, 1 << 16)
            run = len(block) - len(block.lstrip(b"\0"))
            at, zeros = at + run, zeros + run
        else:
            break
    return min(at, size)
