"""The discovery page in a real browser: cells, points that sound, comparison, files to keep."""

import io
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser_acts import (
    at_rest,
    chart,
    choose_by_keys,
    click_point,
    hear,
    no_error,
    open_page,
    open_tab,
    reload,
    until,
    wait_for_address,
)
from browser_server import serve
from PIL import Image

from mess.storage.store import Store


@pytest.fixture(scope="module")
def own(
    demo_library: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Store]]:
    """A dashboard over a copy of the library, which a test may damage, and its store."""
    store = Store(tmp_path_factory.mktemp("own"))
    shutil.copytree(demo_library / "processed", store.root / "processed")
    (store.root / "audio").symlink_to(demo_library / "audio", target_is_directory=True)
    process, address = serve(store.root, tmp_path_factory.mktemp("log") / "log")
    yield address, store
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def segments(own: tuple[str, Store]) -> None:
    """A discovery of segments beside that of tracks."""
    from mess.records.discovery import ProbeSettings
    from pipelines.run_probing import run_probing

    quick = ProbeSettings(
        folds=3, level="segment", permutations=0, bootstrap=20, controls=False, frames="off"
    )
    run_probing(dataset="demo", encoder="spectral", settings=quick, store=own[1], tracking=False)


def test_a_click_on_a_cell_and_on_a_point_plays_the_track(
    page: Any, own: tuple[str, Store]
) -> None:
    address, store = own
    open_page(page, address, "discovery")
    layer, target = 2, "onset_density"
    cell_of(page, "onset density", layer).click()
    detail_of(page, "onset density", layer)
    until(page, lambda: page.url, lambda url: url.endswith(f"&target={target}&layer={layer}"))
    reload(page)
    detail_of(page, "onset density", layer)
    predictions = store.discoveries.read_predictions("demo", "spectral")
    rows = predictions[(predictions["layer"] == layer) & (predictions["target"] == target)]
    far = rows.loc[(rows["predicted"] - rows["true"]).idxmax()]
    click_point(page, chart(page, "cell-predicted"), [str(far["track"]), -1])
    page.get_by_text(f"true {far['true']:.4g}, predicted {far['predicted']:.4g}, fold").wait_for()
    hear(page, page.locator(".player").first)
    page.get_by_text("residuals", exact=True).click()
    residuals = chart(page, "cell-residuals")
    until(page, residuals.inner_text, lambda text: "true − predicted" in text)
    # A reload shows the same figure and the same recording, not the worst one.
    sound = page.get_by_role("combobox", name="Listen (worst predicted first)")
    sound.click()
    page.get_by_role("option").nth(2).click()
    page.wait_for_url(re.compile("figure=residuals&heard="))
    at_rest(page)
    heard = sound.input_value()
    reload(page)
    until(page, chart(page, "cell-residuals").inner_text, lambda text: "true − predicted" in text)
    until(page, sound.input_value, lambda text: text == heard)
    no_error(page)


def cell_of(page: Any, target: str, layer: int) -> Any:
    """Return a cell of the heatmap."""
    return page.locator(f".heatmap td button[aria-label^='{target}, layer {layer}']").first


def target_and_layer(cell: Any) -> tuple[str, int]:
    """Return what a cell says that it is."""
    target, layer = re.findall(r"^(.*?), layer (\d+)", cell.get_attribute("aria-label"))[0]
    return target, int(layer)


def detail_of(page: Any, target: str, layer: int) -> Any:
    """Wait until a cell is shown and its cell alone has a frame; return its heading."""
    heading = page.get_by_role("heading", name=re.compile(rf"^{target}, layer {layer}"))
    heading.wait_for()
    framed = page.locator(".heatmap td [aria-current=true]")
    framed.and_(cell_of(page, target, layer)).wait_for()
    until(page, framed.count, lambda count: count == 1)
    return heading


