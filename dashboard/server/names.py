"""Names over HTTP: the tracks that what is being typed may mean.

    /names?dataset=…&encoder=…&text=…          JSON, a list of {"id", "label"}

The browser gets a dozen names for each key, never the list of all.
"""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from dashboard import library, readers
from mess.errors import MessError

LIMIT = 12


def names_url(dataset: str, encoder: str) -> str:
    """Return the address, on this server, to which the typed text is added as ``&text=``."""
    return f"/names?{urlencode({'dataset': dataset, 'encoder': encoder})}"


def names(request: Request) -> JSONResponse:
    """Answer with the tracks that match a text."""
    asked = request.query_params
    dataset = asked.get("dataset", "")
    try:
        encoder = library.known_encoder(dataset, asked.get("encoder", ""))
        found = readers.names(dataset, encoder).find(asked.get("text", ""), limit=LIMIT)
        tracks = readers.tracks(dataset, encoder)
    except MessError as error:
        return JSONResponse({"error": readers.told(error)}, status_code=404)
    return JSONResponse([{"id": track, "label": tracks[track].label} for track in found])


ROUTES = [Route("/names", names)]
