"""What README says is what the commands printed, and its links lead somewhere."""

import doctest
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.results import describe_commands, fill
from mess.glossary import WORDS, as_markdown

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")


def test_every_figure_of_the_finding_was_printed_by_a_command() -> None:
    finding = README.partition("## The finding")[2].partition("\n## ")[0]
    figures = re.findall(r"[−-]?\d+\.\d+", finding)
    assert len(figures) >= 8
    for figure in figures:
        assert re.search(rf"(?<![\d.]){re.escape(figure.replace('−', '-'))}(?!\d)", RESULTS), figure


def test_the_first_page_is_short() -> None:
    assert len(README.splitlines()) <= 120


def test_links_between_the_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        text = page.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    now = fill(page, "commands", describe_commands())
    assert page == now, "run python -m benchmarks.results --only commands"


@pytest.mark.parametrize("name", ["rooms", "notebook", "pages"])
def test_the_examples_of_what_builds_the_site_are_right(name: str) -> None:
    result = doctest.testmod(import_module(f"docs.building.{name}"))
    assert result.attempted and not result.failed


def test_the_glossary_is_what_the_pages_show_and_its_links_lead_to_headings() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert page == as_markdown(), "run python -m mess.glossary > docs/glossary.md"
    method = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^## (.*)$", method, re.MULTILINE))
    assert {word.section for word in WORDS} - {""} <= headings
    names = [word.name for word in WORDS]
    assert len(names) == len(set(names))


def test_every_name_of_the_library_in_prose_leads_somewhere() -> None:
    texts = [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")]
    for library in ("mess", "pipelines", "dashboard"):
        texts += (ROOT / library).rglob("*.py")
    for path in texts:
        for name in re.findall(r"`(mess\.[A-Za-z_][\w.]*\w)", path.read_text(encoding="utf-8")):
            assert _leads_somewhere(name), f"{path.relative_to(ROOT)}: {name}"


@cache
def _leads_somewhere(name: str) -> bool:
    """Tell whether a dotted name is a module, or a name within one."""
    module, rest = name, ""
    while module and not _module_file(module):
        module, _, last = module.rpartition(".")
        rest = f"{last}.{rest}" if rest else last
    path = _module_file(module)
    if path is None:
        return False
    text = path.read_text(encoding="utf-8")
    parts = [part for part in rest.split(".") if part]
    defines = r"\b(?:def|class) {0}\b|^\s*{0}\s*[:=,]|\"{0}\"|\bimport .*\b{0}\b"
    return all(re.search(defines.format(part), text, re.MULTILINE) for part in parts)


def _module_file(name: str) -> Path | None:
    place = ROOT / name.replace(".", "/")
    candidates = (place / "__init__.py", place.with_name(f"{place.name}.py"))
    return next((path for path in candidates if name and path.is_file()), None)
