"""The page that the browser gets first, and the heatmap that it fetches while Streamlit starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboard.first_view.heatmap import ROUTES
from dashboard.first_view.page import PAGES
from dashboard.titles import TITLES
from mess.storage.store import Store
from mess.targets import title_of

ROOT = Path(__file__).parents[3]


@pytest.fixture
def client(demo_library: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Ask the routes alone: Streamlit can be started once in a process."""
    monkeypatch.setenv("MESS_DATA", str(demo_library))
    return TestClient(Starlette(routes=[*PAGES, *ROUTES]))


@pytest.mark.parametrize("path", TITLES)
def test_every_page_begins_with_its_title_and_is_streamlits_page(
    client: TestClient, path: str
) -> None:
    answer = client.get(f"/{path}")
    assert answer.status_code == 200
    assert f"<h1>{TITLES[path]}</h1>" in answer.text
    assert '<div id="root"></div>' in answer.text, "Streamlit draws here"
    assert "./static/js/index." in answer.text
    assert answer.text.count("</body>") == 1
    assert answer.headers["cache-control"] == "no-cache", "another version has other scripts"


def test_only_the_page_with_a_heatmap_fetches_one(client: TestClient) -> None:
    having = [path for path in TITLES if "class Heatmap" in client.get(f"/{path}").text]
    assert having == ["discovery"]


def test_the_heatmap_is_that_of_the_discovery(client: TestClient, demo_library: Path) -> None:
    table = client.get("/first-view?dataset=demo&encoder=spectral").json()["table"]
    assert client.get("/first-view").json()["table"] == table, "what a first visit shows"
    record = Store(demo_library).discoveries.read("demo", "spectral", level="track")
    shown = {
        (row["label"], layer): cell["text"]
        for row in table["rows"]
        for layer, cell in enumerate(row["cells"][: table["apart"]])
    }
    known = [cell for cell in record.cells if cell.r2 is not None]
    assert len(known) > 100
    for cell in known:
        assert float(shown[title_of(cell.target), cell.layer]) == pytest.approx(cell.r2, abs=0.006)


def test_the_heatmap_is_that_of_the_address(client: TestClient) -> None:
    usual = client.get("/first-view").json()["table"]
    ranks = client.get("/first-view?value=spearman").json()["table"]
    assert ranks["scale"]["title"] != usual["scale"]["title"]
    bright = client.get("/first-view?grey=no").json()["table"]
    assert bright["scale"]["grey"] != usual["scale"]["grey"]


@pytest.mark.parametrize(
    "asked",
    [
        "tab=Layers",
        "dataset=../demo",
        "dataset=nothing",
        "encoder=mert-v1-95m",
        "encoder=%00",
        "level=segment",
        "level=year",
        "value=r3",
    ],
)
def test_where_the_page_shows_no_heatmap_there_is_none(client: TestClient, asked: str) -> None:
    answer = client.get(f"/first-view?{asked}")
    assert (answer.status_code, answer.json()) == (200, {"table": None})


def test_to_answer_it_imports_nothing(demo_library: Path) -> None:
    """`dashboard.server.start` lets it answer while another thread still imports."""
    code = (
        "import sys, streamlit.web.cli, dashboard.Home\n"
        "from starlette.requests import Request\n"
        "from dashboard.first_view.heatmap import first_heatmap\n"
        "before = set(sys.modules)\n"
        "asked = Request({'type': 'http', 'query_string': b'', 'headers': []})\n"
        "assert len(first_heatmap(asked).body) > 1000\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"MESS_DATA": str(demo_library)},
    )
    assert found.stdout.split() == []
