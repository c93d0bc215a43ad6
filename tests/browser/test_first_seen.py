"""What is seen of a page while Streamlit still starts, and that nothing of it stays."""

from typing import Any

import pytest
from browser_acts import at_rest, heat_cells, open_page

_SEEN = "cells => cells.map(one => [one.innerText, one.style.background])"
_LIGHT, _DARK = "rgb(255, 255, 255)", "rgb(23, 22, 20)"


def _without_streamlit(page: Any, address: str, path: str) -> Any:
    """Open a page that Streamlit never draws; return its first view."""
    page.route_web_socket("**/*", lambda socket: None)
    page.goto(f"{address}/{path}")
    return page.locator("#first-view")


def test_the_heatmap_is_seen_before_streamlit_has_drawn_anything(page: Any, dashboard: str) -> None:
    view = _without_streamlit(page, dashboard, "discovery?dataset=demo&encoder=spectral")
    cells = view.locator("td button")
    cells.first.wait_for()
    assert view.locator("h1").inner_text() == "Layer discovery"
    early = cells.evaluate_all(_SEEN)
    top = view.locator("table").bounding_box()["y"]
    page.close()
    later = page.context.new_page()
    open_page(later, dashboard, "discovery?dataset=demo&encoder=spectral")
    drawn = heat_cells(later, "heatmap-")
    drawn.first.wait_for()
    assert drawn.evaluate_all(_SEEN) == early
    assert abs(later.locator("[data-testid=stMain] table").bounding_box()["y"] - top) < 60, (
        "it jumps"
    )


@pytest.mark.parametrize("path", ["", "discovery", "discovery?tab=Layers", "targets", "basket"])
def test_nothing_of_it_stays(page: Any, dashboard: str, path: str) -> None:
    open_page(page, dashboard, path)
    page.locator("#first-view").wait_for(state="detached")
    at_rest(page)
    assert page.get_by_role("heading", level=1).count() == 1


def test_it_goes_where_there_is_nothing_to_show(page: Any, empty_dashboard: str) -> None:
    open_page(page, empty_dashboard, "discovery")
    page.locator("#first-view").wait_for(state="detached")


@pytest.mark.parametrize(("theme", "background"), [("Dark", _DARK), ("Light", _LIGHT)])
def test_it_has_the_colours_of_the_page_that_follows(
    page: Any, dashboard: str, theme: str, background: str
) -> None:
    page.add_init_script(f"""localStorage.setItem("stActiveTheme-/targets-v2", '"{theme}"')""")
    view = _without_streamlit(page, dashboard, "targets")
    colour = "one => getComputedStyle(one).backgroundColor"
    assert view.evaluate(colour) == background
    later = page.context.new_page()
    later.add_init_script(f"""localStorage.setItem("stActiveTheme-/targets-v2", '"{theme}"')""")
    open_page(later, dashboard, "targets")
    assert later.get_by_test_id("stApp").evaluate(colour) == background
