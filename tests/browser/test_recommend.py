"""Recommend in a real browser: found by name, weighed, heard, shared, taken away."""

import csv
import http.client
import io
import json
import math
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser_acts import PATIENCE, at_rest, no_error, open_page, until, wait_for_address
from browser_server import Serve
from recommend_page import (
    HEARD,
    WEIGHT,
    label,
    open_recommend,
    press,
    slider,
    titles,
    wait_for_other_titles,
    wait_for_sound,
)

from mess.records.features import FeaturesEntry
from mess.storage.store import Store

EVIL = "<img src=x onerror=alert(1)> **b** [x](javascript:alert(1)) $a$"


def test_answers_do_not_wait_for_the_browser(dashboard: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(dashboard).netloc)
    took = [math.inf]
    while min(took) >= 0.03 and len(took) < 200:  # 0.04, before each second part was sent at once
        began = time.perf_counter()
        connection.request("GET", "/names?dataset=demo&encoder=spectral&text=a")
        assert len(json.loads(connection.getresponse().read())) == 12
        took.append(time.perf_counter() - began)
    connection.close()
    assert min(took) < 0.03


def test_a_track_is_found_by_keys_and_a_slider_changes_what_is_heard(
    page: Any, dashboard: str, demo_library: Path
) -> None:
    open_recommend(page, dashboard)
    before = titles(page)
    finder = page.get_by_role("combobox", name="Query track")
    entries = Store(demo_library).features.manifest("demo", "spectral").done()
    wanted = max(entries, key=lambda track: (entries[track].composer, track))
    finder.focus()
    page.keyboard.type(f"{entries[wanted].composer.upper()} {wanted[-6:]}")
    page.get_by_role("option").first.filter(has_text=wanted).wait_for()
    press(page, "ArrowDown", "ArrowUp", "Enter")
    page.wait_for_url(re.compile(rf"track={wanted}&"))
    wait_for_other_titles(page, before)
    until(page, finder.input_value, lambda text: entries[wanted].composer in text)
    # Whoever types fast and presses Enter before the list follows gets what was typed.
    other = min(one for one in entries if sum(name.startswith(one) for name in entries) == 1)
    # What is typed replaces the name, also after Escape, which leaves the focus where it is.
    finder.focus()
    press(page, "Escape")
    finder.click()
    page.keyboard.type(other)
    press(page, "Enter")
    page.wait_for_url(re.compile(rf"track={other}&"))
    until(page, finder.input_value, lambda text: entries[other].composer in text)
    before = titles(page)
    assert len(before) == 10
    first = page.get_by_role("slider", name=WEIGHT).first
    first.focus()
    press(page, "Home")
    wait_for_other_titles(page, before)
    page.wait_for_url(re.compile(":-1"))
    at_rest(page)
    shares = page.get_by_role("img", name=re.compile("^Shares of the score")).first
    assert re.search(r"[a-z ]+ [+−]\d\.\d\d, ", shares.get_attribute("aria-label"))
    page.get_by_role("button", name="Values").click()
    page.locator("dl").first.get_by_text("query").first.wait_for()
    page.get_by_role("button", name=re.compile("^Play ")).nth(1).click()
    wait_for_sound(page, label(titles(page)[0]))
    heard = page.evaluate(HEARD, 1000 * PATIENCE)
    assert heard["advanced"] > 0.6
    assert 5 < heard["length"] <= 30.1
    assert heard["rms"] > 0.003
    no_error(page)


def test_more_like_this_makes_a_result_the_query_and_back_undoes_it(
    page: Any, dashboard: str
) -> None:
    open_recommend(page, dashboard)
    finder = page.get_by_role("combobox", name="Query track")
    before, query, address = titles(page), finder.input_value(), page.url
    page.get_by_role("button", name=re.compile("^More like this")).nth(1).click()
    wait_for_other_titles(page, before)
    until(page, finder.input_value, lambda text: text == label(before[1]))
    wait_for_address(page, address)
    page.go_back()
    page.wait_for_function(
        "query => window.messPlayers.size && [...window.messPlayers][0] && "
        "[...window.messPlayers].some(one => one.data.label === query)",
        arg=query,
    )
    finder.and_(page.locator(":not([aria-expanded=true])")).wait_for()
    until(page, lambda: titles(page) == before and finder.input_value() == query)
    no_error(page)


