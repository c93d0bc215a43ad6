"""Recordings are changed by a job of the sidebar; a cell is clicked, and both sides are heard."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_acts import chart, choose, click_point, hear, no_error, open_page, player_of
from browser_server import serve


@pytest.fixture(scope="module")
def address(demo_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("doses") / "data"
    shutil.copytree(demo_library / "processed", root / "processed")
    (root / "audio").mkdir()
    (root / "audio" / "demo").symlink_to((demo_library / "audio" / "demo").resolve())
    process, found = serve(root, tmp_path_factory.mktemp("log") / "log")
    yield found
    process.kill()


@pytest.mark.long
def test_the_music_is_changed_and_heard_before_and_after(page: Any, address: str) -> None:
    open_page(page, address, "doses")
    page.get_by_role("button", name="Change the music now").wait_for()
    page.get_by_role("button", name="Run a pipeline").click()
    choose(page, "Pipeline", "Change the music")
    for role, label, text in (
        ("spinbutton", "Recordings", "2"),
        ("textbox", "Edits", "tilt,stretch"),
        ("textbox", "Seconds of each", "6"),
    ):
        box = page.get_by_role(role, name=label, exact=True)
        box.fill(text)
        box.press("Tab")
    popover = page.get_by_test_id("stPopoverBody")
    start = popover.get_by_role("button", name="Start", exact=True)
    start.and_(page.locator(":not([disabled])")).click()
    page.get_by_text("2 recordings of 2 works").wait_for()
    plot = chart(page, "dose-matrix")
    click_point(page, plot, ["stretch", "onset_density"])
    page.get_by_role("heading", name="onset density under stretch").wait_for()
    before, after = (player_of(page, f"{part} stretch 1.4") for part in ("before", "after"))
    loud = hear(page, before)
    assert hear(page, after) == pytest.approx(loud, rel=0.35), "equally loud, about"
    no_error(page)
