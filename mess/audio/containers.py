"""File integrity: the container of an audio file, the recordings in it, and whether it is complete.

Decoders trust a header, or shorten it without a message: a truncated file is accepted as complete,
and only the first of two joined files is decoded. This module therefore compares the sizes that a
file states with its actual size before it is decoded. The content of a file decides which container
it is; its name does not.

What is compared:

* WAV, RF64, W64, AIFF, AU, CAF, MP4, ASF, Matroska: the sizes of chunks with the size of the file.
  A size of 0 or of all ones means "not known" and is not compared.
* Ogg (`mess.audio.ogg_pages`) and MP3 (`mess.audio.mpeg_frames`): every page or frame is read.
* FLAC: the decoder compares the number of samples that the header states.
"""

import os
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from mess.audio.mpeg_frames import first_frame, read_adts, read_mpeg
from mess.audio.ogg_pages import read_ogg
from mess.audio.parts import BOXES, Layout, Part, after_tags, implausible, read_at, truncated

_SLACK_SECONDS = 0.05  # tolerance: some programs miscount by a header or a frame
_SLACK_BYTES = 64
_UNKNOWN = (0, 0xFFFFFFFF)
_RIFF_IDS = (b"RIFF", b"RIFX", b"RF64", b"BW64")
_KNOWN_CHUNKS = (b"data", b"fmt ", b"fact", b"LIST", b"bext", b"PEAK", b"cue ", b"JUNK", b"id3 ")

# The suffix of each container, for files whose own name is not trusted.
SUFFIXES = {
    "wav": ".wav",
    "w64": ".w64",
    "aiff": ".aiff",
    "au": ".au",
    "caf": ".caf",
    "flac": ".flac",
    "ogg": ".ogg",
    "mp3": ".mp3",
    "adts": ".aac",
    "mp4": ".m4a",
    "asf": ".wma",
    "matroska": ".webm",
    "wavpack": ".wv",
    "ape": ".ape",
}


def find_container(handle: BinaryIO) -> tuple[str, int, int]:
    """Return the container of a file ("" if unknown), where its content begins, and its size."""
    size = handle.seek(0, os.SEEK_END)
    start = after_tags(handle, 0, size)
    container = _recognise(read_at(handle, start, 64))
    if container in ("", "mp3", "adts"):  # two bytes are not enough to recognise these
        container, start = first_frame(handle, start, size) or ("", 0)
    return container, start, size


def read_layout(handle: BinaryIO) -> Layout:
    """Find the container of a file, its recordings and its faults.

    Parameters
    ----------
    handle : binary file
        Seekable. Its position afterwards is undefined.
    """
    readers: dict[str, Callable[[BinaryIO, int, int], Layout]] = {
        "wav": _read_riff,
        "w64": _read_w64,
        "aiff": _read_aiff,
        "au": _read_au,
        "caf": _read_caf,
        "flac": _read_flac,
        "ogg": read_ogg,
        "mp3": read_mpeg,
        "adts": read_adts,
        "mp4": _read_mp4,
        "asf": _read_asf,
        "matroska": _read_matroska,
    }
    container, start, size = find_container(handle)
    whole = Layout(container, (Part(start, size),))
    if not container and after_tags(handle, 0, size) == size:
        return replace(whole, fault="is truncated (nothing follows its tags)")
    if container not in readers:
        return whole
    try:
        return readers[container](handle, start, size)
    except struct.error:  # the file ends within a header: the decoder reports it
        return whole


def _recognise(head: bytes) -> str:
    if head[:4] in _RIFF_IDS and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"riff" and head[4:16] == bytes.fromhex("2e91cf11a5d628db04c10000"):
        return "w64"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[4:8] in BOXES and (head[4:8] == b"ftyp" or head[:2] == b"\0\0"):
        return "mp4"
    marks = {
        b".snd": "au",
        b"caff": "caf",
        b"fLaC": "flac",
        b"OggS": "ogg",
        b"wvpk": "wavpack",
        b"MAC ": "ape",
        bytes.fromhex("3026b2758e66cf11"): "asf",
        bytes.fromhex("1a45dfa3"): "matroska",
    }
    for mark, container in marks.items():
        if head.startswith(mark):
            return container
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "adts" if head[1] & 0x06 == 0 else "mp3"
    return ""


def _lacks(available: int, stated: int, per_second: int) -> bool:
    """Tell whether more bytes are missing than the tolerance allows."""
    slack = min(_SLACK_SECONDS * per_second, stated / 100)
    return stated - available > max(slack, _SLACK_BYTES)


# Chunks -----------------------------------------------------------------------------------


