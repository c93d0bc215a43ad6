"""Which room may import which: the arrows of docs/architecture.md, held.

A room is a package below `mess/` or `dashboard/`, a module beside them, or all of `pipelines/`.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.building.drawings import IMAGES, drawings
from docs.building.rooms import read_rooms

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LIBRARIES = ("mess", "pipelines", "dashboard")
HEIGHT = {room.module: room.floor for room in read_rooms(PAGE)}
HEAVY = ("torch", "transformers", "librosa", "mlflow", "sklearn", "scipy", "pandas", "pyarrow")


def room_of(module: str) -> str:
    """Return the room of a module: the longest room whose name it begins with."""
    return max(
        (room for room in HEIGHT if f"{module}.".startswith(f"{room}.")), key=len, default=""
    )


def modules() -> dict[str, Path]:
    """Return the path of every module of the three libraries."""
    paths = (path for library in LIBRARIES for path in (ROOT / library).rglob("*.py"))
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths}
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


MODULES = modules()


def imports(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Yield each module that is imported, and whether that happens when the file is loaded."""
    at_load = {id(node) for node in _outside_functions(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in at_load) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (whole if whole in MODULES else node.module), id(node) in at_load


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _outside_functions(child)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_room_imports_only_rooms_below_it(module: str) -> None:
    room = room_of(module)
    if (
        module in LIBRARIES
    ):  # the package itself offers what its rooms hold, and loads it when asked
        return
    assert room, f"{module} is in no room of this test and of docs/architecture.md"
    for name, _ in imports(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if name.split(".")[0] not in LIBRARIES:
            continue
        assert name not in LIBRARIES, f"{module} takes from {name} what one of its rooms holds"
        other = room_of(name)
        assert room == other or HEIGHT[other] < HEIGHT[room], f"{module} imports {name}"


def test_the_dashboard_starts_pipelines_and_never_imports_them() -> None:
    for module, path in MODULES.items():
        if module.startswith("dashboard"):
            names = {name for name, _ in imports(ast.parse(path.read_text(encoding="utf-8")))}
            assert not [name for name in names if name.split(".")[0] == "pipelines"], module


def test_no_page_loads_a_heavy_library() -> None:
    code = "import sys, dashboard.entrypoint.page, dashboard.server.start; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert {"dashboard.pages.discovery", "mess.storage.store"} <= set(loaded)
    assert not set(HEAVY) & set(loaded)


def test_the_architecture_page_names_no_file_and_no_room_that_is_not_there() -> None:
    assert len(HEIGHT) > 20
    named = re.findall(r"`((?:mess|pipelines|dashboard|benchmarks|tests)/[\w/.]*)`", PAGE)
    for name in named:
        assert (ROOT / name).exists(), name


def test_the_pictures_are_those_of_the_page() -> None:
    for name, content in drawings().items():
        written = (IMAGES / name).read_text(encoding="utf-8")
        assert written == content, f"{name} is old: run python -m docs.building.drawings"
