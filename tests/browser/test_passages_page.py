"""Passages in a real browser: picked by a click, found in other tracks, heard from their offset."""

import re
from typing import Any

from browser_acts import at_rest, hear, no_error, open_page, until


def rows(page: Any) -> list[str]:
    page.locator(".results li h3").first.wait_for()
    at_rest(page)
    found: list[str] = page.locator(".results li h3").all_inner_texts()
    return found


def open_passages(page: Any, address: str, query: str = "") -> None:
    open_page(page, address, f"passages{query}")
    page.locator(".picker .field").wait_for()
    rows(page)


def test_a_click_picks_a_window_and_its_passages_sound(page: Any, dashboard: str) -> None:
    open_passages(page, dashboard)
    picture = page.locator(".picker img")
    picture.evaluate("image => image.decode()")  # the spectrogram really is a picture
    assert picture.evaluate("image => image.naturalWidth") > 100
    before = rows(page)
    box = page.locator(".picker .field").bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.7 * box["height"])
    page.get_by_text(re.compile(r"Chosen: 0:[1-3]\d to 0:[1-3]\d")).wait_for()
    after = until(page, lambda: rows(page), lambda now: now != before)
    own = (
        page.locator(".picker .field")
        .get_attribute("aria-label")
        .removeprefix("Choose 5 seconds of ")
    )
    assert not any(own.partition(",")[0] == title for title in after)
    # What is heard begins where the passage does.
    late = next(n for n, title in enumerate(after) if not re.search(r"· 0:00–", title))
    start = re.search(r"· (\d+):(\d\d)–", after[late])
    assert start is not None
    item = page.locator(".results li").nth(late)
    hear(page, item.locator(".player"))
    played = item.locator("audio").evaluate("audio => audio.currentSrc")
    seconds = 60 * int(start[1]) + int(start[2])
    assert abs(float(re.search(r"start=([\d.]+)", played)[1]) - seconds) < 1  # type: ignore[index]
    no_error(page)


def test_arrow_keys_and_sliders_change_the_list_and_the_address(page: Any, dashboard: str) -> None:
    open_passages(page, dashboard)
    before = rows(page)
    page.locator(".picker .field").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("Chosen: 0:05 to 0:10").wait_for()
    page.get_by_role("button", name="Timbre").click()
    page.wait_for_url(re.compile(r"at=5.*brightness:1|brightness:1.*at=5"))
    at_rest(page)
    changed = until(page, lambda: rows(page), lambda now: now != before)
    link = page.url
    other = page.context.new_page()
    other.goto(link)
    other.get_by_text("Chosen: 0:05 to 0:10").wait_for()
    until(other, lambda: rows(other), lambda now: now == changed)
    no_error(other)
    other.close()


def test_a_passage_becomes_the_query(page: Any, dashboard: str) -> None:
    open_passages(page, dashboard)
    title = rows(page)[0]
    span = re.search(r"· (\d+):(\d\d)–(\d+):(\d\d)", title)
    assert span is not None
    start, end = (60 * int(span[k]) + int(span[k + 1]) for k in (1, 3))
    page.get_by_role("button", name="More like this").first.click()
    name = title.partition(". ")[2].partition(" · ")[0]
    page.get_by_label(re.compile(f"Choose 5 seconds of {re.escape(name)}")).wait_for()
    # Of a passage of several segments the one that is most similar is chosen.
    times = "|".join(f"{at // 60}:{at % 60:02d}" for at in range(start, end))
    page.get_by_text(re.compile(f"Chosen: ({times}) to")).wait_for()
    no_error(page)


def test_a_link_to_nowhere_is_said_and_the_page_goes_on(page: Any, dashboard: str) -> None:
    open_passages(page, dashboard, "?track=nobody&at=1e99&weights=loudness:1")
    page.get_by_text("The link asks for what is not here").wait_for()
    no_error(page)


def test_it_fits_a_phone(page: Any, dashboard: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_passages(page, dashboard)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    no_error(page)