def _read_riff(handle: BinaryIO, start: int, size: int) -> Layout:
    layout = Layout("wav", ())
    at = start
    while at < size and not layout.fault:
        part, fault, at = _read_one_riff(handle, at, size)
        layout = replace(layout, parts=(*layout.parts, part), fault=fault)
        if read_at(handle, at, 4) not in _RIFF_IDS or read_at(handle, at + 8, 4) != b"WAVE":
            break
    return layout


def _read_one_riff(handle: BinaryIO, start: int, size: int) -> tuple[Part, str, int]:
    """Return a recording, its fault ("" if none) and where its chunks end."""
    order = ">" if read_at(handle, start, 4) == b"RIFX" else "<"
    at, shape, stated64, unpadded = start + 12, b"", None, False
    while at + 8 <= size:
        name, length = struct.unpack(order + "4sI", read_at(handle, at, 8))
        if name in _RIFF_IDS:
            break
        if name == b"ds64":
            stated64 = struct.unpack("<QQ", read_at(handle, at + 8, 16))[1]
        elif name == b"fmt ":
            shape = read_at(handle, at + 8, min(length, 128))
        elif name == b"data":
            break
        pad = length & 1
        if pad and read_at(handle, at + 8 + length, 4) in _KNOWN_CHUNKS:
            pad, unpadded = 0, True
        at += 8 + length + pad
    else:
        return Part(start, size), "", size
    if name != b"data" or len(shape) < 16:
        return Part(start, at if name in _RIFF_IDS else size), "", at
    channels, rate, per_second = struct.unpack(order + "HII", shape[2:12])
    if fault := implausible(rate, channels):
        return Part(start, size), fault, size
    begin, available = at + 8, size - at - 8
    stated = stated64 if stated64 is not None and length == 0xFFFFFFFF else length
    if stated in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF) or stated > 1 << 62:
        return Part(start, size), "", size
    unknown = stated == 0 and available > 0 and not _are_chunks(handle, begin, size, order)
    if not unknown and _lacks(available, stated, per_second):
        return Part(start, size), truncated(available, stated), size
    stop = size if unknown else min(begin + stated, size)
    if unknown or unpadded:
        return Part(begin, stop, _riff_header(order, shape, stop - begin)), "", stop + (stated & 1)
    at = stop + (stated & 1)
    while at + 8 <= size:  # after the samples: text, tags, or another recording
        name, length = struct.unpack(order + "4sI", read_at(handle, at, 8))
        if name in _RIFF_IDS or not name.isascii() or at + 8 + length > size:
            break
        at += 8 + length + (length & 1)
    joined = read_at(handle, at, 4) in _RIFF_IDS and read_at(handle, at + 8, 4) == b"WAVE"
    return Part(start, at if joined else size), "", at


def _are_chunks(handle: BinaryIO, at: int, size: int, order: str) -> bool:
    """Tell whether only complete chunks follow from here on, so the file has no samples."""
    while at + 8 <= size:
        name, length = struct.unpack(order + "4sI", read_at(handle, at, 8))
        if not (name.isascii() and name.decode().isprintable()):
            return False
        at += 8 + length + (length & 1)
    return at in (size, size + 1)


def _riff_header(order: str, shape: bytes, count: int) -> bytes:
    count = min(count, 0xFFFFFFF0 - len(shape))
    body = b"WAVEfmt " + struct.pack(order + "I", len(shape)) + shape
    body += b"data" + struct.pack(order + "I", count)
    mark = b"RIFX" if order == ">" else b"RIFF"
    return mark + struct.pack(order + "I", len(body) + count) + body


def _read_w64(handle: BinaryIO, start: int, size: int) -> Layout:
    at, whole = start + 40, Layout("w64", (Part(start, size),))
    while at + 24 <= size:
        name, length = struct.unpack("<16sQ", read_at(handle, at, 24))
        if name[:4] == b"data":
            stated = length - 24
            if 0 < stated < 1 << 62 and _lacks(size - at - 24, stated, 0):
                return replace(whole, fault=truncated(size - at - 24, stated))
            break
        at += max(24, length + 7 & ~7)
    return whole


def _read_aiff(handle: BinaryIO, start: int, size: int) -> Layout:
    parts: list[Part] = []
    begin, at = start, start + 12
    while at + 8 <= size:
        name, length = struct.unpack(">4sI", read_at(handle, at, 8))
        if name == b"FORM" and read_at(handle, at + 8, 4) in (b"AIFF", b"AIFC"):
            parts.append(Part(begin, at))
            begin, at = at, at + 12
            continue
        if name == b"SSND" and length not in _UNKNOWN and _lacks(size - at - 8, length, 0):
            fault = truncated(size - at - 8, length)
            return Layout("aiff", (*parts, Part(begin, size)), fault)
        at += 8 + length + (length & 1)
    return Layout("aiff", (*parts, Part(begin, size)))


