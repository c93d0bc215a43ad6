"""What is read on every page and tab: axe-core finds nothing, and no word is one of a program."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from browser_acts import PATIENCE, at_rest, open_page, until
from test_pages import PAGES

pytestmark = pytest.mark.long

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
_RUN = (
    """axe.run(document, {resultTypes: ['violations'], rules: {'target-size': {enabled: true}}})"""
)
_STILL = """* { transition: none !important; animation: none !important }
[data-stale] { opacity: 1 !important }"""  # what fades, or is being drawn again, is pale
KNOWN = {"presentation-role-conflict"}  # of Streamlit's own place for files; minor
# All that is written or said on the page: texts, and what a pointer or a screen reader is told.
_TEXTS = """() => {
    const found = [];
    const read = (root) => {
        for (const one of root.querySelectorAll('*')) {
            if (one.closest('[data-testid=stCode], [data-testid=stIconMaterial], script, style, code, small'))
                continue;
            for (const name of ['title', 'aria-label', 'alt', 'placeholder'])
                if (one.getAttribute(name)) found.push(one.getAttribute(name));
            if (one.shadowRoot) read(one.shadowRoot);
            for (const part of one.childNodes)
                if (part.nodeType === 3 && part.textContent.trim()) found.push(part.textContent);
        }
    };
    read(document.body);
    for (const plot of document.querySelectorAll('.js-plotly-plot'))
        for (const trace of plot._fullData ?? [])
            if (Array.isArray(trace.text)) found.push(...trace.text.flat().filter(Boolean).map(String));
    return found;
}"""  # noqa: E501
_BEYOND = """() => [...document.querySelectorAll('*')].map(one => one.shadowRoot ?? one)
    .flatMap(root => [...root.querySelectorAll('.heatmap .scroll')])
    .filter(one => one.scrollWidth > one.clientWidth + 1)
    .map(one => `${one.innerText.slice(0, 80)}: ${one.scrollWidth} > ${one.clientWidth}`)"""
_IN_SCHEME = """(app, scheme) => new Promise((done) => {
    const look = () => getComputedStyle(app).colorScheme === scheme ? done() : setTimeout(look, 50);
    look();
})"""
SCREEN, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LOOKS = ((SCREEN, "light"), (SCREEN, "dark"), (PHONE, "dark"), (PHONE, "light"))
_OF_A_PROGRAM = re.compile(
    r"\bNone\b|\bnan\b|\bNaN\b|\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b|(?<![\w./])/(?:tmp|home|root|srv)/"
)


@dataclass(frozen=True, kw_only=True)
class View:
    """What was seen of a page, or of one of its tabs.

    Attributes
    ----------
    violations : list of str
        What axe-core says, in each of `LOOKS`.
    texts : list of str
        All that is read there.
    beyond : list of str
        Heatmaps whose columns do not all fit a screen of 1280 pixels.
    """

    violations: list[str]
    texts: list[str]
    beyond: list[str]


@pytest.fixture(scope="module")
def views(browser: Any, dashboard: str) -> dict[str, View]:
    """What is seen of every page and tab."""
    return {name: _look(name, page) for name, page in _walk(browser, dashboard)}


def _walk(browser: Any, dashboard: str) -> Iterator[tuple[str, Any]]:
    """Open every page, and its tabs, with axe-core in it."""
    context = browser.new_context()
    context.set_default_timeout(1000 * PATIENCE)
    try:
        for path in ("", *PAGES):
            page = context.new_page()
            page.set_viewport_size(SCREEN)
            open_page(page, dashboard, path)
            page.evaluate(AXE.read_text(encoding="utf-8"))
            page.add_style_tag(content=_STILL)
            yield path or "home", page
            for name in page.locator("[role=tab][aria-selected=false]").all_inner_texts():
                page.set_viewport_size(SCREEN)
                page.get_by_role("tab", name=name, exact=True).click()
                page.get_by_role("tab", name=name, exact=True, selected=True).wait_for()
                at_rest(page)
                yield f"{path or 'home'}, {name}", page
            page.close()
    finally:
        context.close()


def _look(name: str, page: Any) -> View:
    texts, beyond = page.evaluate(_TEXTS), page.evaluate(_BEYOND)
    violations = []
    for size, scheme in LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        page.locator("[data-testid=stApp]").evaluate(_IN_SCHEME, scheme)
        at_rest(page)
        found = _violations(page)
        if found:  # what is still being drawn is pale
            page.wait_for_timeout(2000)
            at_rest(page)
            found = _violations(page)
        violations += [f"{name}, {size['width']}, {scheme}: {one}" for one in found]
    return View(violations=violations, texts=texts, beyond=beyond)


def _violations(page: Any) -> list[str]:
    result: dict[str, Any] = page.evaluate(_RUN)
    assert result["passes"]  # it looked
    return [
        f"{one['id']} at {node['html'][:200]}: {node['failureSummary']}"
        for one in result["violations"]
        for node in one["nodes"][:3]
        if one["id"] not in KNOWN
    ]


def test_axe_finds_nothing_on_any_page_and_tab(views: dict[str, View]) -> None:
    assert len(views) > len(PAGES) + 10
    assert [one for view in views.values() for one in view.violations] == []


def test_all_columns_of_a_heatmap_are_in_sight(views: dict[str, View]) -> None:
    assert {name: view.beyond for name, view in views.items() if view.beyond} == {}


def test_no_word_of_a_program_stands_where_people_read(
    views: dict[str, View], demo_library: Path
) -> None:
    own = {path.stem for path in (demo_library / "audio" / "demo").iterdir()}  # people's own names
    found = {}
    for name, view in views.items():
        assert view.texts
        words = {word for text in view.texts for word in _OF_A_PROGRAM.findall(text)}
        bad = {one for one in words if not any(one in known for known in own)}
        bad |= {text for text in view.texts if str(demo_library) in text}
        if bad:
            found[name] = sorted(bad)
    assert found == {}


def test_the_glossary_is_one_click_away_and_found_by_typing(
    visit: Callable[..., Any], dashboard: str
) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    open_page(page, dashboard, "compare")
    page.get_by_role("button", name="Glossary").click()
    field = page.get_by_role("searchbox", name="Find a word")
    word = page.locator(".glossary dt:visible")
    field.and_(page.locator(":focus")).wait_for()
    page.keyboard.type("num_phrases")  # as in commands
    until(page, word.all_inner_texts, lambda found: found == ["number of phrases"])
    field.fill("ladder")
    word.filter(has_text="ladder").wait_for()
    page.locator(".glossary dd:visible").filter(has_text="least to the most").wait_for()
    page.keyboard.press("Escape")
    field.wait_for(state="hidden")
