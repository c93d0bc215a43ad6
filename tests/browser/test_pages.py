"""What a researcher does on a first visit, clicked and heard in a real browser."""

import re
from pathlib import Path
from typing import Any

import pytest
from browser_acts import no_error, open_data, open_page
from browser_server import serve

PAGES = (
    "discovery", "compare", "recommend", "passages", "in_time", "doses", "listen", "your_audio",
    "basket", "map", "repeats", "targets", "experiments",
)  # fmt: skip


def test_home_shows_what_exists(page: Any, dashboard: str) -> None:
    open_data(page, dashboard)
    page.get_by_text("Everything is up to date").wait_for()
    no_error(page)


@pytest.mark.parametrize("path", ["", *PAGES])
def test_every_page_of_an_empty_installation_offers_the_demo_library(
    page: Any, empty_dashboard: str, path: str
) -> None:
    open_page(page, empty_dashboard, path)
    page.get_by_role("button", name="Build the demo library").wait_for()
    page.get_by_test_id("stCode").filter(has_text="mess run-all --dataset demo").wait_for()
    main = page.get_by_test_id("stMain")
    assert main.get_by_role("button", name=re.compile("now|Make|Run|Draw|Start")).count() == 0
    assert page.get_by_text("mert").count() == 0  # its weights would have to be fetched
    no_error(page)


@pytest.mark.long
def test_a_link_to_a_page_opens_it_on_a_server_that_has_just_started(
    page: Any, demo_library: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    process, address = serve(demo_library, tmp_path / "log")
    request.addfinalizer(process.kill)
    open_page(page, address, "recommend")
    page.get_by_role("button", name=re.compile("^Play ")).first.wait_for()
    no_error(page)
