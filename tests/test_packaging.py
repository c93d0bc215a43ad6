"""A clean machine gets every package that the code imports."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("mess", "pipelines", "dashboard", "benchmarks", "docs", "tests")
_NAME = re.compile(r"[\w.-]+")


def declared() -> set[str]:
    """Return the distributions that pyproject.toml names, in any group."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lists = [
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ]
    lines = [line for one in lists for line in one if isinstance(line, str)]
    return {_normal(match[0]) for line in lines if (match := _NAME.match(line))}


def imported() -> dict[str, str]:
    """Return every top module that is imported, and a file that does so."""
    modules = {}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names = [node.module]
                else:
                    continue
                modules |= {name.partition(".")[0]: f"{path.relative_to(ROOT)}" for name in names}
    return modules


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_package_that_is_imported_is_declared() -> None:
    ours = {path.stem for path in (ROOT / "tests").rglob("*")} | set(FOLDERS)
    ours.add("_typeshed")  # stubs that every type checker brings
    distributions = packages_distributions()
    for module, path in imported().items():
        if module in sys.stdlib_module_names or module in ours:
            continue
        names = {_normal(name) for name in distributions.get(module, [module])}
        assert names & declared(), f"{path} imports {module}; pyproject.toml does not name it"


def test_every_declared_package_has_a_tested_version() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()[1:]
    pinned = {_normal(line.partition("==")[0]) for line in lines}
    assert declared() <= pinned | {"setuptools"}, declared() - pinned


def test_every_file_beside_the_code_is_packed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packed = {
        path
        for package, patterns in project["tool"]["setuptools"]["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    for folder in ("mess", "pipelines", "dashboard"):
        files = {path for path in (ROOT / folder).rglob("*") if path.is_file()}
        beside = {path for path in files if path.suffix not in (".py", ".pyc", ".pyi")}
        assert beside <= packed, sorted(map(str, beside - packed))
