"""Clips: parts of recordings, cut when somebody listens; the last ones are kept."""

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.responses import Response

from mess.as_json import as_json
from mess.serving.answers import Problem
from mess.serving.shelf import Shelf

if TYPE_CHECKING:
    from mess.audio.loudness import Heard

MIME = "audio/flac"
MAX_SECONDS = 60.0  # of one clip
CACHE = "private, max-age=3600"  # how long a browser keeps a sound
# One range of bytes (RFC 9110, 14.1.2), whose numbers are no longer than a length can be.
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Kept:
    """The last answers, at most ``most`` bytes of them; requests may come from several threads.

    Examples
    --------
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
_loudness: "Shelf[Heard]" = Shelf(1024)


def cut(
    path: Path,
    *,
    version: float,
    start: float,
    seconds: float,
    level: float | None = None,
    like: tuple[float, float] | None = None,
) -> bytes:
    """Return a part of a recording as FLAC; see `mess.audio.clip.read_clip`.

    Parameters
    ----------
    path : Path
    version : float
        Another one for another recording in the same place: its time, say.
    start, seconds : float
        At most `MAX_SECONDS` are cut.
    level : float, optional
        The loudness of the part in LUFS; by default it is as loud as the recording.
    like : (float, float), optional
        Start and seconds of the part that gets this level. The clip gets the same gain.
    """
    from mess.audio.clip import read_clip  # what decodes is loaded when somebody listens

    seconds = min(seconds, MAX_SECONDS)

    def make() -> bytes:
        heard = None
        if like is not None and level is not None:
            first, length = like[0], min(like[1], MAX_SECONDS)
            heard = loudness_of(path, version=version, start=first, seconds=length)
        return read_clip(path, start=start, seconds=seconds, level=level, like=heard)

    return _clips.get((path, version, start, seconds, level, like), make)


def loudness_of(path: Path, *, version: float, start: float, seconds: float) -> "Heard":
    """Return how loud a part of a recording sounds; parameters as of `cut`."""
    from mess.audio.clip import RATE, read_samples
    from mess.audio.loudness import measure_loudness

    return _loudness.get(
        (path, start, seconds),
        version,
        lambda: measure_loudness(read_samples(path, start=start, seconds=seconds), RATE),
    )


def clip_answer(content: bytes, *, asked: Headers) -> Response:
    """Return a clip as an answer, cut to the bytes that a player asks for when it jumps.

    A range is a wish: one that cannot be read gets the whole clip (RFC 9110, 14.2). So does one
    that depends on a validator (If-Range), because no clip was ever sent with any.

    Parameters
    ----------
    content : bytes
    asked : Headers
        Those of the request.
    """
    headers = {"Accept-Ranges": "bytes", "Cache-Control": CACHE}
    wanted = "" if "if-range" in asked else asked.get("range", "")
    found = _RANGE.fullmatch(wanted.strip().lower())
    first, last = found.groups() if found else ("", "")
    if not (first or last) or (first and last and int(first) > int(last)):
        return Response(content, media_type=MIME, headers=headers)
    size = len(content)
    begin = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if begin > end:
        line = Problem(error=f"the clip has {size} bytes: ask for an earlier range, or for none")
        nowhere = {"Content-Range": f"bytes */{size}"}
        return Response(as_json(line), 416, headers=nowhere, media_type="application/json")
    headers["Content-Range"] = f"bytes {begin}-{end}/{size}"
    return Response(content[begin : end + 1], status_code=206, media_type=MIME, headers=headers)
