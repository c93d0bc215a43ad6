"""Pages on a phone: none scrolls sideways, results come first, controls lie at the thumb."""

import re
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from browser_acts import (
    PATIENCE,
    at_rest,
    hear,
    no_error,
    open_page,
    open_tab,
    until,
    wait_for_address,
)
from playwright.sync_api import TimeoutError
from test_pages import PAGES

PHONE = {"width": 390, "height": 844}
SMALL = {"width": 360, "height": 740}
# Widths of what scrolls and of what is seen, and what a thumb cannot hit (WCAG 2.2, 2.5.8).
SIDEWAYS = """() => [document.scrollingElement, document.querySelector('[data-testid=stMain]')]
    .map(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)"""
TINY = """() => {
    const found = [];
    const look = (root) => {
        for (const one of root.querySelectorAll('*')) {
            if (one.shadowRoot) look(one.shadowRoot);
            if (!one.matches('button, a[href], select, summary, [role=tab]')) continue;
            const {width, height} = one.getBoundingClientRect();
            if (width > 1 && height > 1 && (width < 23.5 || height < 23.5))
                found.push(`${one.outerHTML.slice(0, 120)} ${width} x ${height}`);
        }
    };
    look(document.querySelector('[data-testid=stMain]'));
    return found;
}"""

# What a thumb is meant to hit, and is lower than the 44 pixels that it wants.
LOW = """() => {
    const main = 'button[kind=primary], button[kind=secondary], [data-testid=stExpandSidebarButton], .copy-link button, .glossary > button,'
        + ' .actions button, .all, .player > button, .fold, [role=tab], summary[role=button]';
    const found = [];
    const look = (root) => {
        for (const one of root.querySelectorAll('*')) {
            if (one.shadowRoot) look(one.shadowRoot);
            if (!one.matches(main) || !one.checkVisibility({visibilityProperty: true})) continue;
            const {height} = one.getBoundingClientRect();
            if (height > 1 && height < 43.5) found.push(`${one.outerHTML.slice(0, 120)} ${height}`);
        }
    };
    look(document);
    return found;
}"""  # noqa: E501
# The buttons of a table that lie on something that is to be read or hit.
ON_OTHERS = """() => [...document.querySelectorAll('[data-testid=stDataFrame]')].flatMap((table) => {
    const bar = table.parentElement.querySelector('[data-testid=stElementToolbar]')?.getBoundingClientRect();
    if (!bar?.height) return [];
    const column = table.closest('[data-testid=stVerticalBlock]');
    return [...document.querySelectorAll('[role=tab], [data-testid=stElementContainer]')]
        .filter((one) => one.checkVisibility() && !one.contains(table) && !one.contains(column))
        .filter((one) => {
            const box = one.getBoundingClientRect();
            return box.height && box.bottom > bar.top + 1 && box.top < bar.bottom - 1
                && box.right > bar.left && box.left < bar.right;
        }).map((one) => one.innerText.slice(0, 60));
})"""  # noqa: E501


def is_between(box: dict[str, float] | None, *, top: float, bottom: float) -> bool:
    """Tell whether what has this place lies between two heights."""
    return box is not None and box["y"] > top and box["y"] + box["height"] < bottom


@pytest.fixture
def phone(page: Any) -> Any:
    page.set_viewport_size(PHONE)
    return page


@pytest.mark.long
def test_no_page_scrolls_sideways_and_a_thumb_hits_everything(phone: Any, dashboard: str) -> None:
    wrong = []
    for path in ("", *PAGES):
        phone.set_viewport_size(PHONE)
        open_page(phone, dashboard, path)
        for look in (TINY, LOW):
            with suppress(TimeoutError):  # the style of a page comes after its first widgets
                phone.wait_for_function(f"!({look})().length", timeout=20_000)
            wrong += [f"{path}: {one}" for one in phone.evaluate(look)]
        for size in (PHONE, SMALL):
            phone.set_viewport_size(size)
            with suppress(TimeoutError):  # a figure is being laid out anew
                phone.wait_for_function(f"Math.max(...({SIDEWAYS})()) <= 0")
            over = phone.evaluate(SIDEWAYS)  # at once: another page would cost the same again
            assert max(over) <= 0, f"{path or 'home'} at {size['width']}: {over}"
        no_error(phone)
    assert wrong == []


@pytest.mark.long
def test_the_buttons_of_a_table_lie_on_nothing(browser: Any, dashboard: str) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True)  # there they are always seen
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    for path, tab in (("targets", "Against MIDI"), ("discovery", "In time")):
        open_page(page, dashboard, path)
        open_tab(page, tab)
        page.get_by_test_id("stElementToolbar").locator("visible=true").first.wait_for()
        at_rest(page)
        assert page.evaluate(ON_OTHERS) == [], tab
    context.close()


