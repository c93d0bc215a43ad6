"""A real dashboard over a real, small demo library, in a real Chromium."""

import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import Popen
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser_acts import PATIENCE
from browser_server import CHROMIUM_FLAGS, Serve, chromium, serve

from dashboard.jobs import queue
from mess.storage.store import Store

# Without a graphics card what moves while a page loads costs more than the page itself.
_STILL = """addEventListener('DOMContentLoaded', () => {
    const style = document.createElement('style');
    style.textContent = '*, *::before, *::after { animation: none !important }';
    document.head.append(style);
})"""
_MOST_SHOWN = 6000  # letters of a page, in the report of a failure


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip browser tests, with the reason, where there is no Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            # What waited in vain for a busy machine is tried once more; a wrong answer is not.
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=["TimeoutError"]))
            if chromium() is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the page showed to the report of a test that failed."""
    report = yield
    page = getattr(item, "funcargs", {}).get("page")
    if report.failed and call.when == "call" and page is not None:
        with suppress(Exception):  # the browser itself may have failed
            shown = page.locator("body").inner_text(timeout=5000)
            report.longrepr.addsection("page", f"{page.url}\n{shown[:_MOST_SHOWN]}")
    return report


@pytest.fixture(scope="session")
def demo_library(demo_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that all workers read, with baskets, files and jobs of this worker's own."""
    root = tmp_path_factory.mktemp("demo")
    for name in ("audio", "processed"):
        (root / name).symlink_to(demo_library / name, target_is_directory=True)
    return root


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


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start a dashboard over a data root, which ends with the test, as do the jobs of that root.

    A job that goes on takes time from the next try.
    """
    started: list[tuple[Path, Popen[bytes]]] = []

    def start(root: Path) -> tuple[Popen[bytes], str]:
        process, address = serve(root, tmp_path_factory.mktemp("log") / "streamlit.log")
        started.append((root, process))
        return process, address

    yield start
    for _, process in started:
        process.kill()
        process.wait(timeout=PATIENCE)
    for root in {root for root, _ in started}:
        _end_jobs(Store(root))


def _end_jobs(store: Store) -> None:
    """Cancel what runs and what waits."""
    deadline = time.monotonic() + PATIENCE
    while (active := queue.active_jobs(store)) and time.monotonic() < deadline:
        for job in active:
            queue.cancel(store, job)
        time.sleep(0.2)


@pytest.fixture
def own_library(demo_library: Path, tmp_path: Path) -> Store:
    """A copy of the library, which the test may change: a second try begins with another one."""
    store = Store(tmp_path / "data")
    shutil.copytree(demo_library / "processed", store.root / "processed")
    (store.root / "audio").mkdir()
    (store.root / "audio" / "demo").symlink_to((demo_library / "audio" / "demo").resolve())
    return store


@pytest.fixture(scope="session")
def playwright() -> Iterator[Any]:
    """What drives Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Any) -> Iterator[Any]:
    """A headless Chromium that keeps nothing, for further visitors."""
    launched = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
    yield launched
    launched.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open an empty page in a browser of its own, of which nothing is left after the test."""
    opened: list[Any] = []

    def new_page(**options: Any) -> Any:
        opened.append(browser.new_context(**options))
        opened[-1].set_default_timeout(1000 * PATIENCE)
        return opened[-1].new_page()

    yield new_page
    for context in opened:
        context.close()


@pytest.fixture(scope="session")
def profile(playwright: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium with a profile on disk.

    There it keeps the scripts of Streamlit and Plotly as it compiled them. Compiling takes a second
    and more, and would be done for every page.
    """
    context = playwright.chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"),
        executable_path=chromium(),
        args=CHROMIUM_FLAGS,
        viewport={"width": 1280, "height": 900},
    )
    context.add_init_script(_STILL)
    context.set_default_timeout(1000 * PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(profile: Any) -> Iterator[Any]:
    """An empty page: the test fails if it asks another host, or if a component of ours fails."""
    opened = profile.new_page()
    foreign: list[str] = []
    failed: list[str] = []
    opened.on("pageerror", lambda error: failed.append(error.stack or str(error)))

    def note(request: Any) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            foreign.append(request.url)

    profile.on("request", note)
    yield opened
    address = opened.url
    profile.remove_listener("request", note)
    for each in profile.pages[1:]:
        each.close()
    _forget(profile, address)
    assert not foreign, f"the page asked other hosts: {foreign}"
    ours = [stack for stack in failed if "st-bidi-mess." in stack]  # as Streamlit names scripts
    assert not ours, ours


def _forget(profile: Any, address: str) -> None:
    """Let the next test find nothing that this one left in the browser, but scripts."""
    profile.clear_cookies()
    parts = urlsplit(address)
    left = {"origin": f"{parts.scheme}://{parts.netloc}", "storageTypes": "local_storage,indexeddb"}
    first = profile.pages[0]  # which no test uses; it keeps Chromium open
    session = profile.new_cdp_session(first)
    session.send("Storage.clearDataForOrigin", left)
    session.detach()
