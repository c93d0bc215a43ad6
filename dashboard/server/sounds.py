"""Sounds over HTTP: parts of recordings, cut when a player asks for them, and how they look.

    /sounds/clip?dataset=…&encoder=…&track=…&start=…&seconds=…&level=…&like=… FLAC
    /sounds/peaks?…&bins=…                                             JSON, a list of numbers
    /sounds/spectrogram?…                                              PNG

``upload=TOKEN`` stands for dataset, encoder and track of a file that was handed over. Any other
name is looked up among the tracks that have features and is never used as a path. Nothing is
cut before somebody listens, and the last clips are kept. ``like=START,SECONDS`` gives a part the
gain that brings another part to the level.
"""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard import library, readers
from mess.errors import MessError
from mess.serving.clips import CACHE, Kept, clip_answer, cut
from mess.serving.tracks import recording_of

_MAX_BINS = 4000


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


_pictures = Kept(8 << 20)  # peaks and spectrograms: a hundred times smaller than clips


def recording_url(dataset: str, encoder: str, track: str) -> str:
    """Return the address of a recording, to which the place of a part of it is added."""
    return f"/sounds/clip?{urlencode({'dataset': dataset, 'encoder': encoder, 'track': track})}"


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
    path, version = recording_of(readers.store(), dataset, track)
    return path, version, start, seconds


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e6:
        raise MessError("start and seconds are numbers from 0")
    return value


def _level(text: str) -> float | None:
    """Return the loudness that is asked for in LUFS, None where none is."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 1.0
    if not -60 <= value <= 0:
        raise MessError("level is a loudness from -60 to 0 LUFS")
    return value


def _like(text: str) -> tuple[float, float] | None:
    """Return start and seconds of the part whose gain is taken, None where none is named."""
    if not text:
        return None
    first, _, length = text.partition(",")
    return _number(first), _number(length)


def _answer(make: Callable[[], bytes], media_type: str) -> Response:
    try:
        content = make()
    except MessError as error:
        return PlainTextResponse(readers.told(error), status_code=404)
    return Response(content, media_type=media_type, headers={"Cache-Control": CACHE})


def clip(request: Request) -> Response:
    """Answer with a part of a recording, as FLAC; a range of its bytes where one is asked for."""
    try:
        path, version, start, seconds = _part(request)
        level = _level(request.query_params.get("level", ""))
        like = _like(request.query_params.get("like", ""))
        content = cut(path, version=version, start=start, seconds=seconds, level=level, like=like)
    except MessError as error:
        return PlainTextResponse(readers.told(error), status_code=404)
    return clip_answer(content, asked=request.headers)


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
