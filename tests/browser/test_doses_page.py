"""Recordings are changed by a job of the sidebar; keys choose a cell, and both sides are heard."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_acts import (
    choose,
    choose_by_keys,
    hear,
    heat_cells,
    no_error,
    open_page,
    player_of,
    reload,
)
from browser_server import serve


@pytest.fixture  # of each try: the job of the one before has made what this one makes
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
    page.get_by_text("2 recordings of 2 works, at most").wait_for()
    heading = page.get_by_role("heading", name="onset density under stretch")
    wanted = heat_cells(page, "dose-matrix").and_(
        page.locator("[aria-label^='onset density under stretch']")
    )
    wanted.wait_for()
    # As a person does who has no mouse: down the column to the row, by what is heard.
    heat_cells(page, "dose-matrix").and_(page.locator("[tabindex='0']")).focus()
    page.keyboard.press("Control+Home")
    page.keyboard.press("End")
    focus = heat_cells(page, "dose-matrix").and_(page.locator(":focus"))
    while focus.and_(wanted).count() == 0:
        said = focus.get_attribute("aria-label")
        page.keyboard.press("ArrowDown")
        assert focus.get_attribute("aria-label") != said, "the last row"
    said = choose_by_keys(page, "dose-matrix")
    assert re.match(
        r"onset density under stretch, slope -?\d\.\d\d, moved", said
    )  # two works: no interval
    heading.wait_for()
    choose_by_keys(page, "dose-matrix", "ArrowLeft")
    other = page.get_by_role("heading", name="onset density under tilt")
    other.wait_for()
    page.wait_for_url(lambda url: "edit=stretch" not in url)
    reload(page)
    other.wait_for()
    page.go_back()
    heading.wait_for()
    before, after = (player_of(page, f"{part} stretch 1.4") for part in ("before", "after"))
    loud = hear(page, before)
    assert hear(page, after) == pytest.approx(loud, rel=0.35), "equally loud, about"
    no_error(page)
