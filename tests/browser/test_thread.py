"""One thread through all pages in a real browser: one recording, links, back, keys, levels."""

import io
import re
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import soundfile
from browser_acts import at_rest, choose, no_error, open_page, until
from browser_server import Serve
from recommend_page import SOUNDING

from mess.audio.loudness import MOST_DBTP, USUAL_LUFS, Heard, measure_loudness
from mess.storage.store import Store

pytestmark = pytest.mark.long
SOURCES = "() => [...window.messPlayers].map(one => one.source())"


def asked(page: Any) -> dict[str, list[str]]:
    """Return what the address says."""
    return parse_qs(urlsplit(page.url).query)


def follow(page: Any, name: str, path: str) -> None:
    """Open another page by the menu, and wait until it has written its address."""
    at_rest(page)
    page.get_by_role("link", name=name, exact=True).click()
    page.wait_for_url(re.compile(rf"/{path}\?"))
    at_rest(page)


def heard(address: str, source: str) -> Heard:
    """Return how loud it sounds what a player fetches."""
    with urllib.request.urlopen(urljoin(address, source)) as answer:  # noqa: S310
        samples, rate = soundfile.read(io.BytesIO(answer.read()))
    return measure_loudness(samples, rate)


def alike(found: Heard) -> bool:
    """Tell whether a clip has the usual loudness, or is as loud as its peak allows."""
    return abs(found.lufs - USUAL_LUFS) < 0.3 or abs(found.dbtp - MOST_DBTP) < 0.3


@pytest.fixture
def two_encoders(compared_library: Path, tmp_path: Path, served: Serve) -> tuple[str, str]:
    """The address of a dashboard in which two encoders can be searched by, and the second one."""
    from pipelines.build_indices import build_index

    store = Store(tmp_path / "data")
    shutil.copytree(compared_library / "processed", store.root / "processed")
    (store.root / "audio").symlink_to(compared_library / "audio", target_is_directory=True)
    other = next(
        name
        for name in store.features.encoders("demo")
        if name != "spectral" and not name.startswith("random:")
    )
    build_index(dataset="demo", encoder=other, store=store)
    return served(store.root)[1], other


def test_one_recording_leads_through_all_pages_and_a_link_carries_it(
    page: Any, dashboard: str, demo_library: Path, visit: Callable[..., Any]
) -> None:
    open_page(page, dashboard, "recommend?dataset=demo&encoder=spectral")
    page.wait_for_url(re.compile("weights="))
    at_rest(page)
    before = asked(page)["track"]
    page.get_by_role("button", name=re.compile("^More like this")).nth(1).click()
    until(page, lambda: asked(page)["track"], lambda now: now != before)
    (track,) = asked(page)["track"]
    entry = Store(demo_library).features.manifest("demo", "spectral").done()[track]
    query = page.get_by_role("combobox", name="Query track")
    label = until(page, query.input_value, lambda text: entry.title in text)
    entries = page.evaluate("history.length")
    follow(page, "Passages", "passages")
    assert asked(page)["track"] == [track]
    field = page.get_by_role("combobox", name="Track", exact=True)
    until(page, field.input_value, lambda text: text == label)
    follow(page, "Targets", "targets")
    follow(page, "In time", "in_time")
    assert asked(page)["track"] == [track]
    assert page.evaluate("history.length") == entries + 3  # one for each page
    # A link of the menu that is opened in another tab carries it, too.
    link = page.get_by_role("link", name="Recommend", exact=True).get_attribute("href")
    other = visit()
    other.goto(link)
    query = other.get_by_role("combobox", name="Query track")
    until(other, query.input_value, lambda text: text == label)
    # Another recording on one page is the recording of the others, and back undoes it by one press.
    page.get_by_text("Where does it go like this?").click()
    page.wait_for_url(re.compile("view=course"))
    finder = page.get_by_role("combobox", name="Recording", exact=True)
    finder.focus()
    page.keyboard.type(before[0])
    page.get_by_role("option").filter(has_text=before[0]).first.wait_for()
    page.keyboard.press("Enter")
    until(page, lambda: asked(page)["track"], lambda now: now == before)
    follow(page, "Recommend", "recommend")
    assert asked(page)["track"] == before
    page.go_back()
    page.wait_for_url(re.compile(f"in_time.*track={before[0]}&"))
    at_rest(page)
    page.go_back()
    page.wait_for_url(re.compile(f"in_time.*track={track}&"))
    until(page, finder.input_value, lambda text: text == label)
    no_error(page)