@pytest.mark.long
def test_a_cell_is_chosen_by_the_keyboard_and_stands_beside_the_heatmap(
    page: Any, own: tuple[str, Store]
) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    open_page(page, own[0])
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Layer discovery").click()
    first = page.locator(".heatmap td button[tabindex='0']")
    first.wait_for()
    at_rest(page)
    best = target_and_layer(first)
    before = page.locator(".heatmap td button").first.evaluate("one => one.style.cssText")
    first.focus()
    for _ in range(30):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    wanted = page.locator(".heatmap td button:focus")
    words = wanted.get_attribute("aria-label")
    target, layer = target_and_layer(wanted)
    assert wanted.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    heading = detail_of(page, target, layer)
    page.locator(".heatmap [role=status]").filter(has_text=f"Chosen: {words}").wait_for()
    at_rest(page)

    def beside() -> bool:  # and both are in sight
        cell, detail = cell_of(page, target, layer).bounding_box(), heading.bounding_box()
        return bool(
            detail["x"] > cell["x"] + cell["width"]
            and 0 < detail["y"] < 720
            and 0 < cell["y"] < 720
        )

    until(page, beside)
    faded = page.locator(".heatmap td button").first.evaluate("one => one.style.cssText")
    assert faded == before
    page.go_back()  # one press undoes one choice
    detail_of(page, *best)
    no_error(page)


@pytest.mark.long
def test_on_a_phone_the_heatmap_is_a_list(
    visit: Callable[..., Any], own: tuple[str, Store]
) -> None:
    address, store = own
    page = visit(viewport={"width": 390, "height": 844})
    asked = "dataset=demo&encoder=spectral&target=tempo&layer=99&value=r3"
    open_page(page, address, f"discovery?{asked}")
    page.locator("[class*='st-key-cell-predicted']").wait_for()  # the page was run again for it
    for missing in ("layer 99 of tempo", "value r3"):
        page.get_by_text(f"The link asks for what is not here: {missing}").wait_for()
    assert not page.locator(".heatmap table").is_visible()
    line = page.locator(".heatmap .list button").filter(has_text="onset density")
    assert re.search(r"best layer .+: R² 0\.\d\d \[", line.inner_text())
    layers = store.discoveries.read("demo", "spectral").layer_names
    assert line.locator(".strip i").count() == len(layers)
    line.click()
    heading = page.get_by_role("heading", name=re.compile("^onset density, layer"))
    heading.wait_for()
    until(page, lambda: 0 < heading.bounding_box()["y"] < 300)
    until(page, lambda: page.evaluate("document.documentElement.scrollWidth") <= 390)
    main = page.get_by_test_id("stMain")
    for part in ("", "discovery"):
        open_page(page, address, part)
        page.locator(".heatmap .list button").first.wait_for()
        until(page, lambda: main.evaluate("one => one.scrollWidth") <= 390)


@pytest.mark.long
@pytest.mark.usefixtures("segments")
def test_the_point_of_a_segment_plays_from_its_offset(page: Any, own: tuple[str, Store]) -> None:
    address, _ = own
    open_page(page, address, "discovery")
    page.locator(".heatmap table").wait_for()
    page.get_by_text("segments of 5 s").click()
    page.get_by_text(re.compile(r"never saw\. \d+ segments of \d+ works")).wait_for()
    plot = chart(page, "cell-predicted")
    # The third segment that lies farthest from any other point: a click hits no neighbour.
    track, segment = plot.evaluate(
        """plot => {
            const {x, y, customdata} = plot._fullData[0];
            const {xaxis, yaxis} = plot._fullLayout;
            const at = Array.from(x, (_, i) => [xaxis.d2p(x[i]), yaxis.d2p(y[i])]);
            const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
            const apart = i => Math.min(...at.map(
                (other, k) => k === i ? Infinity : distance(other, at[i])));
            const thirds = at.map((_, i) => i).filter(i => customdata[i][1] === 2);
            return customdata[thirds.sort((a, b) => apart(b) - apart(a))[0]];
        }"""
    )
    click_point(page, plot, [track, segment])
    page.get_by_text(re.compile(r", 0:10$")).last.wait_for()
    player = page.locator(".player").first
    hear(page, player)
    assert "start=10&seconds=5" in player.locator("audio").get_attribute("src")
    no_error(page)


@pytest.mark.long
def test_the_heatmap_shows_other_numbers_and_is_saved_as_picture(
    page: Any, own: tuple[str, Store]
) -> None:
    page.emulate_media(color_scheme="dark")
    open_page(page, own[0], "discovery")
    page.get_by_text("significance", exact=True).click()
    page.get_by_text("−log₁₀ of the family-wise p").wait_for()
    page.get_by_text("The heatmap as a figure to save").click()
    plot = chart(page, "figure-")
    for format_, begins in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=f"Figure as {format_}").click()
        saved = waiting.value
        assert saved.suggested_filename == f"demo-spectral-track-p_family.{format_.lower()}"
        content = Path(saved.path()).read_bytes()
        assert content.startswith(begins) and len(content) > 10_000
        wide = plot.evaluate("plot => plot._fullLayout.width")
        if format_ == "PNG":
            check_picture(content, width=2 * wide)
        else:
            assert b"Arial" in content and b"Source Sans" not in content
    # The chart of the page is as before.
    assert plot.evaluate("plot => getComputedStyle(plot.querySelector('.ytick text')).fill") != (
        "rgb(34, 34, 34)"
    )
    no_error(page)


