"""What a page shows is what is true: after the server was restarted, a reload, and "back"."""

import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser_acts import (
    PATIENCE,
    at_rest,
    choose,
    no_error,
    open_page,
    reload,
    until,
    wait_for_address,
)
from browser_server import Serve, serve

from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.storage.store import Store

WEIGHT = re.compile(", (R²|model|measured) ")  # the slider of a weight


def weights_of(page: Any) -> dict[str, float]:
    """Return what the address says."""
    (pairs,) = parse_qs(urlsplit(page.url).query)["weights"]
    return {
        name.replace("_", " "): float(value)
        for name, value in (pair.split(":") for pair in pairs.split(","))
    }


def sliders(page: Any) -> dict[str, float]:
    """Return where the sliders stand."""
    found = page.get_by_role("slider", name=WEIGHT).evaluate_all(
        "all => all.map(one => [one.ariaLabel ?? one.getAttribute('aria-label'), one.value])"
    )
    return {name.split(", ")[0]: float(value) for name, value in found}


def check_shown(page: Any, root: Path) -> None:
    """Fail unless sliders, address, query field and list say the same."""
    until(page, lambda: set(sliders(page).items()) >= set(weights_of(page).items()))
    said = weights_of(page)
    assert all(value == said.get(name, 0.0) for name, value in sliders(page).items())
    (query,) = parse_qs(urlsplit(page.url).query)["track"]
    recommender = LayerBasedRecommender("demo", "spectral", store=Store(root))
    weights = {name.replace(" ", "_"): value for name, value in said.items()}
    found = recommender.multi_aspect_recommendation([query], weights, 10)
    page.locator(".results li .about").first.filter(has_text=found[0].track_id).wait_for()
    wanted = [one.track_id for one in found]
    about = page.locator(".results li .about")
    until(page, lambda: [text.split(" ")[0] for text in about.all_inner_texts()] == wanted)
    entry = Store(root).features.manifest("demo", "spectral").done()[query]
    shown = page.get_by_role("combobox", name="Query track").input_value()
    assert entry.title in shown


@pytest.mark.long
def test_sliders_list_address_and_query_agree(
    page: Any, demo_library: Path, tmp_path: Path, served: Serve, request: pytest.FixtureRequest
) -> None:
    process, address = served(demo_library)
    open_page(page, address, "recommend")
    page.wait_for_url(re.compile("weights="))
    first = page.get_by_role("slider", name=WEIGHT).first
    first.focus()
    page.keyboard.press("Home")
    page.wait_for_url(re.compile(":-1,"))
    check_shown(page, demo_library)

    # Typed words that choose nothing are gone when the field is left.
    finder = page.get_by_role("combobox", name="Query track")
    finder.focus()
    page.keyboard.type("no such words")
    page.get_by_text("No track has all these words").wait_for()
    first.focus()
    check_shown(page, demo_library)

    # The server ends under the page, a slider is moved meanwhile, and another server comes up.
    process.terminate()
    process.wait(timeout=PATIENCE)
    page.keyboard.press("End")
    again, _ = serve(demo_library, tmp_path / "again", port=int(urlsplit(address).port or 0))
    request.addfinalizer(again.kill)
    at_rest(page)  # with the other server
    said = weights_of(page)
    page.wait_for_function(
        """value => [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
            .flatMap(host => [...host.shadowRoot.querySelectorAll('input[type=range]')])
            .slice(0, 1).every(input => Number(input.value) === value)""",
        arg=next(iter(said.values())),
    )
    check_shown(page, demo_library)

    before = page.url
    reload(page)
    page.locator(".results li h3").first.wait_for()
    check_shown(page, demo_library)

    page.get_by_role("button", name=re.compile("^More like")).nth(2).click()
    wait_for_address(page, before)
    page.go_back()
    page.wait_for_url(before)
    check_shown(page, demo_library)
    no_error(page)


@pytest.mark.long
def test_back_is_heard_that_is_pressed_while_the_server_is_away(
    page: Any, demo_library: Path, tmp_path: Path, served: Serve, request: pytest.FixtureRequest
) -> None:
    process, address = served(demo_library)
    open_page(page, address, "basket")
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Experiments").click()
    title = page.get_by_test_id("stMain").get_by_role("heading", level=1)
    until(page, title.inner_text, lambda text: text == "Experiments")
    process.terminate()
    process.wait(timeout=PATIENCE)
    app = page.get_by_test_id("stApp")
    app.and_(page.locator(":not([data-test-connection-state=CONNECTED])")).wait_for()
    page.go_back()
    again, _ = serve(demo_library, tmp_path / "again", port=int(urlsplit(address).port or 0))
    request.addfinalizer(again.kill)
    until(page, title.inner_text, lambda text: text == "Basket")
    no_error(page)


class Held:
    """What a server says to a page, held back until it is let go."""

    def __init__(self, page: Any) -> None:
        self.waiting: list[tuple[Any, str | bytes]] | None = []
        page.route_web_socket(re.compile("_stcore/stream"), self.connect)

    def connect(self, line: Any) -> None:
        line.connect_to_server().on_message(lambda message: self.hear(line, message))

    def hear(self, line: Any, message: str | bytes) -> None:
        if self.waiting is None:
            line.send(message)
        else:
            self.waiting.append((line, message))

    def wait(self, page: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self.waiting:
            assert time.monotonic() < deadline, "the server says nothing"
            page.wait_for_timeout(50)

    def let_go(self) -> None:
        waiting, self.waiting = self.waiting or [], None
        for line, message in waiting:
            line.send(message)


@pytest.mark.long
@pytest.mark.parametrize("by", ["choice", "page"])
def test_back_is_heard_by_a_page_that_is_still_loading(page: Any, dashboard: str, by: str) -> None:
    open_page(page, dashboard, "targets?dataset=demo&encoder=spectral")
    target = page.get_by_role("combobox", name="Target", exact=True)
    first = target.input_value()
    if by == "choice":
        choose(page, "Target", "onset density")
        page.wait_for_url(re.compile("target=onset_density"))
    else:
        page.get_by_role("link", name="Layer discovery", exact=True).click()
        page.wait_for_url(re.compile(r"/discovery\?"))
    at_rest(page)
    held = Held(page)
    page.reload()
    held.wait(page)
    page.evaluate("history.back()")
    page.wait_for_url(re.compile(r"/targets\?(?!.*onset)"))
    held.let_go()
    main = page.get_by_test_id("stMain")
    main.get_by_role("heading", name="Targets", level=1).wait_for()
    until(page, target.input_value, lambda text: text == first)
    # What is chosen next is in the address, too.
    choose(page, "Target", "tempo")
    page.wait_for_url(re.compile("target=tempo"))
    no_error(page)
