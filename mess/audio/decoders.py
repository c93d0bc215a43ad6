"""Decoders: libsndfile reads most recordings, PyAV (FFmpeg) reads the others.

The content of a file decides which decoder reads it. PyAV also tries every file that libsndfile
does not open.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile

from mess.audio.channels import Samples
from mess.audio.parts import Layout, Part, implausible
from mess.errors import AudioError, MissingDependency

BLOCK_FRAMES = 1 << 18
_WIDE = 8  # files with more channels are read in shorter blocks
_PREROLL_SECONDS = 1.0  # after a seek, the first frames of a decoder are inexact
_PYAV_ONLY = frozenset({"mp4", "asf", "matroska", "adts", "wavpack", "ape"})
_SEEKABLE = frozenset({"mp4", "matroska", "asf"})  # with an index; others are read from the start
# Only these are allowed: FFmpeg also reads playlists, which open other files and addresses.
_DEMUXERS = "aac,aiff,ape,asf,au,caf,flac,matroska,mov,mp3,ogg,w64,wav,wv"
_MOST_FRAMES = 1 << 53  # a larger number is not a valid count
_GAP_SECONDS = 0.05
_LOST_NOTED, _LOST_SECONDS, _LOST_SHARE = 0.1, 1.0, 0.02  # for decoders that skip damaged frames


class _Window(io.RawIOBase):
    """A file object that reads a prefix and then one part of another file."""

    def __init__(self, handle: BinaryIO, part: Part) -> None:
        super().__init__()
        self._handle, self._part, self._at = handle, part, 0
        self._size = len(part.prefix) + part.stop - part.start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._size - self._at)
        if count <= 0:
            return 0
        prefix = self._part.prefix
        if self._at < len(prefix):
            data = prefix[self._at : self._at + count]
        else:
            self._handle.seek(self._part.start + self._at - len(prefix))
            data = self._handle.read(count)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def part_blocks(
    path: Path, handle: BinaryIO, layout: Layout, part: Part, start: float, notes: list[str]
) -> Iterator[tuple[Samples, int]]:
    """Yield the blocks of one recording in a file, from ``start`` seconds on.

    Raises
    ------
    AudioError
        If it cannot be decoded, is damaged or truncated.
    """
    container = layout.container
    if container in _PYAV_ONLY or not part.counted:
        yield from _pyav_blocks(path, handle, container, part, start, notes)
        return
    try:
        opened = _open(path, handle, part)
    except soundfile.SoundFileError as error:
        refused = _no_audio(path, _reason(error))
    else:
        with opened as audio:
            yield from _soundfile_blocks(path, audio, container, start, notes)
        return
    with suppress(MissingDependency, AudioError):
        yield from _pyav_blocks(path, handle, container, part, start, notes)
        return
    raise refused


def part_seconds(path: Path, handle: BinaryIO, layout: Layout, part: Part) -> float | None:
    """Return the seconds that the header of one recording in a file states, None if it states none.

    Raises
    ------
    AudioError
        If it cannot be decoded.
    """
    if part.seconds is not None:
        return part.seconds
    if layout.container not in _PYAV_ONLY and part.counted:
        with suppress(soundfile.SoundFileError), _open(path, handle, part) as audio:
            return float(audio.frames / audio.samplerate)
    with _open_pyav(path, handle, part) as (media, stream):
        return _stated_by_pyav(media, stream, layout.container)


def _stated_by_pyav(media: Any, stream: Any, container: str) -> float | None:
    """Return the seconds that a header states, None for containers whose length FFmpeg guesses."""
    if container not in _SEEKABLE and container not in ("caf", "wav", "w64", "aiff"):
        return None
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return media.duration / 1e6 if media.duration and len(media.streams) == 1 else None


def _reason(error: Exception) -> str:
    return str(error).rstrip(". ").split(": ")[-1]


def _no_audio(path: Path, reason: str) -> AudioError:
    return AudioError(
        path, f"is no audio that can be decoded ({reason})", "convert or export it again"
    )


def _check(path: Path, rate: int, channels: int) -> None:
    if fault := implausible(rate, channels):
        raise AudioError(path, fault, "convert or export it again")


# libsndfile -----------------------------------------------------------------------------------


def _open(path: Path, handle: BinaryIO, part: Part) -> soundfile.SoundFile:
    if not part.prefix and part.start == 0 and part.stop == os.fstat(handle.fileno()).st_size:
        os.lseek(handle.fileno(), 0, os.SEEK_SET)
        audio = soundfile.SoundFile(handle.fileno(), closefd=False)
    else:
        audio = soundfile.SoundFile(io.BufferedReader(_Window(handle, part), 1 << 16))
    _check(path, audio.samplerate, audio.channels)
    if not 0 <= audio.frames < _MOST_FRAMES:
        raise soundfile.SoundFileError("Its length is not stated")
    return audio


def _soundfile_blocks(
    path: Path, audio: soundfile.SoundFile, container: str, start: float, notes: list[str]
) -> Iterator[tuple[Samples, int]]:
    rate, stated = audio.samplerate, audio.frames
    size = BLOCK_FRAMES if audio.channels <= _WIDE else BLOCK_FRAMES * _WIDE // audio.channels
    begin = min(round(start * rate), stated)
    preroll = round(_PREROLL_SECONDS * rate) if container == "mp3" else 0
    try:
        got = audio.seek(max(begin - preroll, 0))
        while got < stated:
            block = audio.read(min(size, stated - got), dtype="float32", always_2d=True)
            if not len(block):
                break
            got += len(block)
            if got > begin:
                yield block[-min(got - begin, len(block)) :], rate
    # In a damaged file a decoder may ask for a negative number of frames (ValueError).
    except (soundfile.SoundFileError, ValueError) as error:
        raise AudioError(
            path, f"is damaged or truncated ({_reason(error)})", "copy it again"
        ) from None
    _settle(path, container, got / rate, stated / rate, notes)


def _settle(path: Path, container: str, got: float, stated: float, notes: list[str]) -> None:
    """Compare the seconds that were decoded with those that the header states."""
    lost = stated - got
    if lost <= 0:
        return
    shown = f"{got:.2f} of {stated:.2f} s could be decoded"
    if container != "mp3" and container not in _SEEKABLE:
        raise AudioError(path, f"is damaged or truncated ({shown})", "copy it again")
    # These decoders continue with the next frame that they can read.
    if lost > max(_LOST_SECONDS, _LOST_SHARE * stated):
        raise AudioError(path, f"is damaged or truncated ({shown})", "copy it again")
    if lost > _LOST_NOTED:
        notes.append(f"is damaged: {shown}")


# PyAV -------------------------------------------------------------------------------------------


@contextmanager
def _open_pyav(path: Path, handle: BinaryIO, part: Part) -> Iterator[tuple[Any, Any]]:
    """Open a recording with PyAV; every error while it is open becomes an `AudioError`."""
    try:
        import av
    except ImportError:
        raise MissingDependency("PyAV (needed for this recording)", "ml") from None
    window = io.BufferedReader(_Window(handle, part), 1 << 16)
    allowed = {"format_whitelist": _DEMUXERS}
    opened = False
    try:
        with av.open(window, metadata_errors="replace", options=allowed) as media:
            if not media.streams.audio:
                raise _no_audio(path, "it has no audio stream")
            stream = media.streams.audio[0]
            if stream.codec_context is None:
                raise _no_audio(path, "its coding is unknown")
            _check(path, stream.codec_context.sample_rate, stream.codec_context.channels)
            opened = True
            yield media, stream
    except (av.error.FFmpegError, ArithmeticError, LookupError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        reason = " ".join(reason.split())
        if opened:
            raise AudioError(path, f"is damaged or truncated ({reason})", "copy it again") from None
        raise _no_audio(path, reason) from None


def _pyav_blocks(
    path: Path, handle: BinaryIO, container: str, part: Part, start: float, notes: list[str]
) -> Iterator[tuple[Samples, int]]:
    with _open_pyav(path, handle, part) as (media, stream):
        jumps = start > _PREROLL_SECONDS and container in _SEEKABLE
        stated = _stated_by_pyav(media, stream, container)
        origin = at = 0.0  # seconds: the time of the first sample, and of the next one
        if jumps:
            origin = next((frame.time or 0.0 for frame in media.decode(stream)), 0.0)
            media.seek(round((origin + start - _PREROLL_SECONDS) * 1e6))
        missing, skip, began = 0.0, 0, False
        for frame in media.decode(stream):
            rate = frame.sample_rate
            _check(path, rate, frame.layout.nb_channels)
            block = _as_float(frame)
            if not began:
                began, time = True, frame.time or 0.0
                at, origin = (time - origin, origin) if jumps else (0.0, time)
                skip = max(round((start - at) * rate), 0)
            elif frame.time is not None and frame.time - origin - at - missing > _GAP_SECONDS:
                missing = frame.time - origin - at
            at += len(block) / rate
            if skip < len(block):
                yield block[skip:], rate
            skip = max(skip - len(block), 0)
        if stated is not None and container in _SEEKABLE:
            _settle(path, container, at, stated, notes)
        elif missing:
            notes.append(f"is damaged or has gaps: {missing:.2f} s are missing")


def _as_float(frame: Any) -> Samples:
    """Return the samples of a frame of PyAV, [frames, channels], in [-1, 1]."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype.kind == "u":
        return np.asarray((samples.T.astype(np.float32) - 128) / 128, dtype=np.float32)
    scale = np.float32(1.0)
    if samples.dtype.kind == "i":
        scale = np.float32(2.0 ** (1 - 8 * samples.dtype.itemsize))
    return np.multiply(samples.T, scale, dtype=np.float32, casting="unsafe")
