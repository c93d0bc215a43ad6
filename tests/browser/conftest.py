"""A real dashboard over a real, small demo library, in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_acts import PATIENCE
from browser_server import CHROMIUM_FLAGS, chromium, serve

# Without a graphics card what moves while a page loads costs more than the page itself.
_STILL = """addEventListener('DOMContentLoaded', () => {
    const style = document.createElement('style');
    style.textContent = '*, *::before, *::after { animation: none !important }';
    document.head.append(style);
})"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip browser tests, with the reason, where there is no Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            # What waited in vain for a busy machine is tried once more; a wrong answer is not.
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=["TimeoutError"]))
            if chromium() is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


@pytest.fixture(scope="session")
def dashboard(demo_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard over the library."""
    process, address = serve(demo_library, tmp_path_factory.mktemp("log") / "streamlit.log")
    yield address
    process.terminate()
    process.wait(timeout=PATIENCE)


@pytest.fixture(scope="session")
def empty_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard over an empty data root, which trusts the host mess.test."""
    root = tmp_path_factory.mktemp("empty")
    process, address = serve(root / "data", root / "streamlit.log", hosts="mess.test")
    yield address
    process.terminate()
    process.wait(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """An empty page that fails the test if it asks another host for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(_STILL)
    opened = context.new_page()
    opened.set_default_timeout(1000 * PATIENCE)
    foreign: list[str] = []
    opened.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
            else foreign.append(request.url)
        ),
    )
    yield opened
    context.close()
    assert not foreign, f"the page asked other hosts: {foreign}"
