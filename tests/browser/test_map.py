"""The map in a real browser: drawn by a job, lassoed, heard, taken along."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser_acts import (
    at_rest,
    choose,
    hear,
    no_error,
    open_page,
    reload,
    until,
    wait_for_address,
)
from browser_server import Serve

from benchmarks.map_points import write_map
from benchmarks.synthetic import Shape, write_library
from mess.records.map import MapRecord
from mess.storage.store import Store

PICKED = "() => [...(window.messMap?.scatter?.get('selectedPoints') ?? [])].length"


@pytest.fixture
def own(own_library: Store, served: Serve) -> tuple[str, Store]:
    """A dashboard over a copy of the library without maps, and its store."""
    return served(own_library.root)[1], own_library


@pytest.fixture
def drawn(own: tuple[str, Store]) -> Path:
    """The record of the map that the page shows first."""
    from pipelines.make_map import make_map

    _, store = own
    make_map(dataset="demo", encoder="spectral", store=store)
    (path,) = store.root.glob("processed/maps/demo/spectral/*pca.json")
    return path


def read_map(store: Store) -> MapRecord:
    """Return the record of the map of tracks."""
    (path,) = store.root.glob("processed/maps/demo/spectral/*pca.json")
    layer = int(path.name.partition("-")[0])
    return store.maps.read("demo", "spectral", layer=layer, method="pca", level="track")[0]


def wait_for_map(page: Any, points: int) -> Any:
    """Return the canvas, once as many points are drawn in it."""
    page.locator(f".scatter[data-drawn='{points}']").wait_for()
    at_rest(page)
    return page.locator(".scatter canvas")


def lasso(page: Any, canvas: Any, *, share: float = 1.0) -> None:
    """Draw around the left share of a map."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    left, top = box["x"] + 2, box["y"] + 2
    right, bottom = left + share * box["width"] - 4, box["y"] + box["height"] - 4
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 3)):
        page.mouse.move(x, y, steps=5)
    page.mouse.up()


@pytest.mark.long
def test_a_map_is_drawn_lassoed_and_heard(page: Any, own: tuple[str, Store]) -> None:
    address, store = own
    open_page(page, address, "map")
    page.get_by_role("button", name="Draw this map").click()
    page.locator(".scatter[data-drawn]").wait_for()
    record = read_map(store)
    canvas = wait_for_map(page, record.n)
    lasso(page, canvas)
    page.get_by_role("heading", name=f"{record.n} tracks chosen").wait_for()
    hear(page, page.locator(".player").first)
    # What is picked stays so under another colour and after a reload.
    choose(page, "Colour", "onset density (1/s)")
    page.get_by_text("coloured by onset density").first.wait_for()
    assert until(page, lambda: page.evaluate(PICKED), lambda count: count == record.n)
    reload(page)
    wait_for_map(page, record.n)
    page.get_by_text("coloured by onset density").first.wait_for()
    page.get_by_role("heading", name=f"{record.n} tracks chosen").wait_for()
    assert until(page, lambda: page.evaluate(PICKED), lambda count: count == record.n)
    # A click picks one, which is the current recording then.
    page.get_by_text("click", exact=True).click()
    page.wait_for_url(re.compile("mouse=pan"))
    at_rest(page)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    row = page.evaluate(
        "() => { const {points} = messMap; let best = 0;"
        " for (let row = 0; row < points.length / 2; row++)"
        "   if (points[2 * row] > points[2 * best]) best = row;"
        " return best; }"
    )  # nobody hides the one at the edge
    x, y = page.evaluate("row => messMap.scatter.getScreenPosition(row)", row)
    page.mouse.move(box["x"] + x - 3, box["y"] + y)
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.locator(".scatter .tip:not([hidden])").wait_for()
    page.mouse.click(box["x"] + x, box["y"] + y)
    page.get_by_role("heading", name="1 track chosen").wait_for()
    page.get_by_text("In the ring").wait_for()
    page.wait_for_url(re.compile(f"track={record.tracks[row]}"))
    # Without a mouse: a recording is found by its name, and keys zoom to what is picked.
    other = record.tracks[(row + 1) % record.n]
    finder = page.get_by_role("combobox", name="Pick a recording by its name")
    finder.focus()
    page.keyboard.type(other)
    page.get_by_role("option").filter(has_text=other).first.wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="2 tracks chosen").wait_for()
    assert until(page, lambda: page.evaluate(PICKED), lambda count: count == 2)
    distance = "() => messMap.scatter.get('cameraDistance')"
    before = page.evaluate(distance)
    page.get_by_role("button", name="Zoom to what is picked").press("Enter")
    page.wait_for_function(f"before => ({distance})() !== before", arg=before)
    page.get_by_role("button", name="Whole map").press("Enter")
    page.wait_for_function(f"() => ({distance})() === 1")
    no_error(page)


