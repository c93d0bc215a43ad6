"""The server listens before the code of its pages is imported, and every route is found by then."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from starlette.routing import Match, Route
from starlette.testclient import TestClient

from dashboard.Home import app
from dashboard.server import start

ROOT = Path(__file__).parents[3]
_OF_MODULES = [
    (route.path, module)
    for module in start.MODULES.values()
    for route in import_module(module).ROUTES
]


@pytest.mark.parametrize(("path", "module"), _OF_MODULES)
def test_a_route_of_a_module_is_answered_by_that_module(path: str, module: str) -> None:
    scope = {"type": "http", "path": path, "method": "GET", "headers": []}
    found = [one for one in start.ROUTES if one.matches(scope)[0] is not Match.NONE]
    assert [start.MODULES[one.path] for one in found if isinstance(one, Route)] == [module]


def test_every_module_that_has_routes_is_in_the_table() -> None:
    files = [*(ROOT / "dashboard").rglob("*.py"), ROOT / "mess" / "serving" / "api.py"]
    having = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in files
        if "\nROUTES = " in file.read_text(encoding="utf-8")
    }
    assert having - {"dashboard.server.start"} == set(start.MODULES.values())


def test_the_server_needs_no_page_to_listen() -> None:
    code = "import sys, dashboard.Home; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert "mess.serving.guard" in loaded
    assert not [name for name in loaded if name.startswith(("dashboard.pages", "mess.storage"))]


def test_code_that_cannot_be_imported_says_so_where_it_is_asked_for() -> None:
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/names?dataset=none").status_code < 500
        assert client.get("/sounds/nothing").status_code == 404
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        start.code("dashboard.nowhere")
