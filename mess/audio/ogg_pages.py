"""Ogg pages (RFC 3533): find the streams of an Ogg file, and detect truncation.

Ogg has no index. Streams may follow each other (a chained file), and only a flag on the last page
marks the end of a stream. A file that ends within a page is truncated. A file that ends with a
complete page but without the flag may be truncated, or may be a recorded broadcast, which never had
the flag. It is decoded, and a note says so.
"""

import struct
import zlib
from typing import BinaryIO

from mess.audio.parts import Layout, Part

_HEADER = struct.Struct("<4sBBqIIIB")
_FIRST, _LAST = 0x02, 0x04
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def read_ogg(handle: BinaryIO, start: int, size: int) -> Layout:
    """Read the pages of a file.

    Parameters
    ----------
    handle : binary file
    start, size : int
        The offset of the first page and the size of the file, in bytes.
    """
    starts: list[int] = []
    at, head, lost = start, True, 0
    open_streams: dict[int, int] = {}  # stream → number of its next page
    unfinished = cut = False
    while at < size:
        handle.seek(at)
        page = handle.read(_HEADER.size)
        if not b"OggS".startswith(page[:4]):
            following = _next_page(handle, at, size)
            if following is None:  # a tag or zeros after the last page
                break
            at, lost = following, lost + 1
            continue
        if len(page) < _HEADER.size:
            cut = True
            break
        _, _, flags, _, serial, number, stated, segments = _HEADER.unpack(page)
        sizes = handle.read(segments)
        body = handle.read(sum(sizes))
        stop = at + _HEADER.size + segments + sum(sizes)
        if len(sizes) < segments or stop > size:
            cut = True
            break
        if checksum(page[:22] + bytes(4) + page[26:] + sizes + body) != stated:
            lost += 1  # a decoder skips such a page
        if flags & _FIRST:
            if not head or not starts:
                unfinished |= bool(open_streams)
                open_streams.clear()
                starts.append(at)
            open_streams[serial] = number
            head = True
        else:
            head = False
        if serial in open_streams:
            lost += number != open_streams[serial]
            open_streams[serial] = number + 1 & 0xFFFFFFFF
            if flags & _LAST:
                del open_streams[serial]
        at = stop
    starts = starts or [start]
    parts = tuple(Part(a, b) for a, b in zip(starts, [*starts[1:], size], strict=True))
    if cut:
        fault = "is truncated (it ends within a page)"
        return Layout("ogg", parts, fault)
    notes = []
    if unfinished or open_streams:
        notes.append("has no page that ends the stream: it may be truncated")
    if lost:
        notes.append("is damaged: pages are missing or changed")
    return Layout("ogg", parts, notes=tuple(notes))


def checksum(page: bytes) -> int:
    """Return the checksum of a page whose checksum field is zero.

    It is the CRC-32 of zlib with reversed bit order and without inversion.
    """
    mirrored = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def _next_page(handle: BinaryIO, at: int, size: int) -> int | None:
    """Return the offset of the next page after ``at``, None without one."""
    block = 1 << 20
    while at < size:
        handle.seek(at)
        offset = handle.read(block).find(b"OggS", 1)
        if offset > 0:
            return at + offset
        at += block - 4
    return None
