"""Maps over HTTP: the points of one, the name of a point, and the script that draws them.

    /maps/points?dataset=…&encoder=…&layer=…&method=…&level=…     float32, x and y of each point
    /maps/name?…&row=…                                            text
    /maps/regl-scatterplot.js

A page asks for the points when it shows another map, and for a name when the pointer is on a point.
"""

from pathlib import Path
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from dashboard import library, readers
from mess.errors import MessError, UnknownName
from mess.maps import METHODS, fit_square
from mess.records.discovery import Level
from mess.records.map import MapPoints, MapRecord
from mess.serving.clips import CACHE

_SCRIPT = Path(__file__).parents[1] / "components" / "regl_scatterplot.js"
_LEVELS: dict[str, Level] = {"track": "track", "segment": "segment"}


def map_url(
    kind: str,
    *,
    dataset: str,
    encoder: str,
    layer: int,
    method: str,
    level: Level,
    version: float,
) -> str:
    """Return the address, on this server, of the points of a map or of the names of them.

    Parameters
    ----------
    kind : {"points", "name"}
    dataset, encoder : str
    layer : int
    method, level : str
    version : float
        The time of the map; another map has another address.
    """
    words = {
        "dataset": dataset,
        "encoder": encoder,
        "layer": layer,
        "method": method,
        "level": level,
        "version": _version(version),
    }
    return f"/maps/{kind}?{urlencode(words)}"


def points(request: Request) -> Response:
    """Answer with the points of a map, in a square from −1 to 1."""
    try:
        _, found = _map(request)
    except MessError as error:
        return PlainTextResponse(readers.told(error), status_code=404)
    content = fit_square(found.points).astype("<f4").tobytes()
    return Response(
        content, media_type="application/octet-stream", headers={"Cache-Control": CACHE}
    )


def name(request: Request) -> Response:
    """Answer with the name of a point."""
    try:
        record, found = _map(request)
        row = _whole(request.query_params.get("row", ""))
        if row >= len(found.track):
            raise MessError("no such point")
        place = record.tracks[int(found.track[row])], int(found.segment[row])
        tracks = readers.tracks(record.dataset, record.encoder)
    except MessError as error:
        return PlainTextResponse(readers.told(error), status_code=404)
    return PlainTextResponse(readers.row_name(tracks, *place), headers={"Cache-Control": CACHE})


def _version(time: float) -> str:
    return f"{time:.3f}"


def script(_: Request) -> Response:
    """Answer with the script that draws points."""
    return FileResponse(_SCRIPT, media_type="text/javascript", headers={"Cache-Control": CACHE})


def _map(request: Request) -> tuple[MapRecord, MapPoints]:
    asked = request.query_params
    dataset, method = asked.get("dataset", ""), asked.get("method", "")
    encoder = library.known_encoder(dataset, asked.get("encoder", ""))
    if method not in METHODS:
        raise UnknownName("method", method, list(METHODS))
    level = _LEVELS.get(asked.get("level", ""))
    if level is None:
        raise UnknownName("level", asked.get("level", ""), list(_LEVELS))
    layer = _whole(asked.get("layer", ""))
    now = readers.store().maps.modified(dataset, encoder, layer=layer, method=method, level=level)
    if now and asked.get("version", _version(now)) != _version(now):  # its rows are others
        raise MessError("the map was drawn again meanwhile: reload the page")
    return readers.map_of(dataset, encoder, layer=layer, method=method, level=level)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise MessError("layer and row are whole numbers from 0")
    return int(text)


ROUTES = [
    Route("/maps/points", points),
    Route("/maps/name", name),
    Route("/maps/regl-scatterplot.js", script),
]
