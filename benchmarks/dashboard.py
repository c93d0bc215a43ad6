"""Measure how the dashboard feels, in a real browser: ``make bench-dashboard``.

A library of 1,276 tracks with planted answers is written to a temporary folder and served; what a
person waits for is timed between an action and the change on the screen. One recording lasts ten
minutes. Each figure stands beside what it should be.
"""

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import soundfile
from browser_server import CHROMIUM_FLAGS, chromium, serve
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.synthetic import Shape, write_library
from benchmarks.workload import RATE, music
from mess.storage.store import Store

TRACKS, SESSIONS, MINUTE = 1276, 20, 60.0
_LISTED = """
(before) => {
    const now = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
        .flatMap(host => [...(host.shadowRoot?.querySelectorAll('li .head') ?? [])])
        .map(head => head.textContent).join('|');
    return now && now !== before ? now : false;
}"""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    wanted: str


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=MINUTE, help="of the crowd of sessions")
    parser.add_argument("--data", type=Path, help="where the library is kept for another run")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = Store(asked.data or Path(folder) / "data")
        if not store.indices.available():
            write_library(store, Shape(tracks=TRACKS))
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        print("\n| what | here | wanted |\n| --- | --- | --- |", flush=True)
        for row in _measure(browser, store, Path(folder), seconds=asked.seconds):
            print(f"| {row.what} | {row.measured} | {row.wanted} |", flush=True)


def _measure(browser: Browser, store: Store, folder: Path, *, seconds: float) -> Iterator[Row]:
    """Measure one thing after the other."""
    for path, what, selector, wanted in (
        ("", "a title is painted", "h1", "≤ 3 s"),
        ("discovery", "a heatmap is painted", ".heatmap td", "≤ 4 s"),
    ):
        times = [_cold_start(browser, store, folder, path, selector) for _ in range(3)]
        yield Row(f"server start until {what}", f"{statistics.median(times):.1f} s", wanted)
    server, address = serve(store.root, folder / "log")
    try:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(60_000)
        page.goto(f"{address}/recommend")
        page.locator("li h3").nth(4).wait_for()
        yield from _switches(page)
        yield _sliders(page)
        yield _audio(page, store)
        yield Row(
            f"memory with {TRACKS:,} tracks loaded", f"{_resident(server.pid):.0f} MB", "≤ 350"
        )
        page.close()
        yield _crowd(browser, address, seconds=seconds)
        yield Row(f"memory after {SESSIONS} sessions", f"{_resident(server.pid):.0f} MB", "")
    finally:
        server.terminate()
        server.wait(timeout=20)


def _cold_start(browser: Browser, store: Store, folder: Path, path: str, selector: str) -> float:
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    began = time.perf_counter()
    server, address = serve(store.root, folder / "log", every=0.05)
    try:
        page.goto(f"{address}/{path}")
        page.locator(selector).first.wait_for()
        return time.perf_counter() - began
    finally:
        page.close()
        server.terminate()
        server.wait(timeout=20)


def _timed(act: Callable[[], object], seen: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    seen()
    return time.perf_counter() - began


def _switches(page: Page) -> Iterator[Row]:
    times = []
    for name in ("Layer discovery", "Recommend", "Home") * 3:
        title = re.compile("MESS" if name == "Home" else name)
        link = page.get_by_test_id("stSidebarNavLink").filter(has_text=name).first
        heading = page.get_by_role("heading", level=1, name=title)
        times.append(_timed(link.click, heading.wait_for))
        page.wait_for_timeout(700)
    yield Row("page switch (median of 9)", f"{statistics.median(times):.2f} s", "≤ 0.5 s")


def _sliders(page: Page) -> Row:
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Recommend").first.click()
    page.locator("li h3").nth(4).wait_for()
    times = []
    for number in range(12):
        slider = page.get_by_role("slider", name=re.compile("R²")).nth(1 + number % 2)
        slider.focus()
        before = page.evaluate(_LISTED, "")
        key = "PageUp" if number < 6 else "PageDown"
        times.append(
            _timed(
                lambda key=key: page.keyboard.press(key),  # type: ignore[misc]
                lambda before=before: page.wait_for_function(  # type: ignore[misc]
                    _LISTED, arg=before, polling=10
                ),
            )
        )
        page.wait_for_timeout(400)
    return Row(
        f"slider to new results, {TRACKS:,} tracks (median of 12)",
        f"{statistics.median(times):.2f} s",
        "≤ 0.3 s",
    )


def _audio(page: Page, store: Store) -> Row:
    """Make the query's recording ten minutes long and play it from its middle, uncut before."""
    manifest = store.features.manifest("bench", "mert-v1-95m").done()
    track, entry = next(iter(manifest.items()))
    path = store.audio_dir("bench") / entry.path
    path.unlink()  # it shares its file with others
    minute = music(60)
    with soundfile.SoundFile(path, "w", RATE, 2) as sink:
        for _ in range(10):
            sink.write(minute)
    began_to_sound = """async ({track, start}) => {
        const words = new URLSearchParams({dataset: "bench", encoder: "mert-v1-95m", track, start,
            seconds: 30});
        const audio = new Audio();
        const began = performance.now();
        audio.src = "/sounds/clip?" + words;
        await audio.play();
        while (audio.currentTime === 0) await new Promise(done => setTimeout(done, 2));
        audio.pause();
        return (performance.now() - began) / 1000;
    }"""
    times = [
        page.evaluate(began_to_sound, {"track": track, "start": start})
        for start in (0, 60, 300, 420, 560)
    ]
    return Row(
        "click to sound, 10-minute FLAC (median of 5 places)",
        f"{statistics.median(times):.2f} s",
        "≤ 0.3 s",
    )


def _resident(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1e3  # type: ignore[union-attr]


def _crowd(browser: Browser, address: str, *, seconds: float) -> Row:
    """Let many sessions move sliders; each must end with its own weight and no error."""
    contexts = [browser.new_context() for _ in range(SESSIONS)]
    pages = [context.new_page() for context in contexts]
    wanted = {}
    for page in pages:
        page.set_default_timeout(120_000)
        page.goto(f"{address}/recommend")
    for page in pages:
        page.locator("li h3").first.wait_for()
    end, moves = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for page in pages:
            page.get_by_role("slider", name=re.compile("R²")).first.focus()
            page.keyboard.press("ArrowLeft")
            moves += 1
    for number, page in enumerate(pages):
        slider = page.get_by_role("slider", name=re.compile("R²")).first
        slider.focus()
        page.keyboard.press("Home")
        for _ in range(number % 10 + 1):
            page.keyboard.press("ArrowRight")
        wanted[number] = slider.get_attribute("aria-valuenow")
    wrong = errors = 0
    for number, page in enumerate(pages):
        page.wait_for_timeout(200)
        slider = page.get_by_role("slider", name=re.compile("R²")).first
        errors += page.get_by_test_id("stException").count()
        value = float(wanted[number] or 0)
        try:
            page.wait_for_url(re.compile(rf"(:|%3A){value:g}(\D|$)"), timeout=20_000)
        except Exception:
            wrong += 1
        wrong += slider.get_attribute("aria-valuenow") != wanted[number]
    for context in contexts:
        context.close()
    return Row(
        f"{SESSIONS} sessions, {seconds:.0f} s, {moves} moves",
        f"{errors} errors, {wrong} with another's state",
        "0, 0",
    )


if __name__ == "__main__":
    main()