@pytest.mark.long
def test_back_leads_past_sliders_to_the_page_before(page: Any, dashboard: str) -> None:
    open_page(page, dashboard)
    page.get_by_role("link", name="Recommend").click()
    page.locator("li h3").first.wait_for()
    page.wait_for_url(re.compile("weights="))
    before = titles(page)
    slider(page, "brightness").focus()
    press(page, "Home")
    page.wait_for_url(re.compile("brightness:-1"))
    wait_for_other_titles(page, before)
    before = titles(page)
    page.get_by_role("link", name="Layer discovery").click()
    page.get_by_role("heading", name="Layer discovery").wait_for()
    page.go_back()
    page.locator("li h3").first.wait_for()
    page.wait_for_url(re.compile("brightness:-1"))
    until(page, lambda: titles(page) == before)
    page.go_back()
    page.wait_for_url(re.compile(rf"^{re.escape(dashboard)}/\?"))
    page.get_by_role("button", name="Surprise me").wait_for()
    at_rest(page)
    page.get_by_role("link", name="Recommend").click()
    page.locator("li h3").first.wait_for()
    page.wait_for_url(re.compile("brightness:-1"))  # kept, though no address says so
    no_error(page)


@pytest.mark.long
def test_a_link_reproduces_the_list_in_another_browser(
    page: Any, dashboard: str, visit: Callable[..., Any]
) -> None:
    open_recommend(page, dashboard)
    before = page.url
    page.get_by_role("button", name="Timbre", exact=True).click()
    wait_for_address(page, before)
    at_rest(page)
    page.get_by_role("button", name=re.compile("^. Like: ")).nth(2).click()
    page.wait_for_url(re.compile("&like="))
    at_rest(page)
    page.get_by_role("button", name=re.compile("^− Unlike: ")).nth(4).click()
    page.wait_for_url(re.compile("unlike="))
    weighed = slider(page, "brightness").input_value()
    page.get_by_role("radio", name="measurement", exact=True).click()
    page.wait_for_url(re.compile("by=measurement"))
    # Each slider says anew by what it ranks, and stands where it stood.
    page.get_by_role("slider", name=re.compile("^brightness, measured")).wait_for()
    assert slider(page, "brightness").input_value() == weighed
    page.get_by_text("Leave out, and method").click()
    page.get_by_text("Leave out the same composer").click()
    page.wait_for_url(re.compile("without=composer"))
    page.get_by_text("As this one, but …").click()
    moves = page.get_by_role("slider", name="brightness", exact=True)
    moves.focus()
    press(page, "ArrowRight", "ArrowRight")
    page.wait_for_url(re.compile("move=brightness:0.5"))
    other = visit(viewport={"width": 390, "height": 800})
    other.goto(page.url)
    other.locator("li h3").first.wait_for()
    until(other, lambda: titles(other) == titles(page))
    scores = [one.locator("li .score") for one in (page, other)]
    until(other, lambda: scores[0].all_inner_texts() == scores[1].all_inner_texts())
    assert other.get_by_text("1 more liked · 1 unlike").count() == 1
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    no_error(page)


def test_a_link_that_asks_for_nonsense_gets_one_line(page: Any, dashboard: str) -> None:
    open_recommend(
        page, dashboard, "?track=<script>&weights=brightness:9,tempo:x&n=-1&hold=a&method=eval"
    )
    line = page.get_by_text("The link asks for what is not here")
    line.wait_for()
    assert "method eval" in line.inner_text() or "more" in line.inner_text()
    assert len(titles(page)) == 10
    page.goto(f"{dashboard}/recommend?dataset=../../etc&encoder=x")
    page.get_by_text("unknown dataset '../../etc'").wait_for()
    no_error(page)


