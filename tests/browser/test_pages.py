"""What a researcher does on a first visit, clicked and heard in a real browser."""

import re
from pathlib import Path
from typing import Any

import pytest
from browser_server import serve


def open_page(page: Any, address: str, path: str = "") -> None:
    page.goto(f"{address}/{path}")
    page.get_by_test_id("stAppViewContainer").wait_for()
    page.get_by_role("heading", level=1).first.wait_for()


def no_error(page: Any) -> None:
    assert page.get_by_test_id("stException").count() == 0, page.get_by_test_id(
        "stException"
    ).first.inner_text()


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
    for path in ("discovery", "recommend", "map", "targets"):
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
