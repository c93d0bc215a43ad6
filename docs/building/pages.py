"""Pages of the site that are not files of docs/: the first page, the API, the notebook.

MkDocs calls the functions ``on_…``. They read the repository and write nothing.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docs.building.notebook import TUTORIAL, as_markdown, read_notebook

ROOT = Path(__file__).parents[2]
# Pages that lie outside of docs/ or are no Markdown, and their names on the site.
OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "data/README.md": "data.md",
}
NAMES = OUTSIDE | {"docs/tutorial.ipynb": "tutorial.md"}
_LINK = re.compile(r'(\]\(|(?:src|srcset|href)=")([^)"#\s]+)')


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put one page a room into the navigation, below *API*."""
    for entry in config.nav or []:
        if "API" in entry:
            entry["API"] = [
                {"Overview": "api/index.md"},
                *({room: f"api/{room}.md"} for room in rooms()),
            ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside of docs/, the notebook as a page, and those of the API."""
    notebook = files.get_file_from_path(TUTORIAL.name)
    if notebook is not None:
        files.remove(notebook)
    text = as_markdown(read_notebook())
    files.append(File.generated(config, NAMES["docs/tutorial.ipynb"], content=text))
    for source, name in OUTSIDE.items():
        text = relink((ROOT / source).read_text(encoding="utf-8"), source=source)
        files.append(File.generated(config, name, content=text))
    for room, modules in rooms().items():
        files.append(File.generated(config, f"api/{room}.md", content=room_page(room, modules)))
    files.append(File.generated(config, "api/index.md", content=overview()))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Point links from docs/ to pages outside of it at their pages on the site."""
    if page.file.generated_by is not None:
        return markdown
    return relink(markdown, source=f"docs/{page.file.src_uri}")


def relink(text: str, *, source: str) -> str:
    """Return the text of a file of the repository with its links as the site has them.

    >>> relink("[a](docs/method.md#b) and [c](docs/images/d.png)", source="README.md")
    '[a](method.md#b) and [c](images/d.png)'
    >>> relink("[a](../CONTRIBUTING.md)", source="docs/method.md")
    '[a](contributing.md)'
    """

    def on_site(match: re.Match[str]) -> str:
        before, link = match.groups()
        if "://" in link:
            return match[0]
        target = (ROOT / source).parent.joinpath(link).resolve()
        if not target.is_relative_to(ROOT):
            return match[0]
        path = target.relative_to(ROOT).as_posix()
        return before + NAMES.get(path, path.removeprefix("docs/"))

    return _LINK.sub(on_site, text)


def rooms() -> dict[str, list[str]]:
    """Return the modules of each room of ``mess`` that have something public, by room."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "mess").rglob("*.py")):
        if any(public_names(path)):
            parts = path.relative_to(ROOT).with_suffix("").parts
            room = ".".join(parts[:-1])
            found.setdefault(room, []).append(".".join(parts).removesuffix(".__init__"))
    return dict(sorted(found.items()))


def public_names(path: Path) -> Iterator[str]:
    """Yield the public functions and classes of a module."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def room_page(room: str, modules: list[str]) -> str:
    """Return the page of a room: a section for each of its modules."""
    return f"# {room}\n\n" + "\n\n".join(f"::: {module}" for module in modules) + "\n"


def overview() -> str:
    """Return the first page of the API: the public names, and the rooms with what each holds."""
    names = [
        f"- {f'[`{name}`][{module}.{name}]' if defined else f'`{name}`'} of `{module}`"
        for module, name, defined in _public_interface()
    ]
    lines = []
    for room in rooms():
        text = (ROOT / room.replace(".", "/") / "__init__.py").read_text(encoding="utf-8")
        opening = (ast.get_docstring(ast.parse(text)) or "").partition("\n\n")[0]
        lines.append(f"- [`{room}`]({room}.md): {' '.join(opening.split())}")
    return "\n".join(
        [
            *("# API", "", "`from mess import …` offers", "", *names, ""),
            *("One page for each room of the library:", "", *lines, ""),
        ]
    )


def _public_interface() -> Iterator[tuple[str, str, bool]]:
    """Yield what ``mess`` offers: where it is defined, its name, whether the API describes it."""
    tree = ast.parse((ROOT / "mess" / "__init__.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_MODULES":
            for module, names in ast.literal_eval(node.value).items():
                for name in names:
                    definition = _definition(module, name)
                    yield definition or module, name, definition is not None


def _definition(module: str, name: str) -> str | None:
    """Return the module that defines what ``module`` offers: itself, or one of its package."""
    stem = ROOT / module.replace(".", "/")
    for path in [*stem.glob("*.py"), stem.with_suffix(".py")]:
        if path.is_file() and name in public_names(path):
            return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return None
