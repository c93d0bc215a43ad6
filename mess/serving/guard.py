"""Who may ask this server: the person at this machine, and nobody through their browser.

A name that somebody else owns can be made to mean 127.0.0.1, any page can send requests to this
machine, and any page can put another one into a frame. So every request says by which name it was
addressed (Host), and a browser says which page sent it (Origin, Sec-Fetch-Site): what does not
belong to this server is refused, on every route, Streamlit's own and its websocket included.

The names of this machine are trusted. ``MESS_HOSTS`` adds others, with commas between, without
ports: what a network calls the server, or a reverse proxy, which must hand on the Host.
"""

import os
import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SETTING = "MESS_HOSTS"
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?")
_POLICY = "Content-Security-Policy"
HEADERS = {
    _POLICY: "frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # The address names what is looked at, an upload's token included: no other site hears of it.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def trusted_hosts(environment: Mapping[str, str] = os.environ) -> frozenset[str]:
    """Return the names by which this server may be addressed.

    >>> sorted(trusted_hosts({"MESS_HOSTS": "mess.example.org, [fd00::7]"}) - LOCAL)
    ['fd00::7', 'mess.example.org']
    """
    named = environment.get(SETTING, "").lower().split(",")
    return LOCAL | {name for one in named if (name := one.strip().strip("[]").rstrip("."))}


def host_name(text: str) -> str:
    """Return the name in a Host header or an address, without its port; "" if there is none.

    >>> host_name("LOCALHOST:8501"), host_name("[::1]:80"), host_name("a@b"), host_name("")
    ('localhost', '::1', '', '')
    """
    found = _HOST.fullmatch(text.strip().lower())
    return found[1].strip("[]").rstrip(".") if found else ""


def refusal(headers: Headers, *, named: Collection[str]) -> str | None:
    """Return in one line why a request is refused, None if it is not.

    Parameters
    ----------
    headers : Headers
        Of the request.
    named : collection of str
        The hosts that are trusted.
    """
    hosts = headers.getlist("host")
    host = host_name(hosts[0]) if len(hosts) == 1 else ""
    if host not in named:
        shown = host[:80] or "NAME"
        return (
            "This name is not trusted, so the server does not answer: to use it, start the "
            f"server with {SETTING}={shown}"
        )
    origins = headers.getlist("origin")
    if not all(_is_own(origin, hosts[0]) for origin in origins):
        return "Another site sent this request, so the server does not answer."
    # Without Origin come what a page embeds (pictures, sounds, scripts) and where a link leads.
    if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not origins:
        top = headers.get("sec-fetch-mode") == "navigate"
        if not top or headers.get("sec-fetch-dest") != "document":
            return "Another site embeds this, so the server does not answer."
    return None


def _is_own(origin: str, host: str) -> bool:
    """Tell whether a page of this server sent a request; another port is another site."""
    try:
        place = urlsplit(origin.lower()).netloc
    except ValueError:
        return False
    return bool(place) and place == host.strip().lower()


class Guard:
    """ASGI middleware: refuses what comes from elsewhere, and adds `HEADERS` to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or open one websocket."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                own = headers.get(_POLICY)  # a document may forbid more, never less
                headers.update(HEADERS)
                if own:
                    headers[_POLICY] = f"{own}; {HEADERS[_POLICY]}"
            await send(message)

        reason = refusal(Headers(scope=scope), named=trusted_hosts())
        if reason is not None:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": reason[:120]})
                return
            await PlainTextResponse(f"{reason}\n", status_code=403)(scope, receive, dressed)
            return
        try:
            await self.app(scope, receive, dressed)
        except Exception:
            if scope["type"] == "http" and not started:
                text = "The server failed over this request; its log says why.\n"
                await PlainTextResponse(text, status_code=500)(scope, receive, dressed)
            raise
