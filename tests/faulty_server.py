"""A real HTTP server on this machine whose answers go wrong as a test wants."""

import hashlib
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DROP = "drop"  # half of what was asked for, then the connection breaks
WRONG = "wrong"  # the right number of wrong bytes
SILENT = "silent"  # half of what was asked for, then nothing until the test ends
BUSY = "busy"  # 503


class FaultyServer:
    """What the server has, what goes wrong, and what it was asked for.

    Attributes
    ----------
    files : dict of str to bytes
        By path.
    faults : deque of str
        What goes wrong with the next requests that have a body, one each.
    parts : bool
        Whether it sends parts of a file.
    asked : list of (path, range or None)
    sent : int
        Bytes of all bodies.
    headers : dict of str to dict
        More headers, by path.
    reached : Event
        Set when a silent answer has sent its half.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: deque[str] = deque()
        self.parts = True
        self.asked: list[tuple[str, str | None]] = []
        self.sent = 0
        self.headers: dict[str, dict[str, str]] = {}
        self.reached, self.ended = threading.Event(), threading.Event()
        self.url = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: FaultyServer

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        site, path = self.site, self.path.partition("?")[0]
        wanted = self.headers.get("Range")
        content = site.files.get(path)
        fault = site.faults.popleft() if body and site.faults else ""
        if body:
            site.asked.append((path, wanted))
        if content is None or fault == BUSY:
            self.send_response(404 if content is None else 503)
            if content is None:
                self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        tag = f'"{hashlib.sha256(content).hexdigest()}"'
        first, end = 0, len(content)
        given = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted or "")
        whole = not (site.parts and given and self.headers.get("If-Range", tag) == tag)
        if not whole and given:
            if given[1]:
                first, end = int(given[1]), min(end, int(given[2] or end - 1) + 1)
            else:
                first = max(0, end - int(given[2]))
        part = content[first:end]
        self.send_response(200 if whole else 206)
        if not whole:
            self.send_header("Content-Range", f"bytes {first}-{end - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.send_header("ETag", tag)
        for name, value in site.headers.get(path, {}).items():
            self.send_header(name, value)
        self.end_headers()
        if not body:
            return
        if fault == WRONG:
            part = bytes(255 - byte for byte in part)
        if fault in (DROP, SILENT):
            part = part[: len(part) // 2]
            self.close_connection = True
        self.wfile.write(part)
        self.wfile.flush()
        site.sent += len(part)
        if fault == SILENT:
            site.reached.set()
            site.ended.wait(20)


@contextmanager
def faulty_server() -> Iterator[FaultyServer]:
    """Serve on a free port while the block runs."""
    site = FaultyServer()
    handler = type("Handler", (_Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield site
    finally:
        site.ended.set()
        server.shutdown()
        server.server_close()