def _read_au(handle: BinaryIO, start: int, size: int) -> Layout:
    head = read_at(handle, start, 24)
    offset, length = struct.unpack(">II", head[4:12])
    available = size - start - offset
    if length not in _UNKNOWN and _lacks(available, length, 0):
        return Layout("au", (Part(start, size),), truncated(max(available, 0), length))
    if length == 0 and available > 0:
        prefix = head[:4] + struct.pack(">II", 24, 0xFFFFFFFF) + head[12:24]
        return Layout("au", (Part(start + offset, size, prefix),))
    return Layout("au", (Part(start, size),))


def _read_caf(handle: BinaryIO, start: int, size: int) -> Layout:
    at, whole = start + 8, Layout("caf", (Part(start, size),))
    while at + 12 <= size:
        name, length = struct.unpack(">4sq", read_at(handle, at, 12))
        if name == b"data" and length > 0 and _lacks(size - at - 12, length, 0):
            return replace(whole, fault=truncated(size - at - 12, length))
        if length < 0:  # the sound goes on to the end
            break
        at += 12 + length
    return whole


# Boxes, objects, elements ---------------------------------------------------------------------


def _read_mp4(handle: BinaryIO, start: int, size: int) -> Layout:
    """Walk the boxes of the top level (ISO/IEC 14496-12, 4.2)."""
    at, names, whole = start, set(), Layout("mp4", (Part(start, size),))
    while at + 8 <= size:
        length, name = struct.unpack(">I4s", read_at(handle, at, 8))
        head = 8
        if length == 1:
            length, head = struct.unpack(">Q", read_at(handle, at + 8, 8))[0], 16
        if length == 0:  # the last box, to the end of the file
            length = size - at
        if length < head or not name.isascii():
            break
        names.add(name)
        if name in (b"mdat", b"moov", b"moof") and _lacks(size - at, length, 0):
            return replace(whole, fault=truncated(size, at + length))
        at += length
    if not names & {b"moov", b"moof"}:
        return replace(whole, fault="is truncated (its table of contents is missing)")
    return whole


def _read_asf(handle: BinaryIO, start: int, size: int) -> Layout:
    """Look for the size in the file properties object (ASF specification, 3.2)."""
    count = min(struct.unpack("<Q", read_at(handle, start + 16, 8))[0], 1 << 16)
    head = read_at(handle, start, count)
    offset = head.find(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"))
    whole = Layout("asf", (Part(start, size),))
    if offset < 0:
        return whole
    stated = struct.unpack("<Q", head[offset + 40 : offset + 48])[0]
    flags = struct.unpack("<I", head[offset + 88 : offset + 92])[0]
    if not flags & 1 and 0 < stated < 1 << 62 and _lacks(size - start, stated, 0):
        return replace(whole, fault=truncated(size - start, stated))
    return whole


def _read_matroska(handle: BinaryIO, start: int, size: int) -> Layout:
    """Compare the size of the segment (RFC 8794; RFC 9559) with the file's."""
    whole = Layout("matroska", (Part(start, size),))
    length, width = _vint(read_at(handle, start + 4, 8))
    at = start + 4 + width + (length or 0)
    if length is None or read_at(handle, at, 4) != bytes.fromhex("18538067"):
        return whole
    length, width = _vint(read_at(handle, at + 4, 8))
    begin = at + 4 + width
    if length is not None and _lacks(size - begin, length, 0):
        return replace(whole, fault=truncated(size - begin, length))
    return whole


def _vint(data: bytes) -> tuple[int | None, int]:
    """Return an EBML number, None where all its bits say "not known", and its width."""
    if not data or not data[0]:
        return None, 1
    width = 9 - data[0].bit_length()
    bits = 7 * width
    value = int.from_bytes(data[:width], "big") & ((1 << bits) - 1)
    return (None if value == (1 << bits) - 1 else value), width


def _read_flac(handle: BinaryIO, start: int, size: int) -> Layout:
    """Find the streams in a file, each with its own count of samples."""
    mark, block = b"fLaC\x00\x00\x00\x22", 1 << 22
    starts, at = [start], start + 4
    handle.seek(at)
    while chunk := handle.read(block):
        offset = chunk.find(mark)
        while offset >= 0:
            starts.append(at + offset)
            offset = chunk.find(mark, offset + 1)
        if len(chunk) < len(mark):
            break
        at += len(chunk) - len(mark) + 1  # a mark may lie across two chunks
        handle.seek(at)
    parts = []
    for begin, stop in zip(starts, [*starts[1:], size], strict=True):
        info = read_at(handle, begin + 8, 34)
        counted = len(info) == 34 and bool(int.from_bytes(info[13:18], "big") & 0xFFFFFFFFF)
        parts.append(Part(begin, stop, counted=counted))
    return Layout("flac", tuple(parts))
