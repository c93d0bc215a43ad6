"""A lane in a real browser: the playhead runs over both curves, and a click plays from there."""

import re
from pathlib import Path
from typing import Any

import pytest
from browser_acts import at_rest, hear, no_error, open_page, reload, until
from browser_server import Serve


@pytest.mark.long
def test_the_playhead_runs_over_measured_and_predicted_and_a_click_seeks(
    page: Any, compared_library: Path, served: Serve
) -> None:
    _, address = served(compared_library)
    open_page(page, address, "recommend?dataset=demo&encoder=spectral")
    item = page.locator(".results li").first
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "/lanes?" in sent.url else None)
    at_rest(page)
    assert asked == [], "nothing is fetched before a lane is opened"
    item.get_by_role("button", name="Curves of").click()
    legend = item.locator(".legend > span")
    legend.nth(1).wait_for()
    assert "level (dB), measured" in legend.first.inner_text()
    lane, audio = item.locator(".lane canvas"), item.locator("audio")

    def playhead() -> tuple[float, str, str]:
        said = lane.get_attribute("aria-valuetext")
        drawn = lane.evaluate("canvas => canvas.toDataURL()")
        return float(lane.get_attribute("aria-valuenow")), said, drawn

    before = playhead()
    item.get_by_role("button", name="Play").click()

    def read(name: str, said: str) -> str:
        return re.search(rf"{name} (−?[\d.]+) dB", said)[1]  # type: ignore[index]

    # Two moments may read the same to a decimal; a curve that moves reads otherwise at last.
    for name in ("measured", r"layer \d+"):
        later = until(page, playhead, lambda now, of=name: read(of, now[1]) != read(of, before[1]))
        assert later[0] > before[0]
        assert later[2] != before[2], "it is drawn elsewhere"
    # A click plays from there.
    box = lane.bounding_box()
    lane.click(position={"x": 0.6 * box["width"], "y": 0.5 * box["height"]})
    length = until(page, lambda: audio.evaluate("audio => audio.duration"), lambda now: now > 0)
    now = until(
        page,
        lambda: audio.evaluate("audio => [audio.currentTime, audio.paused]"),
        lambda now: now[0] > 0.6 * length and not now[1],
    )
    assert now[0] < 0.9 * length
    # Two layers lie over each other; the keys move the playhead, too.
    item.get_by_label("and by").select_option(index=2)
    legend.nth(2).wait_for()
    lane.press("Home")
    until(page, playhead, lambda now: now[0] < 0.3 * length)
    hear(page, item.locator(".player"))
    no_error(page)
    # The address says what the lanes show; a reload and another page keep it.
    item.locator(".lane select").first.select_option(index=2)
    kept = re.compile("&lane=[^&]+,small:best,small:0$")
    page.wait_for_url(kept)
    shown = until(page, legend.all_inner_texts, lambda texts: "level" not in texts[0])
    reload(page)
    item.get_by_role("button", name="Curves of").click()
    until(page, legend.all_inner_texts, lambda texts: texts == shown)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Basket").click()
    page.wait_for_url(lambda url: "/basket" in url and kept.search(url))
    # Where a page gives its lanes a curve, another one holds for its lane alone.
    open_page(page, address, "in_time?dataset=demo&encoder=small")
    other = page.locator(".hits li").nth(1)
    other.locator(".legend > span").nth(1).wait_for()
    other.locator(".lane select").first.select_option(index=2)
    page.wait_for_url(re.compile("@"))
    texts = other.locator(".legend > span").all_inner_texts
    shown = until(page, texts, lambda texts: "level" not in texts[0])
    reload(page)
    until(page, texts, lambda now: now == shown)
    first = page.locator(".hits li").first.locator(".legend > span").first
    assert "level (dB), measured" in first.inner_text()
    page.goto(f"{address}/recommend?lane=nonsense,none,none")
    item.get_by_role("button", name="Curves of").click()
    item.get_by_text("The link asks for what is not here: unknown curve").wait_for()
    assert "level (dB), measured" in legend.first.inner_text()
    no_error(page)
    page.set_viewport_size({"width": 390, "height": 844})
    at_rest(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