@pytest.mark.long
def test_what_is_picked_is_kept_exported_played_and_asked_for_more(
    page: Any, own: tuple[str, Store], drawn: Path
) -> None:
    address, store = own
    record = read_map(store)
    open_page(page, address, "map?dataset=demo&encoder=spectral&colour=work")
    canvas = wait_for_map(page, record.n)
    lasso(page, canvas, share=0.5)
    page.wait_for_url(re.compile("pick(ed)?="))
    at_rest(page)
    count = page.evaluate(PICKED)
    assert 1 < count < record.n
    asked = parse_qs(urlsplit(page.url).query)
    picked = asked.get("pick") or store.selections.read("demo", asked["picked"][0])
    assert len(picked) == count and set(picked) <= set(record.tracks)
    page.get_by_text("Export, link").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON", exact=True).click()
    taken = json.loads(Path(download.value.path()).read_bytes())
    assert [row["track"] for row in taken["rows"]] == picked
    with page.expect_download() as download:
        page.get_by_role("button", name="M3U8", exact=True).click()
    assert Path(download.value.path()).read_text().count("#EXTINF") == count
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Put into the basket").click()
    kept = until(page, lambda: store.baskets.read("demo").tracks("found"), bool)
    assert sorted(kept) == sorted(picked)
    page.get_by_role("button", name="Play in a row").click()
    page.wait_for_function("() => window.messRow?.length > 1 && !window.messRow[0].audio.paused")
    page.keyboard.press("k")
    before = page.url
    more_button, chosen = page.get_by_text("More like these"), page.locator(".hits li").first
    assert more_button.bounding_box()["y"] < chosen.bounding_box()["y"]  # above what is long
    more_button.click()
    more = page.locator(".results li:has(.bar) .about")
    until(page, more.count, lambda number: number > 0)
    found = [text.split(" ")[0] for text in more.all_inner_texts()]
    assert not set(found) & set(picked)
    hear(page, page.locator(".results li:has(.bar) .player").first)
    # Back undoes the last choice by one press, and the link leads here in another window.
    link = wait_for_address(page, before)
    page.go_back()
    until(page, more.count, lambda number: number == 0)
    page.goto(link)
    wait_for_map(page, record.n)
    until(page, more.count, lambda number: number == len(found))
    # Many points are kept by the server, under a token.
    many = [f"{record.tracks[0]}@{number}" for number in range(400)] + record.tracks[:2]
    token = store.selections.keep("demo", many)
    open_page(page, address, f"map?dataset=demo&encoder=spectral&picked={token}")
    page.get_by_role("heading", name="2 tracks chosen").wait_for()
    open_page(page, address, "map?dataset=demo&encoder=spectral&picked=0123456789abcdef")
    page.get_by_text("a selection that is no longer kept").wait_for()
    no_error(page)


@pytest.mark.long
def test_a_lasso_around_12_000_points_costs_the_line_little(
    page: Any, tmp_path: Path, served: Serve
) -> None:
    shape = Shape(tracks=12_000, layers=2, dim=8, names_only=True)
    store = Store(tmp_path / "data")
    write_library(store, shape)
    write_map(store, shape)
    _, address = served(store.root)
    sent: list[int] = []
    page.on("websocket", lambda line: line.on("framesent", lambda one: sent.append(len(one))))
    open_page(page, address, f"map?dataset={shape.dataset}&encoder={shape.encoder}&layer=0")
    canvas = wait_for_map(page, shape.tracks)
    sent.clear()
    lasso(page, canvas)
    page.get_by_role("heading", name="12000 tracks chosen").wait_for()
    at_rest(page)
    assert 0 < sum(sent) < 10_000  # bytes; the numbers of the points would take 65,000
    # More than a basket holds: that is said before anything is pressed.
    assert page.get_by_role("button", name="Put into the basket").is_disabled()
    reload(page)
    wait_for_map(page, shape.tracks)
    assert until(page, lambda: page.evaluate(PICKED), lambda count: count == shape.tracks)
    no_error(page)


def test_a_broken_map_is_one_line_and_a_button(
    page: Any, own: tuple[str, Store], drawn: Path
) -> None:
    drawn.write_text("{")
    open_page(page, own[0], "map")
    page.get_by_text("is damaged.").wait_for()
    page.get_by_text("mess map --dataset demo --encoder spectral").first.wait_for()
    page.get_by_role("button", name="Draw this map").wait_for()
    no_error(page)
