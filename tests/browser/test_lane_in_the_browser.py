"""A lane in a real browser: the playhead runs over both curves, and a click plays from there."""

import re
from pathlib import Path
from typing import Any

import pytest
from browser_acts import at_rest, hear, no_error, open_page, until
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
    page.set_viewport_size({"width": 390, "height": 844})
    at_rest(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
