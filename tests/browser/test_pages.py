"""What a researcher does on a first visit, clicked and heard in a real browser."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser_acts import at_rest, no_error, open_data, open_page, until
from browser_server import Serve

PAGES = (
    "discovery", "compare", "recommend", "passages", "in_time", "doses", "listen", "your_audio",
    "basket", "map", "repeats", "targets", "experiments",
)  # fmt: skip


def test_home_shows_what_exists(page: Any, dashboard: str) -> None:
    open_data(page, dashboard)
    page.get_by_text("Everything is up to date").wait_for()
    no_error(page)


def test_every_page_of_an_empty_installation_offers_the_demo_library(
    page: Any, empty_dashboard: str
) -> None:
    open_page(page, empty_dashboard)
    links = page.get_by_test_id("stSidebarNavLink")
    main = page.get_by_test_id("stMain")
    heading = main.get_by_role("heading", level=1).first
    seen, before = set(), ""
    for number in range(links.count()):
        if number:
            links.nth(number).click()
        before = until(page, heading.inner_text, lambda text, last=before: text != last)
        at_rest(page)  # what the page before had is gone
        main.get_by_role("button", name="Build the demo library").wait_for()
        main.get_by_test_id("stCode").filter(has_text="mess run-all --dataset demo").wait_for()
        wrong = main.get_by_role("button", name=re.compile("now|Make|Run|Draw|Start"))
        assert wrong.count() == 0, before
        # The weights of mert would have to be fetched.
        assert page.get_by_text("mert").count() == 0, before
        no_error(page)
        seen.add(urlsplit(page.url).path.strip("/"))
    assert seen == {"", *PAGES}


@pytest.mark.long
def test_a_link_to_a_page_opens_it_on_a_server_that_has_just_started(
    page: Any, demo_library: Path, served: Serve
) -> None:
    _, address = served(demo_library)
    open_page(page, address, "recommend")
    page.get_by_role("button", name=re.compile("^Play ")).first.wait_for()
    no_error(page)