def test_the_list_is_taken_away_as_three_files(page: Any, dashboard: str) -> None:
    open_recommend(page, dashboard)
    shown = [label(title) for title in titles(page)]
    page.get_by_text("Export, link").click()
    files = {}
    for name in ("CSV", "JSON", "M3U8"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name, exact=True).click()
        files[download.value.suggested_filename] = Path(download.value.path()).read_text()
    rows = list(csv.DictReader(io.StringIO(files["recommendations.csv"])))
    assert [f"{row['composer']}: {row['title']}" for row in rows] == [
        re.sub(r" \(\w+ changed\)$", "", one) for one in shown
    ]
    found = json.loads(files["recommendations.json"])
    assert found["search"]["dataset"] == ["demo"]
    assert [one["track_id"] for one in found["results"]] == [row["track"] for row in rows]
    assert all(
        abs(sum(one["contributions"].values()) - one["score"]) < 1e-9 for one in found["results"]
    )
    playlist = files["recommendations.m3u8"].splitlines()
    assert playlist[0] == "#EXTM3U"
    assert all(Path(line).is_file() for line in playlist[2::2])
    assert [line.split(",", 1)[1] for line in playlist[1::2]] == shown


def test_examples_set_the_sliders(page: Any, dashboard: str) -> None:
    open_recommend(page, dashboard)
    page.get_by_role("button", name=re.compile("^. Like: ")).first.click()
    page.wait_for_url(re.compile("like="))
    page.get_by_text("More examples").click()
    page.get_by_role("button", name=re.compile("^Remove ")).wait_for()
    at_rest(page)  # a button that is drawn again under the pointer hears no click
    before = page.url
    page.get_by_role("button", name="Set the sliders by what the liked tracks share").click()
    wait_for_address(page, before)
    sliders = page.get_by_role("slider", name=WEIGHT)
    weights = until(
        page,
        lambda: sliders.evaluate_all("sliders => sliders.map(slider => Number(slider.value))"),
        lambda now: max(now) == 1.0,
    )
    assert min(weights) >= 0.0
    page.get_by_role("button", name=re.compile("^Remove ")).click()
    page.get_by_role("button", name=re.compile("^Remove ")).wait_for(state="detached")
    no_error(page)


@pytest.fixture
def own(own_library: Store, served: Serve) -> tuple[str, Path]:
    """A dashboard over a copy of the library that the test may damage."""
    return served(own_library.root)[1], own_library.root


def rename(root: Path, change: Callable[[FeaturesEntry], FeaturesEntry]) -> None:
    """Change what the features' manifest says of every track."""
    manifest = Store(root).features.manifest("demo", "spectral")
    manifest.tracks = {track: change(entry) for track, entry in manifest.done().items()}
    manifest.close()


def test_names_that_hold_markup_are_shown_as_text(page: Any, own: tuple[str, Path]) -> None:
    address, root = own
    rename(root, lambda entry: replace(entry, title=EVIL))  # another composer: another index
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    open_recommend(page, address)
    assert label(titles(page)[0]).partition(": ")[2].startswith(EVIL)
    page.get_by_role("combobox", name="Query track").focus()
    page.get_by_role("option").filter(has_text=EVIL).first.wait_for()
    press(page, "Escape")
    page.get_by_text("More examples").click()
    page.get_by_role("button", name=re.compile("^. Like: ")).first.click()
    page.get_by_role("button", name=re.compile(f"Remove .*: {re.escape(EVIL)}")).first.wait_for()
    at_rest(page)
    assert page.locator("img[src=x]").count() == 0
    assert page.locator("a[href^=javascript]").count() == 0
    assert not said
    no_error(page)


def test_a_sound_that_is_not_there_says_so(page: Any, own: tuple[str, Path]) -> None:
    address, root = own
    rename(root, lambda entry: replace(entry, path="gone/" + entry.path.split("/")[-1]))
    open_recommend(page, address)
    page.get_by_role("button", name=re.compile("^Play ")).nth(1).click()
    page.get_by_text("the recording is not on this machine").first.wait_for()
    no_error(page)


def test_a_damaged_index_names_its_command(page: Any, own: tuple[str, Path]) -> None:
    address, root = own
    (root / "processed/indices/demo/spectral/manifest.json").write_text("{")
    page.goto(f"{address}/recommend")
    page.get_by_text("mess index --dataset demo --encoder spectral").first.wait_for()
    assert page.locator("li h3").count() == 0
    no_error(page)
