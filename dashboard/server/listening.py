"""Blind listening over HTTP: what a session asks next, its sounds, and the answers.

    POST /listening/begin      {"plan", "listener"} → the state of a new session
    GET  /listening/now        ?session=…                   → the state of a session
    GET  /listening/sound      ?session=…&trial=…&part=x    FLAC; the parts are x, a and b
    POST /listening/answer     {"session", "trial", "answer", "seconds", "plays"} → the state then

A session is known by its random number. Neither an address nor an answer tells which recording is
heard, what a method says, or whether a trial is a check or was there before. An answer is kept
before the next question is told.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dashboard import readers
from mess.errors import MessError
from mess.listening.sessions import begin_session, item_at, make_answer
from mess.listening.words import question_about
from mess.records.base import DoesNotFit, Record
from mess.records.listening import Choice, ListeningPlan, ListeningSession
from mess.serving.clips import Kept, clip_answer
from mess.serving.tracks import recording_of

_PARTS = ("x", "a", "b")
_MOST_BYTES = 4096  # of a request
_MOST_SECONDS = 86_400.0
_FRESH = {"Cache-Control": "no-store"}
_sounds = Kept(16 << 20)


@dataclass(frozen=True, kw_only=True)
class _Begin(Record):
    """Who begins a session of which plan."""

    plan: str
    listener: str = ""


@dataclass(frozen=True, kw_only=True)
class _Said(Record):
    """An answer as the browser sends it."""

    session: str
    trial: int
    answer: Choice
    seconds: float
    plays: dict[str, int] = field(default_factory=dict)


def _begin(asked: _Begin) -> dict[str, Any]:
    plan = readers.listening_plan(asked.plan)
    if plan is None:
        raise MessError("this plan is not here any more: load the page again")
    files = readers.store().listening
    listener = asked.listener if _is_random(asked.listener) else ""
    session = begin_session(plan, asked=files.times_asked(plan.id), listener=listener)
    files.add(session)
    return _state(plan, session)


def _answer(said: _Said) -> dict[str, Any]:
    plan, session = _find(said.session)
    if not 0 <= said.seconds <= _MOST_SECONDS or len(said.plays) > len(_PARTS):
        raise MessError("this answer is not plausible: load the page again")
    answer = make_answer(
        plan, session, said.trial, choice=said.answer, seconds=said.seconds, plays=said.plays
    )
    readers.store().listening.add(answer)  # a second answer to a trial changes nothing
    return _state(plan, session)


def _state(plan: ListeningPlan, session: ListeningSession) -> dict[str, Any]:
    """Return what a page shows of a session: the first trial without an answer."""
    done = {one.position for one in readers.store().listening.answers_of(session.id)}
    total = len(session.trials)
    rest = [position for position in range(total) if position not in done]
    state: dict[str, Any] = {
        "session": session.id,
        "listener": session.listener,
        "done": len(done),
        "total": total,
        "trial": None,
    }
    if rest:
        item = item_at(plan, session, rest[0])
        question = question_about(item.aspect)
        state["trial"] = {
            "number": rest[0],
            "word": question.word,
            "meaning": question.meaning,
            "sounds": {part: _sound_url(session.id, rest[0], part) for part in _PARTS},
        }
    return state


def _sound_url(session: str, trial: int, part: str) -> str:
    words = {"session": session, "trial": trial, "part": part}
    return f"/listening/sound?{urlencode(words)}"


def _find(session: str) -> tuple[ListeningPlan, ListeningSession]:
    found = readers.store().listening.session(session) if _is_random(session) else None
    plan = readers.listening_plan(found.plan) if found is not None else None
    if found is None or plan is None:
        raise MessError("this session is not here: begin a new one")
    return plan, found


def _is_random(text: str) -> bool:
    return 16 <= len(text) <= 32 and all(letter in "0123456789abcdef" for letter in text)


def _render(session: str, trial: str, part: str) -> bytes:
    from mess.listening.excerpts import render

    plan, found = _find(session)
    if part not in _PARTS or not trial.isdecimal() or len(trial) > 4:
        raise MessError("a sound is x, a or b of a trial")
    item = item_at(plan, found, int(trial))
    excerpt = {"x": item.x, "a": item.a, "b": item.b}[part]
    # Its message would name the recording.
    try:
        track = readers.tracks(plan.dataset, plan.encoder).get(excerpt.track)
        path, version = recording_of(readers.store(), plan.dataset, track)
    except MessError:
        raise MessError("this recording is not on this machine: tell who asked you") from None
    if readers.track_hashes(plan.dataset, plan.encoder).get(excerpt.track) != excerpt.sha256:
        raise MessError("this recording has changed since the test was planned: plan it again")
    try:
        return _sounds.get(
            (path, version, excerpt.start, item.level),
            lambda: render(path, excerpt, level=item.level),
        )
    except MessError:
        raise MessError("this recording cannot be read: tell who asked you") from None


def now(request: Request) -> Response:
    """Answer with the state of a session."""
    return _told(lambda: _state(*_find(request.query_params.get("session", ""))))


def sound(request: Request) -> Response:
    """Answer with an excerpt at the loudness of its triplet."""
    asked = request.query_params
    try:
        content = _render(*(asked.get(name, "") for name in ("session", "trial", "part")))
    except MessError as error:
        return Response(
            readers.told(error), status_code=404, media_type="text/plain", headers=_FRESH
        )
    # Without ranges, phones play nothing.
    return clip_answer(content, asked=request.headers)


async def begin(request: Request) -> Response:
    """Begin a session."""
    return await _posted(request, _Begin, _begin)


async def answer(request: Request) -> Response:
    """Keep an answer."""
    return await _posted(request, _Said, _answer)


async def _posted(request: Request, kind: Any, act: Callable[[Any], dict[str, Any]]) -> Response:
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > _MOST_BYTES:
            return JSONResponse({"error": "this request is too long"}, status_code=413)
    return await run_in_threadpool(_told, lambda: act(_read(bytes(content), kind)))


def _read(content: bytes, kind: Any) -> Any:
    import json

    try:
        return kind.from_json(json.loads(content))
    except (DoesNotFit, ValueError, RecursionError):
        raise MessError("this request is not understood: load the page again") from None


def _told(state: Callable[[], dict[str, Any]]) -> Response:
    try:
        return JSONResponse(state(), headers=_FRESH)
    except MessError as error:
        return JSONResponse({"error": readers.told(error)}, status_code=404, headers=_FRESH)


ROUTES = [
    Route("/listening/begin", begin, methods=["POST"]),
    Route("/listening/now", now),
    Route("/listening/sound", sound),
    Route("/listening/answer", answer, methods=["POST"]),
]