def test_copy_link_copies_what_the_page_shows_also_where_the_clipboard_is_closed(
    page: Any, dashboard: str
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_page(page, dashboard, "targets?dataset=demo&encoder=spectral")
    target = page.get_by_role("combobox", name="Target", exact=True)
    first = target.input_value()
    choose(page, "Target", "onset density")
    page.wait_for_url(re.compile("target=onset_density"))
    at_rest(page)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Link copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.evaluate("navigator.clipboard.writeText('')")
    # By http on another name than this machine's, a browser gives no clipboard.
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.evaluate(
        "document.addEventListener('copy', () => { window.copied = String(getSelection()) "
        "|| document.activeElement.value; })"
    )
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function("() => window.copied")
    assert page.evaluate("window.copied") == page.url
    page.go_back()
    until(page, target.input_value, lambda text: text == first)
    page.wait_for_url(re.compile(r"targets\?(?!.*(target|back)=)"))
    no_error(page)


def test_two_encoders_stand_side_by_side_and_a_key_changes_between_them(
    page: Any, two_encoders: tuple[str, str]
) -> None:
    address, other = two_encoders
    open_page(page, address, "recommend?dataset=demo&encoder=spectral&n=5&weights=overall:1")
    options = page.get_by_role("combobox", name="The same query by")
    options.scroll_into_view_if_needed()
    options.click()
    page.get_by_role("option", name=other, exact=True).click()
    page.wait_for_url(re.compile("beside="))
    at_rest(page)
    share = page.get_by_text(re.compile(r"\d of 5 recordings are in both lists"))
    share.wait_for()
    lists = page.locator(".hits")
    until(page, lists.count, lambda count: count == 2)
    ids = [lists.nth(side).locator("h3").all_inner_texts() for side in (0, 1)]
    titles = [{text.split(". ", 1)[1] for text in one} for one in ids]
    assert int(share.inner_text()[0]) == len(titles[0] & titles[1])
    page.get_by_role("button", name=re.compile("^Hear as B: ")).nth(2).click()
    page.wait_for_url(re.compile("&b="))
    at_rest(page)
    page.locator(".pair .player").first.get_by_role("button", name=re.compile("^Play ")).click()
    page.wait_for_function("() => window.messPair.players[0].audio.currentTime > 1")
    page.keyboard.press("x")
    page.wait_for_function(
        "() => { const [a, b] = window.messPair.players;"
        " return a.audio.paused && !b.audio.paused && b.at() >= a.at(); }"
    )
    assert len(page.evaluate(SOUNDING)) == 1
    levels = [heard(address, source).lufs for source in page.evaluate(
        "() => window.messPair.players.map(one => one.source())"
    )]  # fmt: skip
    assert levels[0] == pytest.approx(levels[1], abs=0.3)
    page.keyboard.press("k")
    page.wait_for_url(re.compile("&at="))
    (at,) = asked(page)["at"]
    names = page.locator(".pair h3").all_inner_texts()
    link = page.url
    # The link leads to both sides and to the moment.
    page.goto(link)
    until(page, page.locator(".pair h3").all_inner_texts, lambda now: now == names)
    at_rest(page)
    page.locator(".pair .player").nth(1).get_by_role("button", name=re.compile("^Play ")).click()
    page.wait_for_function(
        "at => { const two = window.messPair.players[1];"
        " return !two.audio.paused && Math.abs(two.at() - at) < 3; }",
        arg=float(at),
    )
    page.keyboard.press("k")
    no_error(page)


def test_the_keyboard_alone_leads_from_home_to_the_basket(
    page: Any, dashboard: str, demo_library: Path
) -> None:
    store = Store(demo_library)
    store.baskets.path("demo").unlink(missing_ok=True)
    open_page(page, dashboard, "?dataset=demo&encoder=spectral")
    page.get_by_role("button", name=re.compile("Play all 5")).wait_for()
    page.keyboard.press("p")
    page.wait_for_function(f"() => ({SOUNDING})().length === 1")
    levels = [heard(dashboard, source) for source in page.evaluate(SOURCES)]
    assert len(levels) == 5 and all(map(alike, levels)), levels
    page.keyboard.press("p")
    page.wait_for_function(f"() => ({SOUNDING})().length === 0")

    def tab_to(name: str, tries: int = 60) -> None:
        """Press Tab until what has the focus is called so."""
        for _ in range(tries):
            page.keyboard.press("Tab")
            found = page.evaluate(
                "() => { let one = document.activeElement;"
                " while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;"
                " return one?.ariaLabel || one?.labels?.[0]?.innerText || one?.innerText || ''; }"
            )
            if re.match(name, found):
                return
        raise AssertionError(f"Tab never leads to {name}")

    page.evaluate("() => document.activeElement.blur()")
    tab_to("Recommend$")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("weights="))
    at_rest(page)
    tab_to("Query track")
    before = asked(page)["track"]
    wanted = max(set(store.features.manifest("demo", "spectral").done()) - set(before))
    page.keyboard.type(wanted)
    page.get_by_role("option").first.filter(has_text=wanted).wait_for()
    page.keyboard.press("Enter")
    until(page, lambda: asked(page)["track"], lambda now: now == [wanted])
    tab_to("[a-z ]+, (R²|model|measured)")
    weights = asked(page)["weights"]
    page.keyboard.press("ArrowLeft")
    until(page, lambda: asked(page)["weights"], lambda now: now != weights)
    at_rest(page)
    titles = [one.split(". ", 1)[1] for one in page.locator(".results li h3").all_inner_texts()]
    tab_to("Play ", tries=90)
    while page.evaluate(
        "() => { let one = document.activeElement;"
        " while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;"
        " return !one.closest('li'); }"
    ):
        tab_to("Play ", tries=90)  # the query has a player, too
    page.keyboard.press("Enter")
    page.wait_for_function(f"title => ({SOUNDING})()[0] === title", arg=titles[0])
    page.keyboard.press("ArrowDown")
    page.wait_for_function(f"title => ({SOUNDING})()[0] === title", arg=titles[1])
    page.wait_for_function("() => window.messCurrent.audio.currentTime > 0.3")
    page.keyboard.press("k")
    tab_to("☆ Keep: ")
    page.keyboard.press("Enter")
    page.get_by_role("button", name=re.compile("^★ Kept: ")).first.wait_for()
    page.evaluate("() => document.activeElement.blur()")
    tab_to("Basket$", tries=200)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/basket"))
    page.locator(".hits li").first.wait_for()
    assert len(store.baskets.read("demo").tracks("found")) == 1
    store.baskets.path("demo").unlink()
    no_error(page)
