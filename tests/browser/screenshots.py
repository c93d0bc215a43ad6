"""Make the pictures of the docs: ``make screenshots``. Each page, both themes, screen and phone.

What ``make run`` makes behind the open page (a map, a comparison, music that is changed) is made
first, and a plan for listeners: half an hour where nothing of it is there.
"""

import io
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from browser_server import CHROMIUM_FLAGS, REPOSITORY, chromium, serve
from PIL import Image
from playwright.sync_api import sync_playwright

from dashboard.jobs.completion import missing_of_demo
from mess.encoders import by_interest
from mess.storage.store import Store

IMAGES = REPOSITORY / "docs" / "images"
SIZE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
_COLOURS = 128  # of a small picture


def settle(page: Any) -> None:
    """Wait until Streamlit has finished and nothing moves."""
    page.get_by_test_id("stMain").get_by_role("heading", level=1).first.wait_for()
    page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")
    page.wait_for_timeout(2500)


def _recommend(page: Any) -> None:
    page.get_by_role("button", name="Timbre", exact=True).click()
    page.get_by_role("button", name="Values", exact=True).click()


def _in_time(page: Any) -> None:
    page.get_by_text("Where does it go like this?").click()
    page.locator(".hits .legend span").first.wait_for()


def _listen(page: Any) -> None:
    page.get_by_role("button", name="I agree: begin").click()
    page.locator(".part.x.playing").wait_for()


def _your_audio(page: Any) -> None:
    store = Store()
    track = next(iter(sorted(store.audio_dir("demo").glob("**/*.flac"))))
    page.locator("input[type=file]").set_input_files(track)
    page.locator("li h3").first.wait_for(timeout=120_000)


def _basket(page: Any) -> None:
    store = Store()
    tracks = list(store.features.manifest("demo", "spectral").done())[:3]
    page.locator("input[type=file]").set_input_files(
        {
            "name": "mine.csv",
            "mimeType": "text/csv",
            "buffer": (
                "track,kept,tags,note\n"
                + "".join(
                    f"{track},{kept},{tags},{note}\n"
                    for track, kept, tags, note in zip(
                        tracks,
                        ("like", "found", "unlike"),
                        ("slow; strings", "slow", "dance"),
                        ("for the opening", "", "too bright"),
                        strict=True,
                    )
                )
            ).encode(),
        }
    )
    page.locator(".hits li").nth(2).wait_for()


def _nothing(_: Any) -> None:
    """Show the page as it opens."""


PAGES: tuple[tuple[str, str, Callable[[Any], None]], ...] = (
    ("", "home", _nothing),
    ("discovery", "discovery", _nothing),
    ("compare", "compare", _nothing),
    ("recommend", "recommend", _recommend),
    ("passages", "passages", _nothing),
    ("in_time", "in-time", _in_time),
    ("doses", "doses", _nothing),
    ("listen", "listen", _listen),
    ("your_audio", "your-audio", _your_audio),
    ("basket", "basket", _basket),
    ("map", "map", _nothing),
    ("repeats", "repeats", _nothing),
    ("targets", "targets", _nothing),
    ("experiments", "experiments", _nothing),
)


def picture_phone(page: Any, target: Path) -> None:
    """Write what a phone shows of a page that is open and at rest, in few colours."""
    page.set_viewport_size(PHONE)
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
    page.wait_for_timeout(1200)  # figures are laid out anew, the sidebar folds
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(_COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    page.set_viewport_size(SIZE)


def make_ready(store: Store) -> None:
    """Run the pipelines whose results the pages show and that the demo leaves out."""
    encoder = by_interest(store.features.encoders("demo"))[0]
    plan = ["judge", "--dataset", "demo", "--encoder", encoder, "--", "plan"]
    for command in [*missing_of_demo(store), plan]:
        subprocess.run([sys.executable, "-m", "pipelines.cli", *command], check=True)


def main() -> None:
    """Write four PNGs a page to docs/images and its folder for phones."""
    (IMAGES / "phone").mkdir(parents=True, exist_ok=True)
    store = Store()
    make_ready(store)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server, address = serve(store.root.absolute(), Path(folder) / "log")
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        try:
            for theme in ("light", "dark"):
                page = browser.new_context(viewport=SIZE, color_scheme=theme).new_page()
                for path, name, act in PAGES:
                    page.goto(f"{address}/{path}")
                    settle(page)
                    act(page)
                    settle(page)
                    target = IMAGES / f"{name}-{theme}.png"
                    page.screenshot(path=target)
                    picture_phone(page, IMAGES / "phone" / target.name)
                    print(target, flush=True)
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
