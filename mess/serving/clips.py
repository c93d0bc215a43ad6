"""Clips: parts of recordings, cut when somebody listens; the last ones are kept."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from mess.serving.shelf import Shelf

if TYPE_CHECKING:
    from mess.audio.loudness import Heard

MIME = "audio/flac"
MAX_SECONDS = 60.0  # of one clip
CACHE = "private, max-age=3600"  # how long a browser keeps a sound
_LONGEST = 40  # letters of a range of bytes


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


def clip_answer(content: bytes, *, wanted: str = "") -> Response:
    """Return a clip as an answer, cut to the bytes that a player asks for when it jumps.

    Parameters
    ----------
    content : bytes
    wanted : str
        The header Range of the request (RFC 9110, 14.1.2); "" for the whole clip.
    """
    headers = {"Accept-Ranges": "bytes", "Cache-Control": CACHE}
    unit, _, span = wanted.partition("=")
    first, dash, last = span.partition("-")
    asks = unit.strip() == "bytes" and dash and first.isdecimal() and "," not in span
    if not asks or len(span) > _LONGEST:
        return Response(content, media_type=MIME, headers=headers)
    begin = int(first)
    end = min(int(last), len(content) - 1) if last.isdecimal() else len(content) - 1
    if begin > end:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {begin}-{end}/{len(content)}"
    return Response(content[begin : end + 1], status_code=206, media_type=MIME, headers=headers)
