"""Who can reach the dashboard: every route, attacked as a foreign host, origin and frame."""

import http.client
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser_server import PATIENCE, REPOSITORY

WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
FOREIGN_HOSTS = (
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1.evil.example:{port}",
    "localhost.evil.example",
    "user@127.0.0.1:{port}",
    "127.0.0.1:{port}/evil.example",
    "[::1].evil.example",
    "169.254.1.1:{port}",
    "0.0.0.0:{port}",
    "",
)
FOREIGN_ORIGINS = (
    "http://evil.example",
    "http://127.0.0.1:1",  # another server of this machine
    "http://127.0.0.1.evil.example:{port}",
    "http://127.0.0.1:{port}.evil.example",
    "http://127.0.0.1:{port}@evil.example",
    "null",  # a sandboxed frame, a file
    "file://",
    "",
)
PRINT_ROUTES = """
from dashboard.Home import app
from dashboard.server.start import MODULES, code
later = [route for module in MODULES.values() for route in code(module).ROUTES]
for route in [*app._build_starlette_app().routes, *later]:
    print("route", route.path or "/")
"""


@pytest.fixture(scope="module")
def routes() -> list[str]:
    """Every path that the server answers, its own and Streamlit's, with names filled in."""
    told = subprocess.run(
        [sys.executable, "-c", PRINT_ROUTES],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.findall(r"^route (\S+)$", told, re.MULTILINE)
    paths = {re.sub(r"\{[^}]*\}", "x", path) for path in found}
    ours = {
        "/sounds/clip",
        "/sounds/peaks",
        "/sounds/spectrogram",
        "/names",
        "/jobs/now",
        "/report",
        "/api/v1",
        "/api/v1/recommend",
        "/api/v1/clip",
        "/listening/answer",
    }
    theirs = {"/_stcore/health", "/_stcore/stream", "/_stcore/upload_file/x/x", "/media/x"}
    assert ours | theirs <= paths
    return sorted(paths | {"/", "/recommend", "/static/js/none.js", "/no/such/page"})


def ask(
    address: str, path: str, *, method: str = "GET", host: str | None = None, **headers: str
) -> tuple[int, dict[str, str], str]:
    """Send one request as it is; return status, headers and the beginning of the text."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", urlsplit(address).netloc if host is None else host)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    found = {name.lower(): value for name, value in answer.getheaders()}
    text = "" if answer.status == 101 else answer.read(2000).decode(errors="replace")
    connection.close()
    return answer.status, found, text


def dressed(headers: dict[str, str]) -> bool:
    return (
        "frame-ancestors 'none'" in headers.get("content-security-policy", "")
        and headers.get("x-frame-options") == "DENY"
        and headers.get("x-content-type-options") == "nosniff"
        and headers.get("referrer-policy") == "same-origin"
        and headers.get("cross-origin-resource-policy") == "same-origin"
    )


def filled(texts: tuple[str, ...], address: str) -> list[str]:
    return [text.replace("{port}", str(urlsplit(address).port)) for text in texts]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_no_route_answers_a_foreign_host_or_origin(
    empty_dashboard: str, routes: list[str], method: str
) -> None:
    most = None if method == "GET" else 2
    for path in routes:
        for host in filled(FOREIGN_HOSTS, empty_dashboard)[:most]:
            status, headers, text = ask(empty_dashboard, path, method=method, host=host)
            assert status in (400, 403), (path, host)
            if status == 403:
                assert dressed(headers), (path, host)
                assert method == "HEAD" or ("MESS_HOSTS=" in text and text.count("\n") == 1)
        for origin in filled(FOREIGN_ORIGINS, empty_dashboard)[:most]:
            status, headers, _ = ask(empty_dashboard, path, method=method, Origin=origin)
            assert status == 403 and dressed(headers), (path, origin)
        own = ask(empty_dashboard, path, method=method, Origin=empty_dashboard)
        assert "does not answer" not in own[2], path
        assert dressed(own[1]), (path, own)


def test_every_route_refuses_to_be_embedded_by_another_site(
    empty_dashboard: str, routes: list[str]
) -> None:
    for path in routes:
        for site in ("cross-site", "same-site"):
            for mode, goal in (("no-cors", "audio"), ("cors", "empty"), ("navigate", "iframe")):
                fetch = {
                    "Sec_Fetch_Site": site, "Sec_Fetch_Mode": mode, "Sec_Fetch_Dest": goal,
                }  # fmt: skip
                status, headers, _ = ask(empty_dashboard, path, **fetch)
                assert status == 403 and dressed(headers), (path, fetch)
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert ask(empty_dashboard, "/", Sec_Fetch_Dest="document", **link)[0] == 200


def test_the_websocket_opens_for_its_own_page_alone(empty_dashboard: str) -> None:
    def shake(**headers: str) -> int:
        names = {name.replace("-", "_"): value for name, value in WEBSOCKET.items()}
        return ask(empty_dashboard, "/_stcore/stream", **names, **headers)[0]

    port = urlsplit(empty_dashboard).port
    assert shake(Origin=empty_dashboard) == 101
    assert shake(Origin=f"http://localhost:{port}", host=f"localhost:{port}") == 101
    assert shake(Origin=f"http://[::1]:{port}", host=f"[::1]:{port}") == 101
    for origin in filled(FOREIGN_ORIGINS, empty_dashboard):
        assert shake(Origin=origin) == 403, origin
    for host in filled(FOREIGN_HOSTS, empty_dashboard):
        assert shake(Origin=f"http://{host}", host=host) in (400, 403), host
    # Behind a proxy that ends TLS the origin has another scheme.
    assert shake(Origin="https://mess.test", host="mess.test") == 101
    assert shake(Origin="https://evil.test", host="mess.test") == 403


class _Evil(BaseHTTPRequestHandler):
    """Another site: a page that frames the dashboard and asks it for all that it can."""

    target = ""

    def do_GET(self) -> None:
        page = f"""<!doctype html><title>evil</title><iframe src="{self.target}"></iframe>
            <script>
            const asked = Promise.all(["/jobs/now", "/names?dataset=demo&encoder=spectral&text=a"]
                .map(path => fetch("{self.target}" + path).then(a => a.text(), () => "refused")));
            const opened = new Promise(done => {{
                const socket = new WebSocket("{self.target}/_stcore/stream".replace(/^http/, "ws"),
                                             ["streamlit"]);
                socket.onopen = () => done("open");
                socket.onerror = () => done("refused");
            }});
            </script>"""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def evil(empty_dashboard: str) -> Iterator[str]:
    handler = type("Handler", (_Evil,), {"target": empty_dashboard})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://evil.test:{server.server_port}"
    server.shutdown()


def test_another_site_in_a_real_browser_gets_nothing(
    visit: Callable[..., Any], empty_dashboard: str, evil: str
) -> None:
    page = visit()
    page.goto(evil)
    assert page.evaluate("() => asked") == ["refused", "refused"]
    assert page.evaluate("() => opened") == "refused"
    frames = [frame.content() for frame in page.frames[1:]]
    assert len(frames) == 1 and "stApp" not in frames[0] and "root" not in frames[0]
    port = urlsplit(empty_dashboard).port
    page.goto(f"http://rebound.test:{port}/")  # a name that was made to mean this machine
    shown = page.locator("body").inner_text()
    assert "MESS_HOSTS=rebound.test" in shown and len(shown.splitlines()) == 1
    page.goto(f"http://mess.test:{port}/")  # a name that was configured
    page.get_by_test_id("stMain").get_by_role("heading", level=1).wait_for()
