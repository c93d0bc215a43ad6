"""The scripts of a component are joined from files: what one needs is there, and nothing twice."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from dashboard.components import browser_code

_HERE = Path(browser_code.__file__).parent
_FOREIGN = {"regl_scatterplot"}
_NAMES = re.compile(r"^(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
_MAKES = re.compile(r"(?<![.\w])element\(")


def _components() -> dict[str, tuple[str, ...]]:
    """Return the scripts of each component, as its module names them."""
    found = {}
    for path in _HERE.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "component":
                (scripts,) = (one.value for one in call.keywords if one.arg == "scripts")
                named = compile(ast.Expression(scripts), path.name, "eval")
                found[ast.literal_eval(call.args[0])] = eval(named, vars(browser_code))  # noqa: S307
    return found


def _text(script: str) -> str:
    return (_HERE / f"{script}.js").read_text(encoding="utf-8")


def test_all_components_are_found() -> None:
    assert {"player", "running", "heatmap", "figure_buttons"} <= set(_components())


@pytest.mark.parametrize("name", _components())
def test_scripts_have_what_they_need_and_nothing_twice(name: str) -> None:
    scripts = _components()[name]
    named = Counter(
        one for script in scripts if script not in _FOREIGN for one in _NAMES.findall(_text(script))
    )
    assert max(named.values(), default=1) == 1, named.most_common(3)
    for place, script in enumerate(scripts):
        if script not in _FOREIGN and _MAKES.search(_text(script)):
            assert "elements" in scripts[: place + 1], f"{script} makes elements"


def test_elements_are_made_in_one_place() -> None:
    makers = {
        path.stem
        for path in _HERE.glob("*.js")
        if "createElement(" in path.read_text(encoding="utf-8")
    }
    assert makers - _FOREIGN == {"elements"}
