"""What a researcher does on a first visit, clicked and heard in a real browser."""

import re
from pathlib import Path
from typing import Any

import pytest
from browser_acts import no_error, open_page
from browser_server import serve


def test_home_shows_what_exists(page: Any, dashboard: str) -> None:
    open_page(page, dashboard)
    page.get_by_text("Everything is up to date").wait_for()
    no_error(page)


def test_every_page_says_what_to_do_without_data(
    page: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    process, address = serve(tmp_path / "data", tmp_path / "log")
    request.addfinalizer(process.kill)
    open_page(page, address)
    page.get_by_role("button", name="Build the demo library").wait_for()
    for path in ("discovery", "recommend", "map", "targets", "experiments"):
        open_page(page, address, path)
        page.get_by_text("mess ").first.wait_for()
        no_error(page)


def test_a_link_to_a_page_opens_it_on_a_server_that_has_just_started(
    page: Any, demo_library: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    process, address = serve(demo_library, tmp_path / "log")
    request.addfinalizer(process.kill)
    open_page(page, address, "recommend")
    page.get_by_role("button", name=re.compile("^Play ")).first.wait_for()
    no_error(page)
