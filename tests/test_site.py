"""`make docs`: the site is built strictly, from this repository alone."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]
# What a browser fetches by itself when it opens a page; a link is only followed by a reader.
_FETCHED = re.compile(r"<(?:script|img|iframe|source|link)\b[^>]*?(?:src|srcset|href)=\"(\S+?)\"")


def build(configuration: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Run what ``make docs`` runs."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "mkdocs", "build", "--strict"),
            *("--config-file", str(configuration), "--site-dir", str(site)),
        ],
        cwd=configuration.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_of_the_documents_is_on_the_site(site: Path) -> None:
    for page in [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("*.ipynb")]:
        assert (site / page.name).with_suffix(".html").is_file(), page.name
    for name in ("index", "contributing", "data"):
        assert (site / f"{name}.html").is_file()


def test_the_api_describes_every_public_function_and_class(site: Path) -> None:
    pages = {page.stem: page.read_text(encoding="utf-8") for page in (site / "api").glob("*.html")}
    for path in (ROOT / "mess").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = ".".join(parts).removesuffix(".__init__")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                anchor = f'id="{module}.{node.name}"'
                assert anchor in pages[".".join(parts[:-1])], anchor


def test_the_pages_need_nothing_from_elsewhere(site: Path) -> None:
    for page in set(site.rglob("*.html")) - {site / "404.html"}:  # that one is for a web server
        for address in _FETCHED.findall(page.read_text(encoding="utf-8")):
            assert "//" not in address, f"{page.name} fetches {address}"
            if not address.startswith("data:"):
                assert (page.parent / address.partition("?")[0]).exists(), f"{page.name}: {address}"


def test_a_dead_link_a_missing_anchor_or_a_stray_page_stops_the_build(tmp_path: Path) -> None:
    wrong = "[x](gone.md), [x](method.md#nowhere), ![x](images/gone.png)"
    pages = {"tour.md": f"# Tour\n\n{wrong}\n", "stray.md": "# Stray\n"}
    done = build(_small_copy(tmp_path, pages), tmp_path / "site")
    assert done.returncode != 0
    for complaint in ("gone.md", "nowhere", "gone.png", "stray.md"):
        assert complaint in done.stderr, done.stderr


def _small_copy(folder: Path, pages: dict[str, str]) -> Path:
    """Copy the configuration, the pages and the hooks, but not the API: it takes seconds."""
    configuration = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    (folder / "mkdocs.yml").write_text(configuration.partition("\n  - mkdocstrings")[0] + "\n")
    shutil.copytree(ROOT / "docs", folder / "docs")
    for name in ("README.md", "CONTRIBUTING.md", "data/README.md", "mess/__init__.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    for name, text in pages.items():
        (folder / "docs" / name).write_text(text, encoding="utf-8")
    return folder / "mkdocs.yml"