def check_picture(content: bytes, *, width: int) -> None:
    """Fail unless a saved figure is dark on white, of its size, with an empty margin all around."""
    with Image.open(io.BytesIO(content)) as opened:
        shape = opened.size
        pixels = np.asarray(opened.convert("RGBA"))
    assert shape[0] == pytest.approx(width, abs=2)
    assert (pixels[..., 3] == 255).all()
    edge = np.concatenate([pixels[:, :2], pixels[:, -2:]], axis=1)  # a label that is cut is here
    assert (edge[..., :3] > 240).all()
    assert (pixels[..., :3].mean(axis=-1) > 100).mean() > 0.5


@pytest.mark.long
@pytest.mark.usefixtures("segments")
def test_two_discoveries_are_compared_and_everything_can_be_taken_away(
    page: Any, own: tuple[str, Store]
) -> None:
    open_page(page, own[0], "discovery")
    open_tab(page, "Compare")
    page.get_by_text("Nested R² is higher in the first for").wait_for()
    sides = page.locator("[class*='st-key-side-'] .heatmap table")
    until(page, sides.count, lambda count: count == 2)
    page.wait_for_url(re.compile("difference="))
    first = page.url
    said = choose_by_keys(page, "difference-", "Control+Home", "ArrowRight", "ArrowDown")
    target, column = said.split(", ")[:2]
    detail_ = page.get_by_role("heading", name=f"{target}, {column}", exact=True)
    detail_.wait_for()
    before = wait_for_address(page, first)
    shown = said.split("difference ")[1].split(",")[0]
    page.get_by_text(f"Difference {shown}. Their 95 % intervals").wait_for()
    cell = page.locator("[class*='st-key-difference-'] .heatmap td [aria-current=true]")
    assert detail_.bounding_box()["x"] > cell.bounding_box()["x"] + cell.bounding_box()["width"]
    reload(page)
    detail_.wait_for()
    choose_by_keys(page, "difference-", "ArrowLeft")
    detail_.wait_for(state="hidden")
    wait_for_address(page, before)
    page.go_back()  # one press undoes one choice
    detail_.wait_for()
    page.get_by_text("The difference as a figure to save").click()
    chart(page, "figure-")
    open_tab(page, "Layers")
    page.get_by_text("Bands are 95 % intervals").wait_for()
    open_tab(page, "Download")
    page.get_by_text("# Methods: demo by spectral").wait_for()
    for button, begins in (
        ("All cells as CSV", b"layer,target,r2"),
        ("Methods section as Markdown", b"# Methods: demo by spectral"),
        ("Full report as HTML", b"<!doctype html>"),
    ):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=button).click()
        assert Path(waiting.value.path()).read_bytes().startswith(begins)
    no_error(page)


@pytest.mark.long
def test_what_was_not_tested_can_be_started(page: Any, own: tuple[str, Store]) -> None:
    open_page(page, own[0], "discovery")
    open_tab(page, "Robustness")
    page.get_by_text("With fewer works").wait_for()
    page.get_by_role("button", name="Test the targets").wait_for()
    open_tab(page, "Sliders")
    page.get_by_text("Spearman of rank and true |Δ|").wait_for()
    page.get_by_text("Recordings that differ in one thing").wait_for()
    no_error(page)


def test_a_broken_discovery_is_one_line_and_a_button(page: Any, own: tuple[str, Store]) -> None:
    address, store = own
    (table,) = store.root.glob("processed/discovery/demo/spectral.predictions.parquet")
    (record,) = store.root.glob("processed/discovery/demo/spectral.json")
    for path in (table, record):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        record.touch()  # nothing of it is kept in memory
        try:
            open_page(page, address, "discovery")
            page.get_by_text("is damaged.").wait_for()
            page.get_by_text("mess probe --dataset demo --encoder spectral").first.wait_for()
            page.get_by_role("button", name="Run it now").wait_for()
            assert page.locator(".heatmap table").is_visible() == (path == table)
            no_error(page)
        finally:
            path.write_bytes(whole)
