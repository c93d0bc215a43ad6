"""Requests to the API, through the whole server: guard, routes, answer."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from starlette.types import Message

from mess.serving.answers import Problem
from mess.serving.api import server
from mess.serving.endpoints import PREFIX

OF = {"dataset": "demo", "encoder": "spectral"}
APP = server()


class Answer:
    """What the server said to one request."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def json(self) -> Any:
        return json.loads(self.body, parse_constant=pytest.fail)  # NaN is no JSON

    @property
    def error(self) -> str:
        return msgspec.json.decode(self.body, type=Problem).error


def ask(path: str, *pairs: tuple[str, object], method: str = "GET", **asked: object) -> Answer:
    """Send one request through the whole server: guard, routes, answer."""
    told: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        told.append(message)

    headers = {"host": "127.0.0.1:8502", **{k: str(v) for k, v in asked.pop("headers", {}).items()}}
    query = urlencode([*asked.items(), *pairs], doseq=True, errors="surrogatepass")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "server": ("127.0.0.1", 8502),
        "path": path if path.startswith("/") else f"{PREFIX}/{path}",
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    with ThreadPoolExecutor(1) as pool:  # the thread of the tests may have a loop of Playwright's
        pool.submit(asyncio.run, APP(scope, receive, send)).result()
    found = {k.decode(): v.decode() for k, v in told[0]["headers"]}
    return Answer(told[0]["status"], found, b"".join(one.get("body", b"") for one in told[1:]))
