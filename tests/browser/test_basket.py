"""The basket in a real browser: kept on one page, found on another, tagged, heard, taken away."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from browser_acts import at_rest, no_error, open_page, until

from mess.storage.store import Store


@pytest.fixture
def store(demo_library: Path) -> Store:
    found = Store(demo_library)
    found.baskets.path("demo").unlink(missing_ok=True)
    return found


@pytest.mark.long
def test_what_is_kept_is_found_tagged_heard_and_taken_away(
    page: Any, dashboard: str, store: Store
) -> None:
    open_page(page, dashboard, "recommend?dataset=demo&encoder=spectral&n=5")
    page.locator("li h3").first.wait_for()
    page.get_by_role("button", name=re.compile("^☆ Keep: ")).first.click()
    page.get_by_role("button", name=re.compile("^★ Kept: ")).wait_for()
    at_rest(page)
    page.get_by_role("button", name=re.compile("^. Like: ")).nth(1).click()
    liked = until(page, lambda: store.baskets.read("demo").tracks("like"))[0]
    found = store.baskets.read("demo").tracks("found")[0]
    open_page(page, dashboard, "basket?dataset=demo&encoder=spectral")
    rows = page.locator(".hits li")
    until(page, rows.count, lambda count: count == 2)
    page.get_by_text("1 found, 1 liked").wait_for()
    rows.nth(0).get_by_role("button", name=re.compile("^Tags, note")).click()
    page.get_by_label("Tags, with semicolons between").fill("slow; strings")
    page.get_by_role("textbox", name="Note").fill("<b>for</b> the opening")
    page.get_by_role("button", name="Save", exact=True).click()
    kept = until(page, lambda: store.baskets.read("demo").items[0], lambda item: bool(item.note))
    assert (kept.track, kept.tags, kept.note) == (
        found,
        ["slow", "strings"],
        "<b>for</b> the opening",
    )
    rows.nth(0).get_by_text("slow; strings · <b>for</b> the opening").wait_for()
    at_rest(page)
    page.get_by_role("button", name="Play in a row").click()
    page.wait_for_function("() => window.messRow?.length === 2 && !window.messRow[0].audio.paused")
    page.keyboard.press("k")
    page.get_by_text("Export, link").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON", exact=True).click()
    taken = Path(download.value.path()).read_bytes()
    assert [item["track"] for item in json.loads(taken)["items"]] == [found, liked]
    page.keyboard.press("Escape")
    # It leads back to a search, and comes back from its file.
    link = page.get_by_role("link", name="Recommend what is like these")
    assert f"track={liked}" in link.get_attribute("href")
    store.baskets.change("demo", lambda basket: basket.drop(found))
    file = {"name": "one.json", "mimeType": "application/json", "buffer": taken}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("1 new in the basket, 1 were there").wait_for()
    assert store.baskets.read("demo").get(found).note == kept.note  # type: ignore[union-attr]
    at_rest(page)
    no_error(page)
