"""Two encoders put side by side from the dashboard, in a real browser."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from browser_server import serve

from mess.reports.encoder_comparison import difference
from mess.storage.store import Store


def test_encoders_are_compared_from_the_page(
    page: Any, compared_library: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    root = tmp_path / "data"
    shutil.copytree(compared_library / "processed", root / "processed")
    process, address = serve(root, tmp_path / "log")
    request.addfinalizer(process.kill)
    page.goto(f"{address}/compare")
    page.get_by_role("button", name="Compare now").click()
    page.get_by_role("heading", name="Which is better, and where").wait_for()
    page.reload()  # what was compared is kept
    page.get_by_role("heading", name="What each costs").wait_for()
    record = Store(root).read_comparison("demo")
    names = [row["name"] for row in record["encoders"]]
    heatmap = page.locator(".js-plotly-plot").first
    written = heatmap.locator(".annotation-text")
    written.first.wait_for()
    known = sum(cell["r2"] is not None for row in record["encoders"] for cell in row["r2"].values())
    assert written.count() == known
    page.locator(".js-plotly-plot").nth(1).locator(".point").first.wait_for()
    choose(page, "Encoder", names[1])
    page.get_by_text(re.compile(rf"^{names[1]} against")).wait_for()
    choose(page, "Against", names[0])
    verdicts = [one["verdict"] for one in difference(record, *names[1::-1])["targets"].values()]
    beats = verdicts.count("beats")
    page.get_by_text(re.compile(rf"better on {beats} of {len(verdicts)} targets")).wait_for()
    axis = page.locator(".js-plotly-plot").nth(1).locator(".xtitle")
    assert names[1] in (axis.text_content() or "").split("−")[0]
    choose(page, "Let another encoder join", "mert-v1-95m")
    page.get_by_text("mess run-all --dataset demo --encoder mert-v1-95m").wait_for()
    assert page.get_by_test_id("stException").count() == 0


def choose(page: Any, label: str, option: str) -> None:
    """Choose an option of a select box of the page; the sidebar has one of the same name."""
    boxes = page.get_by_test_id("stMain").get_by_test_id("stSelectbox")
    wanted = page.get_by_role("option", name=option, exact=True)
    for _ in range(5):  # a figure that is still being laid out closes the list
        boxes.filter(has_text=re.compile(rf"^{label}")).locator("input").click()
        page.wait_for_timeout(500)
        if wanted.count():
            break
        page.keyboard.press("Escape")
    wanted.click()
