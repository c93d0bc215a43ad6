"""Measure how soon a map of many points is painted, and how soon a lasso answers.

``python -m benchmarks.map_points`` prints a row for regl-scatterplot, which draws the page Map, and
one for Plotly's scattergl, which drew it before. Both draw the same synthetic points in the
Chromium of this machine; without a graphics card it computes WebGL on the processor.
``--page`` measures the page Map itself, over a synthetic library with a track for each point.
"""

import argparse
import statistics
import tempfile
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import plotly
from browser_acts import at_rest
from browser_server import CHROMIUM_FLAGS, chromium, serve
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.synthetic import Shape, plant, write_library
from mess.maps import CLUSTERS, cluster_rows, make_plane_map
from mess.records.map import MapPoints, MapRecord
from mess.storage.store import Store
from mess.versions import MAPS_VERSION

_REPOSITORY = Path(__file__).parents[1]
_FILES = {
    "/regl.js": _REPOSITORY / "dashboard" / "components" / "regl_scatterplot.js",
    "/plotly.js": Path(plotly.__file__).parent / "package_data" / "plotly.min.js",
}
_PAGE = """<!doctype html><body style="margin:0">
<div id="frame" style="width:1000px;height:560px"><canvas id="canvas"></canvas></div><script>
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442",
    "#6f5fd0", "#b04060"];
function made(count) {
    const x = new Float32Array(count), y = new Float32Array(count), group = new Uint8Array(count);
    let state = 7;
    const random = () => (state = (state * 16807) % 2147483647) / 2147483647;
    const noise = () => 0.3 * (random() + random() + random() - 1.5);
    for (let row = 0; row < count; row++) {
        group[row] = row % 9;
        x[row] = 0.55 * Math.cos((2 * Math.PI * group[row]) / 9) + noise();
        y[row] = 0.55 * Math.sin((2 * Math.PI * group[row]) / 9) + noise();
    }
    return {x, y, group};
}
const painted = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
async function withPlotly(count) {
    const {x, y, group} = made(count), began = performance.now();
    const script = document.createElement("script");
    script.src = "/plotly.js";
    document.head.append(script);
    await new Promise(done => (script.onload = done));
    document.getElementById("canvas").remove();
    const traces = COLOURS.map((color, one) => {
        const rows = [...group.keys()].filter(row => group[row] === one);
        return {type: "scattergl", mode: "markers", marker: {size: 3, color}, customdata: rows,
            x: rows.map(row => x[row]), y: rows.map(row => y[row])};
    });
    await Plotly.newPlot("frame", traces, {width: 1000, height: 560, dragmode: "lasso",
        margin: {l: 0, r: 0, t: 0, b: 0}, showlegend: false, hovermode: "closest"});
    await painted();
    window.picked = new Promise(done => document.getElementById("frame").on("plotly_selected",
        async event => { await painted(); done(event.points.length); }));
    return performance.now() - began;
}
async function withRegl(count) {
    const {x, y, group} = made(count), began = performance.now();
    const {default: create} = await import("/regl.js");
    const scatter = create({canvas: document.getElementById("canvas"), width: 1000, height: 560,
        pointSize: 3, colorBy: "category", pointColor: COLOURS, mouseMode: "lasso"});
    await scatter.draw({x, y, category: Float32Array.from(group)}, {zDataType: "categorical"});
    await painted();
    window.picked = new Promise(done => scatter.subscribe("select",
        async ({points}) => { await painted(); done(points.length); }));
    return performance.now() - began;
}
</script></body>"""
_LASSO = ((150, 60), (850, 60), (850, 500), (150, 500), (150, 70))
_KINDS = {"regl-scatterplot": "withRegl", "Plotly scattergl": "withPlotly"}


