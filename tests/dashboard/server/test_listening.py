"""The routes of blind listening: a session is asked, heard and answered, and tells nothing else."""

import asyncio
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import soundfile
from starlette.requests import Request
from starlette.responses import Response

from dashboard.server import listening
from mess.audio.loudness import measure_loudness
from mess.listening.planning import make_plan
from mess.records.listening import ListeningPlan
from mess.storage.store import Store


@pytest.fixture(scope="module")
def plan(demo_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ListeningPlan]:
    """A plan in a data root over the recordings of the demo library, which the routes serve."""
    root = tmp_path_factory.mktemp("listening")
    for name in ("audio", "processed"):
        (root / name).symlink_to(demo_library / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESS_DATA", str(root))
        found, _ = make_plan(Store(), "demo", "spectral", aspects=["brightness"], items=18)
        Store().listening.add(found)
        yield found


def get(route: Any, headers: dict[str, str] | None = None, **asked: object) -> Response:
    encoded = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    query = urlencode(asked).encode()
    scope = {"type": "http", "method": "GET", "headers": encoded, "query_string": query}
    answer: Response = route(Request(scope))
    return answer


def post(route: Any, content: object) -> tuple[int, dict[str, Any]]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return messages.pop(0)

    scope = {"type": "http", "method": "POST", "headers": [], "query_string": b""}
    with ThreadPoolExecutor(1) as pool:  # the thread of the tests may have a loop of Playwright's
        answer = pool.submit(asyncio.run, route(Request(scope, receive))).result()
    return answer.status_code, json.loads(bytes(answer.body))


def heard(address: str, headers: dict[str, str] | None = None) -> Response:
    return get(listening.sound, headers, **dict(parse_qsl(urlsplit(address).query)))


def test_a_session_is_asked_heard_answered_and_goes_on_after_a_reload(plan: ListeningPlan) -> None:
    status, state = post(listening.begin, {"plan": plan.id})
    assert status == 200 and (state["done"], state["total"]) == (0, 24)
    assert state["trial"]["word"] == "brightness" and state["trial"]["number"] == 0
    for address in state["trial"]["sounds"].values():
        answer = heard(address)
        assert answer.status_code == 200 and answer.media_type == "audio/flac"
        samples, rate = soundfile.read(io.BytesIO(bytes(answer.body)))
        assert measure_loudness(samples, rate).lufs == pytest.approx(-23, abs=0.6)
    part = heard(state["trial"]["sounds"]["x"], {"range": "bytes=0-99"})
    assert part.status_code == 206 and len(bytes(part.body)) == 100
    said = {"session": state["session"], "answer": "A", "seconds": 9.5, "plays": {"x": 1, "a": 2}}
    for trial in range(3):
        _, state = post(listening.answer, said | {"trial": trial})
    _, again = post(listening.answer, said | {"trial": 1, "answer": "B"})  # of another tab, say
    assert again == state
    now = json.loads(bytes(get(listening.now, session=state["session"]).body))
    assert now == state and (now["done"], now["trial"]["number"]) == (3, 3)
    kept = Store().listening.answers_of(state["session"])
    assert [(one.position, one.answer, one.seconds) for one in kept] == [
        (0, "A", 9.5), (1, "A", 9.5), (2, "A", 9.5),
    ]  # fmt: skip
    for trial in range(3, 24):
        _, state = post(listening.answer, said | {"trial": trial, "answer": "0"})
    assert state["trial"] is None and state["done"] == 24
    _, second = post(listening.begin, {"plan": plan.id, "listener": state["listener"]})
    assert second["listener"] == state["listener"] and second["session"] != state["session"]


def test_nothing_that_the_browser_gets_tells_the_recording_the_method_or_the_kind(
    plan: ListeningPlan,
) -> None:
    tracks = {one.track for item in plan.items for one in (item.x, item.a, item.b)}
    works = {one.work for item in plan.items for one in (item.x, item.a, item.b)}
    _, state = post(listening.begin, {"plan": plan.id})
    told = []
    for trial in range(24):
        told.append(json.dumps(state))
        said = {"session": state["session"], "trial": trial, "answer": "A", "seconds": 1}
        _, state = post(listening.answer, said)
    everything = " ".join(told)
    assert all(name not in everything for name in (*tracks, *works, *(i.id for i in plan.items)))
    for word in ("check", "repeat", "margin", "measured", "layer", "swapped", "seed", "demo"):
        assert word not in everything
    shapes = {tuple(json.loads(one)["trial"]) for one in told}
    assert len(shapes) == 1  # a check looks like any other trial


def test_the_sounds_of_a_check_are_the_same_but_not_their_addresses(plan: ListeningPlan) -> None:
    _, state = post(listening.begin, {"plan": plan.id})
    session = Store().listening.session(state["session"])
    assert session is not None
    place = next(n for n, trial in enumerate(session.trials) if trial.kind == "check")
    sounds = {
        part: bytes(get(listening.sound, session=session.id, trial=place, part=part).body)
        for part in "xab"
    }
    assert (sounds["a"] == sounds["x"]) != (sounds["b"] == sounds["x"])


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b"\xff", b'{"plan": 3}', b"[" * 3000, {"plan": "nobody"}, {"session": "x"}],
)
def test_a_request_that_is_not_understood_gets_one_line(
    plan: ListeningPlan, content: object
) -> None:
    for route in (listening.begin, listening.answer):
        status, told = post(route, content)
        assert status == 404 and "\n" not in told["error"]


def test_what_is_too_long_implausible_or_nowhere_is_refused(plan: ListeningPlan) -> None:
    assert post(listening.answer, b" " * 5000)[0] == 413
    _, state = post(listening.begin, {"plan": plan.id, "listener": "Eve <b>"})
    assert state["listener"] != "Eve <b>"  # a random number or none
    said = {"session": state["session"], "trial": 0, "answer": "A", "seconds": 3.0}
    for wrong in ({"trial": 99}, {"trial": -1}, {"answer": "C"}, {"seconds": -1}, {"seconds": 1e9}):
        assert post(listening.answer, said | wrong)[0] == 404, wrong
    assert Store().listening.answers_of(state["session"]) == []
    for asked in (
        {"session": "../../etc", "trial": "0", "part": "x"},
        {"session": state["session"], "trial": "0", "part": "y"},
        {"session": state["session"], "trial": "9" * 30, "part": "x"},
        {"session": "0" * 32, "trial": "0", "part": "x"},
    ):
        assert get(listening.sound, **asked).status_code == 404
