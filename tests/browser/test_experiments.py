"""The recorded runs as a table, two of them compared, and MLflow's own pages."""

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from browser_acts import at_rest, heat_cells, no_error, open_page, reload, until
from browser_server import Serve, serve
from layouts import write_piece
from playwright.sync_api import TimeoutError

from dashboard.server import mlflow_server
from mess.records.discovery import ProbeSettings
from mess.storage.store import Store
from mess.tracking.recording import start_run
from pipelines.run_probing import run_probing

pytestmark = pytest.mark.skipif(find_spec("mlflow") is None, reason="MLflow is of the extra 'ml'")


@pytest.fixture(scope="module")
def store(
    demo_library: Path, empty_mlflow: Path, tmp_path_factory: pytest.TempPathFactory
) -> Store:
    """The demo library with two probings and one other run."""
    root = tmp_path_factory.mktemp("experiments") / "data"
    shutil.copytree(demo_library, root)
    store = Store(root)
    shutil.copy(empty_mlflow, store.mlflow_db)
    for folds in (3, 4):
        quick = ProbeSettings(
            folds=folds, permutations=0, bootstrap=10, repeats=1, controls=False, frames="off"
        )
        run_probing(dataset="demo", encoder="spectral", settings=quick, store=store)
    with start_run("evaluate <b>x</b>", store=store, tags={"dataset": "<b>x</b>"}):
        pass
    return store


@pytest.fixture(scope="module")
def address(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, found = serve(store.root, tmp_path_factory.mktemp("log") / "log")
    yield found
    mlflow_server.stop(store)
    process.kill()


def tick(page: Any, row: int) -> None:
    """Tick a row of the table of runs, which is a canvas."""
    cells(page)
    table = page.get_by_test_id("stDataFrame").first
    told = table.locator(f"canvas [role=row][aria-rowindex='{row + 2}']")  # after the titles

    def ticked() -> bool:
        if told.get_attribute("aria-selected") != "true":
            box = table.bounding_box()
            page.mouse.click(box["x"] + 18, box["y"] + 35 * (row + 1.5))
            with suppress(TimeoutError):  # another click too early would take it back
                told.and_(page.locator("[aria-selected=true]")).wait_for(
                    state="attached", timeout=10_000
                )
        return bool(told.get_attribute("aria-selected") == "true")

    until(page, ticked)


def cells(page: Any, number: int = 0) -> str:
    """Return what a table says to a screen reader."""
    table = page.get_by_test_id("stDataFrame").nth(number)
    at_rest(page)  # MLflow's client starts in its process
    table.locator("canvas [role=row]").first.wait_for(state="attached")
    return str(table.locator("canvas").first.text_content())


@pytest.mark.long
def test_two_runs_are_compared(page: Any, address: str) -> None:
    open_page(page, address, "experiments")
    until(page, lambda: cells(page), lambda text: "evaluate" in text)
    page.get_by_test_id("stMultiSelect").filter(has_text="Kind").locator("input").click()
    page.get_by_role("option", name="probe", exact=True).click()
    page.keyboard.press("Escape")
    until(page, lambda: cells(page), lambda text: "evaluate" not in text)
    tick(page, 0)
    page.get_by_role("heading", name="probe demo spectral").wait_for()
    tick(page, 1)
    page.get_by_role("heading", name="First against second").wait_for()
    settings = until(page, lambda: cells(page, 1), lambda text: "folds" in text)
    assert re.search("folds.*4.*3", settings) and "alpha" not in settings
    page.get_by_role("tab", name="First less second").wait_for()
    heat_cells(page, "runs-heatmap-difference").first.wait_for()
    page.get_by_role("tab", name="Second", exact=True).click()
    heat_cells(page, "runs-heatmap-second").and_(
        page.locator("[aria-label^='spectral centroid, layer 1']")
    ).wait_for()
    no_error(page)


@pytest.mark.long
def test_mlflow_is_started_found_again_and_stopped(page: Any, address: str, store: Store) -> None:
    mlflow_server.stop(store)
    open_page(page, address, "experiments")
    page.get_by_role("button", name="Start MLflow").click()
    page.get_by_role("link", name="Open MLflow").wait_for()
    reload(page)
    link = page.get_by_role("link", name="Open MLflow")
    link.wait_for()
    server = mlflow_server.find(store)
    assert server is not None and link.get_attribute("href") == server.address
    tick(page, 1)
    run = page.get_by_role("link", name="Open in MLflow")
    run.wait_for()
    assert f"{server.address}/#/experiments/" in run.get_attribute("href")
    heat_cells(page, "runs-heatmap").first.wait_for()  # what is drawn above moves the button
    page.get_by_role("button", name="Stop MLflow").click()
    page.get_by_role("button", name="Start MLflow").wait_for()
    assert mlflow_server.find(store) is None
    no_error(page)


@pytest.mark.long
def test_without_runs_and_with_a_damaged_record_the_page_says_what_to_do(
    page: Any, tmp_path: Path, served: Serve
) -> None:
    store = Store(tmp_path / "data")
    write_piece(store.audio_dir("mine") / "one.wav", 1)  # an empty root has one offer on every page
    _, address = served(store.root)
    open_page(page, address, "experiments")
    page.get_by_text("No run is recorded yet").wait_for()
    store.mlflow_db.write_bytes(b"no database" * 1000)
    open_page(page, address, "experiments")
    page.get_by_text("move it away").wait_for()
    no_error(page)
