"""The map in a real browser: drawn by a job, lassoed, and heard."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_acts import chart, choose, click_point, hear, no_error, open_page
from browser_server import serve

from mess.storage.store import Store


@pytest.fixture(scope="module")
def own(
    demo_library: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Store]]:
    """A dashboard over a copy of the library, and its store."""
    store = Store(tmp_path_factory.mktemp("own"))
    shutil.copytree(demo_library / "processed", store.root / "processed")
    (store.root / "audio").symlink_to(demo_library / "audio", target_is_directory=True)
    process, address = serve(store.root, tmp_path_factory.mktemp("log") / "log")
    yield address, store
    process.kill()
    process.wait()


@pytest.fixture
def drawn(own: tuple[str, Store]) -> Path:
    """The record of the map that the page shows first, drawn anew."""
    from pipelines.make_map import make_map

    _, store = own
    make_map(dataset="demo", encoder="spectral", force=True, store=store)
    (path,) = store.root.glob("processed/maps/demo/spectral/*.json")
    return path


def test_a_map_is_drawn_lassoed_and_heard(page: Any, own: tuple[str, Store]) -> None:
    address, store = own
    shutil.rmtree(store.root / "processed" / "maps", ignore_errors=True)
    open_page(page, address, "map")
    page.get_by_role("button", name="Draw this map").click()
    plot = chart(page, "map-demo-spectral")
    plot.locator("canvas").first.wait_for(state="attached")
    (path,) = store.root.glob("processed/maps/demo/spectral/*.npz")
    layer = int(path.name.partition("-")[0])
    record, points = store.maps.read("demo", "spectral", layer=layer, method="pca")
    lasso(page, plot)
    page.get_by_role("heading", name=f"{record.n} tracks chosen").wait_for()
    hear(page, page.locator(".player").first)
    page.get_by_text("click", exact=True).click()
    page.wait_for_function(
        "() => document.querySelector('[class*=st-key-map-demo] .js-plotly-plot')"
        "?._fullLayout?.dragmode === 'pan'"
    )
    plot = chart(page, "map-demo-spectral")
    row = int(points.points[:, 0].argmax())  # nobody hides the one at the edge
    click_point(page, plot, [row])
    page.get_by_role("heading", name="1 track chosen").wait_for()
    no_error(page)


def test_a_map_is_coloured_by_a_target(page: Any, own: tuple[str, Store], drawn: Path) -> None:
    open_page(page, own[0], "map")
    chart(page, "map-demo-spectral")
    choose(page, "Colour", "onset density (1/s)")
    page.get_by_text("coloured by onset density").first.wait_for()
    chart(page, "map-demo-spectral").locator(".colorbar").wait_for(state="attached")
    no_error(page)


def test_a_broken_map_is_one_line_and_a_button(
    page: Any, own: tuple[str, Store], drawn: Path
) -> None:
    drawn.write_text("{")
    open_page(page, own[0], "map")
    page.get_by_text("is damaged: run").wait_for()
    page.get_by_text("mess map --dataset demo --encoder spectral").first.wait_for()
    page.get_by_role("button", name="Draw this map").wait_for()
    no_error(page)


def lasso(page: Any, plot: Any) -> None:
    """Draw around all points of a plot."""
    box = plot.locator(".nsewdrag").first.bounding_box()
    left, top = box["x"] + 2, box["y"] + 2
    right, bottom = box["x"] + box["width"] - 2, box["y"] + box["height"] - 2
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 3)):
        page.mouse.move(x, y, steps=5)
    page.mouse.up()