@pytest.mark.long
def test_chosen_values_are_seen_whole_and_leave_a_place_to_type(phone: Any, dashboard: str) -> None:
    phone.set_viewport_size(SMALL)
    open_page(phone, dashboard, "discovery")
    open_tab(phone, "Layers")
    at_rest(phone)
    box = phone.get_by_test_id("stMultiSelectTagsContainer")
    text = box.locator("[data-tag] > span").last
    text.evaluate("one => (one.textContent = 'a name that is too long for a line '.repeat(2))")
    assert text.evaluate("one => one.scrollWidth <= one.clientWidth + 1")
    assert box.locator("input").bounding_box()["width"] >= 24
    assert max(phone.evaluate(SIDEWAYS)) <= 0


@pytest.mark.long
def test_what_a_page_is_for_lies_on_the_first_screen(phone: Any, dashboard: str) -> None:
    firsts = {
        "": ".ladder .player",
        "discovery": ".heatmap .list button",
        "recommend": ".results li",
        "passages": ".results li",
        "in_time?view=course": ".results li",
        "targets": ".js-plotly-plot",
    }
    places = {}
    for path, selector in firsts.items():
        open_page(phone, dashboard, path)
        first = phone.locator(f"{selector} >> visible=true").first
        first.wait_for()
        with suppress(TimeoutError):  # what stands above is laid out anew
            until(phone, first.bounding_box, lambda box: box is not None and box["y"] <= 500)
        places[path or "home"] = first.bounding_box()["y"]
    assert {path: y for path, y in places.items() if y > 500} == {}
    # The keyboard of a phone covers the lower half of the screen: names are offered above it.
    open_page(phone, dashboard, "recommend")
    phone.get_by_role("combobox", name="Query track").focus()
    phone.get_by_role("option").first.wait_for()
    names = phone.get_by_role("listbox").first
    until(phone, names.bounding_box, partial(is_between, top=0, bottom=0.6 * PHONE["height"]))
    no_error(phone)


@pytest.mark.long
def test_results_follow_the_thumb(phone: Any, dashboard: str) -> None:
    open_page(phone, dashboard, "recommend")
    first = phone.locator(".results li").first
    first.wait_for()
    until(phone, first.bounding_box, lambda box: box is not None and box["y"] < 600)
    slider = phone.get_by_role("slider", name="brightness")
    assert not slider.is_visible()
    line = phone.get_by_role("button", name="Sliders")
    assert line.get_attribute("aria-expanded") == "false"
    assert "Everything: " in line.inner_text()
    line.click()
    phone.wait_for_url(re.compile("weights="))
    preset = phone.get_by_role("button", name="Rhythm", exact=True)
    address = phone.url
    preset.click()
    until(phone, line.inner_text, lambda text: "Rhythm: " in text)
    wait_for_address(phone, address)  # and so the list is of these sliders
    at_rest(phone)
    titles = phone.locator(".results li h3")
    before = titles.all_inner_texts()
    preset.scroll_into_view_if_needed()
    # It is seen while the sliders are moved.
    until(phone, first.bounding_box, lambda box: box is not None and box["y"] < PHONE["height"])
    phone.get_by_role("button", name="Timbre", exact=True).click()
    until(phone, titles.all_inner_texts, lambda now: now != before)
    line.click()
    until(phone, lambda: not preset.is_visible())

    bar = phone.get_by_role("region", name="What plays")
    assert bar.count() == 0
    assert hear(phone, first.locator(".player")) > 0
    for button in bar.get_by_role("button").all()[1:]:
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= 44
        assert box["y"] + box["height"] <= PHONE["height"]
    bar.get_by_role("button", name="Next sound").click()
    second = phone.locator(".results li .player").nth(1)
    until(phone, lambda: second.locator("audio").evaluate("a => a.currentTime > 0.2 && !a.paused"))
    said = second.get_attribute("aria-label")
    until(phone, bar.get_by_role("button").first.inner_text, lambda text: text.startswith(said))
    bar.get_by_role("button", name="Pause").click()
    until(phone, lambda: second.locator("audio").evaluate("a => a.paused"))
    bar.get_by_role("button", name="Stop").click()
    bar.wait_for(state="hidden")
    open_page(phone, dashboard, "passages")
    first.wait_for()
    until(phone, first.bounding_box, lambda box: box is not None and box["y"] < 500)
    phone.set_viewport_size({"width": 1280, "height": 900})
    until(phone, lambda: not line.is_visible())
    slider.first.wait_for()  # a wide screen shows the sliders as they are
    no_error(phone)
