"""The page that the browser gets first: Streamlit's own, with the first view in it.

Streamlit's scripts need seconds until they draw. The first view is drawn by a few lines of its own
and goes when the page is there. Nothing here waits for the code of the pages.
"""

from functools import cache
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from streamlit import file_util

from dashboard.titles import TITLES

_HERE = Path(__file__).parent
_COMPONENTS = _HERE.parent / "components"
_WITH_HEATMAP = "discovery"


def first_page(request: Request) -> HTMLResponse:
    """Answer with Streamlit's page and the first view of the page that was asked for."""
    return HTMLResponse(
        _with_first_view(request.url.path.strip("/")), headers={"Cache-Control": "no-cache"}
    )


@cache
def _with_first_view(path: str) -> str:
    page = Path(file_util.get_static_dir(), "index.html").read_text(encoding="utf-8")
    styles, scripts = [_HERE / "first_view.css"], [_HERE / "first_view.js"]
    if path == _WITH_HEATMAP:
        styles.append(_COMPONENTS / "heatmap.css")
        scripts = [_COMPONENTS / "elements.js", _COMPONENTS / "heatmap.js", *scripts]
    style, script = (
        "\n".join(each.read_text(encoding="utf-8") for each in files) for files in (styles, scripts)
    )
    # An inline module that is "async" runs at once; Streamlit's own modules are still on their way.
    view = (
        f"<style>{style}</style>"
        f'<div id="first-view" inert><h1>{escape(TITLES[path])}</h1><div></div></div>'
        f'<script type="module" async>{script}</script>'
    )
    return page.replace("</body>", f"{view}</body>", 1)


PAGES = [Route(f"/{path}", first_page) for path in TITLES]
