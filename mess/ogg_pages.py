"""The pages of an Ogg file (RFC 3533): where its streams begin, and whether they come to an end.

Ogg has no index: streams may follow each other (a chained file), and only the flag of the last
page says that a stream is whole. A file that ends within a page is truncated. A file that ends
with a whole page but without the flag may be truncated, or a recording of a broadcast that never
had one; it is decoded, and a note says so.
"""

import struct
from typing import BinaryIO

from mess.audio_parts import Layout, Part

_HEADER = struct.Struct("<4sBBqIIIB")
_FIRST, _LAST = 0x02, 0x04


def read_ogg(handle: BinaryIO, start: int, size: int) -> Layout:
    """Walk the pages of a file.

    Parameters
    ----------
    handle : binary file
    start, size : int
        Bytes: of the first page, and of the file.
    """
    starts: list[int] = []
    at, head, lost = start, True, 0
    open_streams: dict[int, int] = {}  # the page that is due, by stream
    unfinished = cut = False
    while at < size:
        handle.seek(at)
        page = handle.read(_HEADER.size)
        if not b"OggS".startswith(page[:4]):
            following = _next_page(handle, at, size)
            if following is None:  # a tag or zeros behind the last page
                break
            at, lost = following, lost + 1
            continue
        if len(page) < _HEADER.size:
            cut = True
            break
        _, _, flags, _, serial, number, _, segments = _HEADER.unpack(page)
        sizes = handle.read(segments)
        stop = at + _HEADER.size + segments + sum(sizes)
        if len(sizes) < segments or stop > size:
            cut = True
            break
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
    parts = tuple(Part(a, b) for a, b in zip(starts, [*starts[1:], size], strict=True))
    if cut:
        fault = "is truncated (it ends within a page)"
        return Layout("ogg", parts or (Part(start, size),), fault)
    notes = []
    if unfinished or open_streams:
        notes.append("has no page that ends the stream: it may be truncated")
    if lost:
        notes.append("is damaged: pages are missing in the middle")
    return Layout("ogg", parts or (Part(start, size),), notes=tuple(notes))


def _next_page(handle: BinaryIO, at: int, size: int) -> int | None:
    """Return where a page begins after ``at``."""
    block = 1 << 20
    while at < size:
        handle.seek(at)
        place = handle.read(block).find(b"OggS", 1)
        if place > 0:
            return at + place
        at += block - 4
    return None
