"""The page of the targets in a real browser."""

import re
from pathlib import Path
from typing import Any

import pytest
from browser_acts import (
    at_rest,
    chart,
    choose_by_keys,
    click_point,
    hear,
    heat_cells,
    no_error,
    open_page,
    open_tab,
)
from browser_server import Serve

from mess.storage.store import Store


@pytest.mark.long
def test_a_dot_of_a_distribution_is_heard(page: Any, dashboard: str, demo_library: Path) -> None:
    values = Store(demo_library).targets.read("demo").droplevel("segment")["spectral_centroid"]
    brightest = str(values.idxmax())
    open_page(page, dashboard, "targets")
    page.get_by_text("How bright it sounds").wait_for()
    click_point(page, chart(page, "distribution-"), [brightest])
    page.get_by_text(f"spectral centroid {values.max():.4g}", exact=True).wait_for()
    hear(page, page.locator(".player").first)
    no_error(page)


@pytest.mark.long
def test_a_cell_of_the_correlations_shows_both_targets(page: Any, dashboard: str) -> None:
    open_page(page, dashboard, "targets")
    open_tab(page, "Correlations")
    cell = heat_cells(page, "correlations-").and_(
        page.locator("[aria-label^='onset density and note density']")
    )
    cell.click()
    page.get_by_text("onset density against note density: Spearman").wait_for()
    page.get_by_text("by likeness", exact=True).click()
    alike = heat_cells(page, "correlations-1")  # the same targets in another order
    alike.and_(cell).and_(page.locator("[aria-current=true]")).wait_for()
    said = choose_by_keys(page, "correlations-1", "ArrowDown")
    assert re.search("^.+ and note density: Spearman .*\\d\\.\\d\\d$", said)
    # A point of the figure is heard without a mouse, too.
    listen = page.get_by_role("combobox", name="Listen (from the least to the most)")
    at_rest(page)
    listen.focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("heard="))
    hear(page, page.locator(".player").first)
    no_error(page)


@pytest.mark.long
def test_what_is_measured_stands_beside_the_midi(page: Any, dashboard: str) -> None:
    open_page(page, dashboard, "targets")
    open_tab(page, "Against MIDI")
    plot = chart(page, "pair-mean_tempo")
    track = plot.evaluate("plot => plot.data[0].customdata[0][0]")
    click_point(page, plot, [track])
    hear(page, page.locator(".player").first)
    page.get_by_text(re.compile(r"tempo against mean tempo: Spearman \S+ over \d+")).wait_for()
    no_error(page)


@pytest.fixture
def damaged(own_library: Store, served: Serve) -> str:
    """A dashboard over a library whose table of targets is damaged."""
    table = own_library.root / "processed" / "targets" / "demo.parquet"
    table.write_bytes(table.read_bytes()[:-200])
    return served(own_library.root)[1]


@pytest.mark.long
def test_a_broken_table_is_one_line_and_a_button(page: Any, damaged: str) -> None:
    open_page(page, damaged, "targets")
    page.get_by_text("is damaged.").wait_for()
    page.get_by_text("mess targets --dataset demo").first.wait_for()
    page.get_by_role("button", name="Measure them now").wait_for()
    no_error(page)
    open_page(page, damaged, "map")  # which can do without targets
    page.get_by_role("button", name="Draw this map").wait_for()
    no_error(page)
