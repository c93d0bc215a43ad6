"""Measure how soon a map of many points is painted, and how soon a lasso answers.

``python -m benchmarks.map_points`` prints a row for regl-scatterplot, which draws the page Map, and
one for Plotly's scattergl, which drew it before. Both draw the same synthetic points in the
Chromium of this machine; without a graphics card it computes WebGL on the processor.
"""

import argparse
import statistics
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import plotly
from browser_server import CHROMIUM_FLAGS, chromium
from playwright.sync_api import Browser, sync_playwright

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
    asked = parser.parse_args()
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


if __name__ == "__main__":
    main()
