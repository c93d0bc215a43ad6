"""Every example in a docstring runs as a reader pastes it, and every public name of `mess` has one.

An example may write files: it runs in an empty folder. What names the demo library finds one.
"""

import ast
import doctest
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import mess

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): text
    for folder in ("mess", "pipelines", "dashboard", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if ">>>" in (text := path.read_text(encoding="utf-8")) or "__all__" in text
}
WITH_EXAMPLES = [name for name, text in MODULES.items() if ">>>" in text]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_the_examples_of_a_module_run(
    module: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    examples = doctest.DocTestFinder(exclude_empty=True).find(import_module(module))
    lines = [line.source for one in examples for line in one.examples]
    if any('"demo"' in line or "Store()" in line for line in lines):
        library: Path = request.getfixturevalue("demo_library")
        monkeypatch.setenv("MESS_DATA", str(library))
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    told: list[str] = []
    for number, one in enumerate(examples):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        runner.run(one, out=told.append)
    assert not runner.failures, "".join(told)
    assert runner.tries


def test_no_example_is_skipped() -> None:
    assert not [module for module, text in MODULES.items() if "doctest: +SKIP" in text]


def _public(module: str) -> list[str]:
    tree = ast.parse(MODULES[module])
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


PUBLIC = sorted(
    {
        f"{module}.{name}"
        for module in MODULES
        if module.partition(".")[0] == "mess"
        for name in _public(module)
        if not name.isupper()
    }
)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    value = getattr(import_module(module), attribute)
    assert ">>>" in (inspect.getdoc(value) or ""), f"{name} has no example"


def test_the_public_interface_is_among_them() -> None:
    assert {f"mess.{name}" for name in mess.__all__ if not name.isupper()} <= set(PUBLIC)
