"""The API as routes of a server: `/api/v1/…`, read-only.

    /api/v1                    the page that describes it
    /api/v1/openapi.json       the OpenAPI document
    /api/v1/recommend?…        one of `mess.serving.endpoints`

The dashboard's server has these routes beside its pages. `mess serve` has them alone. Both stand
behind `mess.serving.guard`.
"""

from contextlib import suppress
from functools import cache, partial

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from mess.as_json import as_json
from mess.errors import ArtifactError, ArtifactMissing, MessError, UnknownName, without_places
from mess.serving.answers import Problem
from mess.serving.clips import clip_answer
from mess.serving.description import openapi
from mess.serving.endpoints import ENDPOINTS, PREFIX, Endpoint
from mess.serving.guard import Guard
from mess.serving.page import POLICY, page
from mess.serving.parameters import read_parameters
from mess.storage.held import NotHeld, only_held
from mess.storage.store import Store

_JSON = "application/json"
_FRESH = {"Cache-Control": "no-store"}
_ALLOWED = {"Allow": "GET, HEAD, OPTIONS"}


def answer(endpoint: Endpoint, request: Request, store: Store) -> Response:
    """Answer one question."""
    try:
        asked = read_parameters(endpoint.asked, request.query_params)
        found = endpoint.ask(store, asked)
    except MessError as error:
        return problem(without_places(str(error), store.root), status=status_of(error))
    if isinstance(found, bytes):
        return clip_answer(found, asked=request.headers)
    return Response(as_json(found), media_type=_JSON, headers=_FRESH)


async def answer_soon(endpoint: Endpoint, request: Request) -> Response:
    """Answer one question: here if it takes milliseconds and nothing is read, else in a thread.

    Threads that compute only take turns at Python's lock: four of them need more than twice the
    time of one. And a server at an address (`Store.is_elsewhere`) may keep a question waiting.
    """
    store = Store()
    if endpoint.quick and not store.is_elsewhere:
        with suppress(NotHeld), only_held():
            return answer(endpoint, request, store)
    return await run_in_threadpool(answer, endpoint, request, store)


def status_of(error: MessError) -> int:
    """Return the status of HTTP that says what kind of error it is.

    >>> status_of(UnknownName("track", "x", [])), status_of(MessError("n: give it once"))
    (404, 400)
    """
    if isinstance(error, UnknownName | ArtifactMissing):
        return 404
    return 409 if isinstance(error, ArtifactError) else 400


def problem(text: str, *, status: int) -> Response:
    """Return an error as JSON with one line."""
    line = " ".join(text.split())
    return Response(as_json(Problem(error=line)), status, media_type=_JSON, headers=_FRESH)


def describe(_request: Request) -> Response:
    """Answer with the page that describes the API."""
    return HTMLResponse(page(), headers={"Content-Security-Policy": POLICY})


@cache
def _document() -> bytes:
    return as_json(openapi())


def document(_request: Request) -> Response:
    """Answer with the OpenAPI document."""
    return Response(_document(), media_type=_JSON)


class Otherwise:
    """Answers what no route does: no such path, or a method that would write."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._answer(Request(scope))(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        known = {*_DOCUMENTS, *(f"{PREFIX}{one.path}" for one in ENDPOINTS)}
        path, method = request.url.path, request.method
        if path not in known:
            return problem(str(UnknownName("path", path, known)), status=404)
        if method == "OPTIONS":
            return Response(status_code=204, headers=_ALLOWED)
        answer = problem(f"{method[:20]}: nothing is written here; ask with GET", status=405)
        answer.headers.update(_ALLOWED)
        return answer


def _route(endpoint: Endpoint) -> Route:
    return Route(f"{PREFIX}{endpoint.path}", partial(answer_soon, endpoint), methods=["GET"])


_DOCUMENTS = {PREFIX: describe, f"{PREFIX}/": describe, f"{PREFIX}/openapi.json": document}
ROUTES = [
    *(Route(path, answered, methods=["GET"]) for path, answered in _DOCUMENTS.items()),
    *map(_route, ENDPOINTS),
    Route("/api/{path:path}", Otherwise()),
]


def server() -> Starlette:
    """Return a server of the API alone."""
    home = Route("/", lambda _request: RedirectResponse(PREFIX))
    elsewhere = Route("/{path:path}", Otherwise())
    return Starlette(routes=[home, *ROUTES, elsewhere], middleware=[Middleware(Guard)])
