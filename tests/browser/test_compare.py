"""Two encoders put side by side from the dashboard, in a real browser."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from browser_acts import (
    choose,
    choose_by_keys,
    drawn,
    heat_cells,
    no_error,
    open_page,
    reload,
    until,
    wait_for_address,
)
from browser_server import Serve

from mess.reports.encoder_comparison import difference
from mess.storage.store import Store
from mess.targets import title_of

pytestmark = pytest.mark.long


def test_encoders_are_compared_from_the_page(
    page: Any, compared_library: Path, tmp_path: Path, served: Serve
) -> None:
    root = tmp_path / "data"
    shutil.copytree(compared_library / "processed", root / "processed")
    _, address = served(root)
    open_page(page, address, "compare")
    page.get_by_role("button", name="Compare now").click()
    page.get_by_role("heading", name="Which is better, and where").wait_for()
    reload(page)  # what was compared is kept
    page.get_by_role("heading", name="What each costs").wait_for()
    record = Store(root).comparisons.read("demo")
    names = [row.name for row in record.encoders]
    known = sum(cell.r2 is not None for row in record.encoders for cell in row.r2.values())
    cells = heat_cells(page, "scores")
    until(page, lambda: sum("." in one for one in cells.all_inner_texts()) == known + len(names))
    before = page.url
    # By keys: to the first target of the second encoder, and back by one press.
    said = choose_by_keys(page, "scores", "Control+Home", "ArrowDown", "ArrowRight")
    score = record.encoders[1].r2[record.targets[0]]
    title = title_of(record.targets[0])
    assert said.startswith(f"{title}, {names[1]}, R² {score.r2:.2f} [")
    page.get_by_role("heading", name=f"{title}, {names[1]}").wait_for()
    page.get_by_text(f"R² of {names[1]} less that of").wait_for()
    chosen = wait_for_address(page, before)
    reload(page)
    page.get_by_role("heading", name=f"{title}, {names[1]}").wait_for()
    until(page, lambda: page.url, lambda now: now == chosen)
    choose_by_keys(page, "scores", "End")
    wait_for_address(page, chosen)
    page.go_back()
    page.get_by_role("heading", name=f"{title}, {names[1]}").wait_for()
    drawn(page).locator(".point").first.wait_for()
    main = page.get_by_test_id("stMain")  # the sidebar has a box of the same name
    choose(page, "Encoder", names[1], within=main)
    page.get_by_text(re.compile(rf"^{names[1]} against")).wait_for()
    choose(page, "Against", names[0], within=main)
    verdicts = [one.verdict for one in difference(record, *names[1::-1]).targets.values()]
    beats = verdicts.count("beats")
    page.get_by_text(re.compile(rf"better on {beats} of {len(verdicts)} targets")).wait_for()
    axis = drawn(page).locator(".xtitle")
    until(page, axis.text_content, lambda text: names[1] in (text or "").split("−")[0])
    choose(page, "Add another encoder", "mert-v1-95m")
    page.get_by_text("mess run-all --dataset demo --encoder mert-v1-95m").wait_for()
    no_error(page)
