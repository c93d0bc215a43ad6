"""Make the README's pictures from the demo library: ``make screenshots``."""

import tempfile
from pathlib import Path
from typing import Any

from browser_server import CHROMIUM_FLAGS, REPOSITORY, chromium, serve
from playwright.sync_api import sync_playwright

from mess.store import Store

IMAGES = REPOSITORY / "docs" / "images"


def settle(page: Any) -> None:
    """Wait until Streamlit has finished and nothing moves."""
    page.get_by_role("heading", level=1).first.wait_for()
    page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")
    page.wait_for_timeout(1500)


def main() -> None:
    """Write one PNG a page to docs/images."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server, address = serve(Store().root.absolute(), Path(folder) / "log")
        try:
            browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            for path, name in (
                ("", "home"),
                ("discovery", "discovery"),
                ("recommend", "recommend"),
            ):
                page.goto(f"{address}/{path}")
                if name == "discovery":
                    page.locator(".js-plotly-plot").nth(1).wait_for()
                settle(page)
                if name == "recommend":
                    page.get_by_role("button", name="Timbre", exact=True).click()
                    page.get_by_role("button", name="Values", exact=True).click()
                    settle(page)
                page.screenshot(path=IMAGES / f"{name}.png")
                print(IMAGES / f"{name}.png")
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