class _Files(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer with the page or a script."""
        path = _FILES.get(self.path)
        content = path.read_bytes() if path else _PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if path else "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=50_000)
    parser.add_argument("--times", type=int, default=3, help="the median is printed")
    parser.add_argument("--page", action="store_true", help="the page Map, once")
    asked = parser.parse_args()
    if asked.page:
        _measure_page(asked.points)
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        print(
            f"\n| {asked.points:,} points | script | painted | drag of the lasso | picked after |"
        )
        print("| --- | --- | --- | --- | --- |", flush=True)
        for name, call in _KINDS.items():
            found = [_measure(browser, address, call, asked.points) for _ in range(asked.times)]
            paint, drag, pick = (statistics.median(column) for column in zip(*found, strict=True))
            size = _FILES["/regl.js" if "regl" in name else "/plotly.js"].stat().st_size / 1e6
            print(
                f"| {name} | {size:.1f} MB | {paint:.1f} s | {drag:.1f} s | {pick:.1f} s |",
                flush=True,
            )
        browser.close()
    server.shutdown()


def _measure(browser: Browser, address: str, call: str, points: int) -> tuple[float, float, float]:
    """Return the seconds until points are painted, of dragging a lasso, and until it answers."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(120_000)
    page.goto(address)
    paint = page.evaluate(f"{call}({points})") / 1000
    page.mouse.move(*_LASSO[0])
    page.mouse.down()
    began = time.perf_counter()
    for x, y in _LASSO[1:]:
        page.mouse.move(x, y, steps=5)
    drag = time.perf_counter() - began
    began = time.perf_counter()
    page.mouse.up()
    count = page.evaluate("window.picked")
    pick = time.perf_counter() - began
    if not points / 3 < count <= points:
        raise AssertionError(f"{call} picked {count} of {points} points")
    page.close()
    return paint, drag, pick


def write_map(store: Store, shape: Shape) -> None:
    """Write a map of a synthetic library, by the layer that the page shows first."""
    planted = plant(shape)
    count = len(planted.about)
    found = make_plane_map(planted.latent.astype(np.float32))
    record = MapRecord(
        dataset=shape.dataset,
        encoder=shape.encoder,
        level="track",
        layer=0,
        layer_name="0",
        method="pca",
        seed=0,
        clusters=CLUSTERS,
        code_version=MAPS_VERSION,
        features=store.features.manifest(shape.dataset, shape.encoder).digest(),
        n=count,
        settings=found.settings,
        explained=found.explained,
        trust=None,
        tracks=list(planted.about),
    )
    points = MapPoints(
        track=np.arange(count, dtype=np.int32),
        segment=np.full(count, -1, dtype=np.int32),
        points=found.points,
        cluster=cluster_rows(found.reduced),
    )
    store.maps.write(record, points)


def _measure_page(points: int) -> None:
    """Print what a person waits for on the page Map."""
    shape = Shape(tracks=points, layers=2, dim=8, names_only=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = Store(Path(folder) / "data")
        write_library(store, shape)
        write_map(store, shape)
        server, address = serve(store.root, Path(folder) / "log")
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(300_000)
            page.goto(f"{address}/map?dataset={shape.dataset}&encoder={shape.encoder}&layer=0")
            print(f"\n| the page Map, {points:,} tracks | seconds |\n| --- | --- |")
            page.locator(f".scatter[data-drawn='{points}']").wait_for()
            for what, act in _ACTS.items():
                at_rest(page)
                began = time.perf_counter()
                act(page)
                print(f"| {what} | {time.perf_counter() - began:.1f} |", flush=True)
        finally:
            browser.close()
            server.kill()
            server.wait()


def _reload(page: Page) -> None:
    page.reload()
    page.locator(".scatter[data-drawn]").wait_for()
    at_rest(page)


def _lasso(page: Page) -> None:
    """Draw around nearly all points; the time of drawing counts, too."""
    box = page.locator(".scatter canvas").bounding_box()
    if box is None:
        raise AssertionError("the map is not drawn")
    left, top, wide, high = box["x"], box["y"], box["width"], box["height"]
    page.mouse.move(left + 2, top + 2)
    page.mouse.down()
    for x, y in ((wide - 2, 2), (wide - 2, high - 2), (2, high - 2), (2, 5)):
        page.mouse.move(left + x, top + y, steps=5)
    page.mouse.up()
    page.locator(".results li").first.wait_for()


def _recolour(page: Page) -> None:
    before = page.evaluate("messMap.colours")
    page.get_by_role("combobox", name="Colour", exact=True).click()
    page.get_by_role("option", name="work", exact=True).click()
    page.wait_for_function("before => messMap.colours !== before", arg=before)


def _export(page: Page) -> None:
    page.get_by_text("Export, link").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    download.value.path()
    page.keyboard.press("Escape")


def _more(page: Page) -> None:
    page.get_by_text("More like these").click()
    page.locator(".results li:has(.bar)").first.wait_for()


_ACTS = {
    "opened again": _reload,
    "a lasso around all is drawn, and the first are listed": _lasso,
    "another colour, with all picked": _recolour,
    "opened again, with all picked": _reload,
    "all picked as a CSV file": _export,
    "more like these, the first time": _more,
}


if __name__ == "__main__":
    main()
