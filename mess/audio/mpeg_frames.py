"""MPEG audio frames: count the frames of an MP3 or AAC file, find its streams, detect truncation.

An MP3 has no header: it is a sequence of frames. Decoders skip everything before or between frames
(tags, zeros, a joined file). The first frame may hold no sound but the number of frames (a Xing,
Info or VBRI header). Without that number a decoder estimates the length from the bit rate of the
first frame, and stops there.

References
----------
ISO/IEC 11172-3, 2.4.1; ISO/IEC 13818-3; ISO/IEC 14496-3, 1.A.2 (ADTS).
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO, NamedTuple

from mess.audio.parts import Layout, Part, after_tags, read_at, truncated

_KBITS = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_KBITS[2, 3] = _KBITS[2, 2]
_RATES = (44_100, 48_000, 32_000)
_ADTS_RATES = (
    *(96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000),
    *(22_050, 16_000, 12_000, 11_025, 8_000, 7_350),
)
_MARK = re.compile(rb"Xing|Info|VBRI")
_COUNT_OFFSETS = (36, 21, 13, 38, 23, 15)  # by version and channels, without and with a checksum
_SLACK_FRAMES = 3  # tolerance: some encoders count the header frame, others do not
_MOST_JUNK = 1 << 16  # bytes searched for the first frame


class Frame(NamedTuple):
    """The header of a frame; all frames of a stream share the fields of ``kind``."""

    size: int
    samples: int
    kind: tuple[int, int, int, bool]  # version, layer (0 for ADTS), rate, mono


@dataclass
class _Stream:
    start: int
    first: Frame
    frames: int = 0
    stop: int = 0
    stated: int | None = None
    full: int = 0  # where the stated number of frames ends


def parse_header(head: bytes) -> Frame | None:
    """Parse four bytes as the header of an MPEG audio frame; return None if they are not one.

    >>> parse_header(bytes.fromhex("fffb90c4"))
    Frame(size=417, samples=1152, kind=(1, 3, 44100, True))
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version = {3: 1, 2: 2, 0: 3}.get(head[1] >> 3 & 3)  # MPEG 1, 2 and "2.5"
    layer = 4 - (head[1] >> 1 & 3)
    bits, rate_index = head[2] >> 4, head[2] >> 2 & 3
    if version is None or layer == 4 or bits in (0, 15) or rate_index == 3:
        return None
    rate = _RATES[rate_index] // (1, 2, 4)[version - 1]
    kbits, padding = _KBITS[min(version, 2), layer][bits], head[2] >> 1 & 1
    if layer == 1:
        size, samples = (12_000 * kbits // rate + padding) * 4, 384
    else:
        samples = 576 if layer == 3 and version > 1 else 1152
        size = samples // 8 * 1000 * kbits // rate + padding
    return Frame(size, samples, (version, layer, rate, head[3] >> 6 == 3))


def parse_adts(head: bytes) -> Frame | None:
    """Parse seven bytes as the header of an ADTS frame; return None if they are not one."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return None
    rate_index = head[2] >> 2 & 15
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if rate_index >= len(_ADTS_RATES) or size < 8:
        return None
    channels = (head[2] & 1) << 2 | head[3] >> 6
    return Frame(size, 1024, (head[1] >> 3 & 1, 0, _ADTS_RATES[rate_index], channels == 1))


def first_frame(handle: BinaryIO, start: int, size: int) -> tuple[str, int] | None:
    """Return the container ("mp3", "adts") and the offset of the first frame, None without one.

    Three consecutive frames are required: two bytes of an image may look like a frame.
    """
    junk = read_at(handle, start, _MOST_JUNK)
    offset = junk.find(b"\xff")
    while offset >= 0:
        for kind, parse in (("mp3", parse_header), ("adts", parse_adts)):
            if _follows(handle, start + offset, size, parse, count=3 if offset else 2):
                return kind, start + offset
        offset = junk.find(b"\xff", offset + 1)
    return None


def _follows(
    handle: BinaryIO,
    at: int,
    size: int,
    parse: Callable[[bytes], Frame | None],
    *,
    count: int,
) -> bool:
    """Tell whether ``count`` frames of one kind follow each other, or fewer up to the end."""
    kind = None
    for number in range(count):
        if at == size and number:
            return True
        frame = parse(read_at(handle, at, 7))
        if frame is None or kind not in (None, frame.kind):
            return False
        kind, at = frame.kind, at + frame.size
    return True


def read_adts(handle: BinaryIO, start: int, size: int) -> Layout:
    """Read the frames of an AAC stream, which does not state its length."""
    at, seconds = start, 0.0
    while at < size:
        frame = parse_adts(read_at(handle, at, 7))
        if frame is None:
            break
        at += frame.size
        seconds += frame.samples / frame.kind[2]
    fault = "is truncated (it ends within a frame)" if at > size else ""
    return Layout("adts", (Part(start, size, seconds=seconds),), fault)


def read_mpeg(handle: BinaryIO, start: int, size: int) -> Layout:
    """Find the streams of an MP3, count their frames and compare with what they state.

    If the first frame states the actual number of bytes, the other frames are not read.

    Parameters
    ----------
    handle : binary file
    start, size : int
        The offset of the first frame and the size of the file, in bytes.
    """
    end = _before_tags(handle, start, size)
    stated, stated_bytes = _count_in(read_at(handle, start, 64))
    if stated and stated_bytes and abs(end - start - stated_bytes) <= 2:
        return Layout("mp3", (Part(start, end),))
    streams, cut, lost = _walk(handle, start, end)
    parts, notes = [], []
    for stream in streams:
        if stream.stated is None:
            header = _counting_frame(stream)
            parts.append(Part(stream.start, stream.stop, header, counted=bool(header)))
            continue
        slack = 0 if cut and stream is streams[-1] else _SLACK_FRAMES
        if stream.frames + slack < stream.stated:
            fault = truncated(stream.frames, stream.stated)
            return Layout("mp3", (Part(start, end),), fault)
        parts.append(Part(stream.start, stream.stop))
    if cut and streams[-1].stated is None:
        notes.append("ends within a frame: it may be truncated")
    if lost:
        notes.append(f"holds {lost:,} bytes among its frames that are no sound")
    return Layout("mp3", tuple(parts) or (Part(start, end),), notes=tuple(notes))


def _walk(handle: BinaryIO, start: int, end: int) -> tuple[list[_Stream], bool, int]:
    """Return the streams, whether the last frame is cut off, and the bytes between frames."""
    streams: list[_Stream] = []
    at, lost, cut = start, 0, False
    while at < end:
        head = read_at(handle, at, 64)
        frame = parse_header(head)
        if frame is None:
            following, tagged = _resume(handle, at, end)
            if following is None:
                break
            lost += following - tagged
            at = following
            continue
        if at + frame.size > end:
            cut = True
            break
        last = streams[-1] if streams else None
        stated, _ = _count_in(head) if _MARK.search(head) else (None, None)
        if last is None or stated is not None or frame.kind != last.first.kind:
            last = _Stream(at, frame, frames=0 if stated is None else -1, stated=stated)
            streams.append(last)
        if last.frames == last.stated:
            last.full = at
        last.frames += 1
        at = last.stop = at + frame.size
    return [half for stream in streams for half in _halves(stream)], cut, lost


def _halves(stream: _Stream) -> list[_Stream]:
    """Split a stream after its stated number of frames: a joined file without a count follows."""
    if stream.stated is None or stream.frames <= stream.stated + _SLACK_FRAMES:
        return [stream]
    rest = stream.frames - stream.stated
    return [
        replace(stream, frames=stream.stated, stop=stream.full),
        _Stream(stream.full, stream.first, frames=rest, stop=stream.stop),
    ]


def _count_in(frame: bytes) -> tuple[int | None, int | None]:
    """Return the numbers of frames and bytes that the first frame of a stream states.

    The number of frames excludes the first frame; the number of bytes includes it.
    """
    for offset in _COUNT_OFFSETS:
        if frame[offset : offset + 4] in (b"Xing", b"Info") and not any(frame[6:offset]):
            flags = int.from_bytes(frame[offset + 4 : offset + 8], "big")
            fields = [int.from_bytes(frame[p : p + 4], "big") for p in (offset + 8, offset + 12)]
            frames = fields.pop(0) if flags & 1 else None
            size = fields.pop(0) if flags & 2 else None
            return frames or None, size or None
    if frame[36:40] == b"VBRI" and len(frame) >= 54:
        size, frames = struct.unpack(">II", frame[46:54])
        return frames or None, size or None
    return None, None


def _resume(handle: BinaryIO, at: int, end: int) -> tuple[int | None, int]:
    """Return the offset of the next frame (None without one), and where the tags before it end."""
    head = read_at(handle, at, 32)
    if head[:3] == b"TAG":
        at += 128
    elif head[:8] == b"APETAGEX":
        at += 32 + min(struct.unpack("<I", head[12:16])[0], end)
    if read_at(handle, at, 3) == b"ID3":
        at = after_tags(handle, at, end)
    offset = at
    while offset < end:
        block = read_at(handle, offset, 1 << 16)
        sync = block.find(b"\xff")
        while sync >= 0:
            if _follows(handle, offset + sync, end, parse_header, count=3):
                return offset + sync, at
            sync = block.find(b"\xff", sync + 1)
        offset += len(block)
    return None, at


def _before_tags(handle: BinaryIO, start: int, size: int) -> int:
    """Return the offset at which the tags at the end of a file begin (ID3v1, APE, zeros)."""
    end = size
    while end > start:
        tail = read_at(handle, max(end - 128, start), min(128, end - start))
        if tail[:3] == b"TAG" and len(tail) == 128:
            end -= 128
        elif tail[-32:-24] == b"APETAGEX":
            length, _, flags = struct.unpack("<III", tail[-20:-8])
            end -= min(length + (32 if flags & 1 << 31 else 0), end - start)
        else:
            return end
    return size


def _counting_frame(stream: _Stream) -> bytes:
    """Build a first frame that states the number of frames, for a stream without one."""
    version, layer, _, mono = stream.first.kind
    if layer != 3:
        return b""
    # Sync word, version and layer, no checksum; a bit rate large enough for the count; same rate.
    bits, rate_index = 9, _RATES.index(stream.first.kind[2] * (1, 2, 4)[version - 1])
    head = bytes(
        [
            0xFF,
            0xE3 | (3, 2, 0)[version - 1] << 3,
            bits << 4 | rate_index << 2,
            0xC0 if mono else 0x40,
        ]
    )
    frame = parse_header(head)
    if frame is None:
        return b""
    side = (17 if mono else 32) if version == 1 else (9 if mono else 17)
    size = stream.stop - stream.start + frame.size
    body = b"Xing" + struct.pack(">III", 3, stream.frames, min(size, 0xFFFFFFFF))
    return (head + bytes(side) + body).ljust(frame.size, b"\0")
