"""Sounds over HTTP: parts of recordings, cut when a player asks for them, and how they look.

    /sounds/clip?dataset=…&encoder=…&track=…&start=…&seconds=…         FLAC
    /sounds/peaks?…&bins=…                                             JSON, a list of numbers
    /sounds/spectrogram?…                                              PNG

``upload=TOKEN`` stands for dataset, encoder and track of a file that was handed over. Any other
name is looked up among the tracks that have features and is never used as a path. Nothing is
cut before somebody listens, and the last clips are kept.
"""

import json
import os
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashboard import library, readers
from mess.errors import MessError

MAX_SECONDS = 60.0  # of one clip
_MAX_BINS = 4000
_KEPT = "private, max-age=3600"


def sound_url(
    kind: str,
    *,
    dataset: str = "",
    encoder: str = "",
    track: str = "",
    upload: str = "",
    start: float,
    seconds: float,
) -> str:
    """Return the address, on this server, of a part of a track.

    Parameters
    ----------
    kind : {"clip", "peaks", "spectrogram"}
    dataset, encoder, track : str
    upload : str
        Instead of these, the token of a file that was handed over.
    start, seconds : float
        Where it begins and how long it is.
    """
    whose = {"upload": upload}
    if not upload:
        whose = {"dataset": dataset, "encoder": encoder, "track": track}
    words = {
        **whose,
        "start": f"{start:g}",
        "seconds": f"{seconds:g}",
    }
    return f"/sounds/{kind}?{urlencode(words)}"


class Kept:
    """The last answers, at most ``most`` bytes of them; requests may come from several threads.

    >>> kept = Kept(most=4)
    >>> [kept.get(key, lambda: key.encode()) for key in ("ab", "cd", "ab", "ef")]
    [b'ab', b'cd', b'ab', b'ef']
    >>> list(kept)
    ['ab', 'ef']
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._answers: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = Lock()

    def __iter__(self) -> Any:
        return iter(list(self._answers))

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Return what is kept under ``key``, or make it and keep it."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        answer = make()
        with self._lock:
            if key not in self._answers:
                self._answers[key] = answer
                self._size += len(answer)
            while self._size > self._most and self._answers:
                self._size -= len(self._answers.popitem(last=False)[1])
        return answer


_clips = Kept(32 << 20)  # some forty clips
_pictures = Kept(8 << 20)  # peaks and spectrograms: a hundred times smaller


def _clip(path: Path, version: float, start: float, seconds: float) -> bytes:
    from mess.audio.clip import read_clip

    return _clips.get(
        (path, version, start, seconds), lambda: read_clip(path, start=start, seconds=seconds)
    )


def _peaks(path: Path, version: float, start: float, seconds: float, bins: int) -> bytes:
    from mess.audio.pictures import read_peaks

    def make() -> bytes:
        found = read_peaks(path, start=start, seconds=seconds, bins=bins)
        return json.dumps([round(float(value), 4) for value in found]).encode()

    return _pictures.get((path, version, start, seconds, bins), make)


def _spectrogram(path: Path, version: float, start: float, seconds: float) -> bytes:
    from mess.audio.pictures import read_spectrogram

    return _pictures.get(
        (path, version, start, seconds),
        lambda: read_spectrogram(path, start=start, seconds=seconds),
    )


def _part(request: Request) -> tuple[Path, float, float, float]:
    """Return file, its time, start and seconds of what is asked for, or raise `MessError`."""
    asked = request.query_params
    start, seconds = _number(asked.get("start", "0")), _number(asked.get("seconds", "30"))
    if "upload" in asked:
        upload = readers.store().uploads.find(asked["upload"])
        if upload is None:
            raise MessError("this file was forgotten")
        return upload.path, upload.added, start, seconds
    dataset = asked.get("dataset", "")
    encoder = library.known_encoder(dataset, asked.get("encoder", ""))
    track = readers.tracks(dataset, encoder).get(asked.get("track", ""))
    # What a manifest says of a file is a place below the recordings of its dataset, or a lie.
    folder = f"{os.path.normpath(readers.store().audio_dir(dataset))}{os.sep}"
    if track is None or not os.path.normpath(track.path).startswith(folder):
        raise MessError("no such track")
    try:
        return track.path, track.path.stat().st_mtime, start, seconds
    except OSError:
        raise MessError(f"{track.path.name}: the recording is not on this machine") from None


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e6:
        raise MessError("start and seconds are numbers from 0")
    return value


def _answer(make: Any, media_type: str) -> Response:
    try:
        content = make()
    except MessError as error:
        return Response(str(error), status_code=404, media_type="text/plain")
    return Response(content, media_type=media_type, headers={"Cache-Control": _KEPT})


def clip(request: Request) -> Response:
    """Answer with a part of a recording, as FLAC; a range of its bytes where one is asked for."""

    def make() -> bytes:
        path, version, start, seconds = _part(request)
        return _clip(path, version, start, min(seconds, MAX_SECONDS))

    return _ranged(_answer(make, "audio/flac"), request.headers.get("range", ""))


def _ranged(whole: Response, asked: str) -> Response:
    """Cut an answer to the bytes that a player asks for when it jumps (RFC 9110, 14.1.2)."""
    if whole.status_code != 200:
        return whole
    whole.headers["Accept-Ranges"] = "bytes"
    unit, _, span = asked.partition("=")
    first, dash, last = span.partition("-")
    if unit.strip() != "bytes" or not dash or not first.isdecimal() or "," in span:
        return whole
    content = bytes(whole.body)
    begin = int(first)
    end = min(int(last), len(content) - 1) if last.isdecimal() else len(content) - 1
    if begin > end:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(content)}"})
    return Response(
        content[begin : end + 1],
        status_code=206,
        media_type=whole.media_type,
        headers={
            "Accept-Ranges": "bytes",
            "Cache-Control": _KEPT,
            "Content-Range": f"bytes {begin}-{end}/{len(content)}",
        },
    )


def peaks(request: Request) -> Response:
    """Answer with the peaks of a part of a recording."""

    def make() -> bytes:
        path, version, start, seconds = _part(request)
        bins = max(1, min(int(_number(request.query_params.get("bins", "400"))), _MAX_BINS))
        return _peaks(path, version, start, seconds, bins)

    return _answer(make, "application/json")


def spectrogram(request: Request) -> Response:
    """Answer with a picture of a part of a recording."""
    return _answer(lambda: _spectrogram(*_part(request)), "image/png")


ROUTES = [
    Route("/sounds/clip", clip),
    Route("/sounds/peaks", peaks),
    Route("/sounds/spectrogram", spectrogram),
]
