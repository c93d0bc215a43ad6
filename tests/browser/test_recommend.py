"""Recommend in a real browser: found by name, weighed, heard, shared, taken away."""

import csv
import http.client
import io
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser_acts import PATIENCE, at_rest, no_error, until
from browser_server import serve

from mess.records.features import FeaturesEntry
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.paths import path_between
from mess.storage.store import Store

SOUNDING = (
    "() => [...window.messPlayers].filter(one => !one.audio.paused).map(one => one.data.label)"
)
HEARD = """async patience => {
    const one = [...window.messPlayers].find(one => !one.audio.paused);
    const before = one.audio.currentTime, began = performance.now();
    while (one.audio.currentTime - before <= 0.6 && performance.now() - began < patience)
        await new Promise(done => setTimeout(done, 50));
    const bytes = await (await fetch(one.audio.currentSrc)).arrayBuffer();
    const sound = await new AudioContext().decodeAudioData(bytes);
    let sum = 0;
    for (const value of sound.getChannelData(0)) sum += value * value;
    return {
        advanced: one.audio.currentTime - before,
        length: one.audio.duration,
        rms: Math.sqrt(sum / sound.length),
    };
}"""
WEIGHT = re.compile(", (R²|model|measured) ")  # the slider of a weight, not of a move
EVIL = "<img src=x onerror=alert(1)> **b** [x](javascript:alert(1)) $a$"


def open_recommend(page: Any, address: str, query: str = "") -> None:
    page.goto(f"{address}/recommend{query}")
    page.locator("li h3").first.wait_for()
    page.wait_for_url(re.compile(r"weights="))
    at_rest(page)


def titles(page: Any) -> list[str]:
    at_rest(page)
    found: list[str] = page.locator("li h3").all_inner_texts()
    return found


def slider(page: Any, name: str) -> Any:
    return page.get_by_role("slider", name=re.compile(rf"^{name}, (R²|model|measured)")).first


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def wait_for_sound(page: Any, of: str) -> None:
    page.wait_for_function(
        f"of => {{ const now = ({SOUNDING})(); return now.length === 1 && now[0].includes(of); }}",
        arg=of,
    )


def wait_for_other_titles(page: Any, before: list[str]) -> None:
    page.wait_for_function(
        """before => {
            const now = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
                .flatMap(host => [...host.shadowRoot.querySelectorAll('li h3')])
                .map(title => title.textContent);
            return now.length > 0 && String(now) !== String(before);
        }""",
        arg=before,
    )


def label(title: str) -> str:
    return title.split(". ", 1)[1]


def test_answers_do_not_wait_for_the_browser(dashboard: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(dashboard).netloc)
    took = []
    for _ in range(20):
        began = time.perf_counter()
        connection.request("GET", "/names?dataset=demo&encoder=spectral&text=a")
        assert len(json.loads(connection.getresponse().read())) == 12
        took.append(time.perf_counter() - began)
    connection.close()
    assert min(took) < 0.03  # 0.04 and more, before each second part was sent at once


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
    finder.focus()
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


def test_one_sounds_at_a_time_and_keys_do_what_fingers_expect(page: Any, dashboard: str) -> None:
    open_recommend(page, dashboard)
    query = page.get_by_role("combobox", name="Query track").input_value()
    names = [query, *map(label, titles(page))]
    # A title with a line more moves the player of the query below that of the first result.
    page.evaluate(
        "query => [...window.messPlayers].find(one => one.data.label === query)"
        ".root.style.marginTop = '30px'",
        query,
    )
    page.locator("li h3").first.click()
    press(page, "k")
    wait_for_sound(page, names[0])
    press(page, "ArrowDown")
    wait_for_sound(page, names[1])
    press(page, "ArrowDown")
    wait_for_sound(page, names[2])
    press(page, "ArrowUp")
    wait_for_sound(page, names[1])
    page.wait_for_function("() => window.messCurrent.audio.currentTime > 0.1")
    scrolled = page.get_by_test_id("stMain").evaluate("main => main.scrollTop")
    press(page, "l", ">", "[", "l", "]")
    # Between both marks it plays again and again, half as fast again, and as high as before.
    one = page.evaluate(
        "() => { const {audio, loop} = window.messCurrent;"
        " return {loop, speed: audio.playbackRate,"
        " pitch: audio.preservesPitch, level: new URL(audio.src).searchParams.get('level')}; }"
    )
    assert one["loop"][1] - one["loop"][0] >= 4.9 and one["loop"][0] >= 5
    assert (one["speed"], one["pitch"], one["level"]) == (1.25, True, "-23")
    page.evaluate("() => { window.messCurrent.audio.currentTime = window.messCurrent.loop[1]; }")
    page.wait_for_function(
        "() => window.messCurrent.audio.currentTime < window.messCurrent.loop[0] + 2"
    )
    page.get_by_role("button", name="same loudness").first.click()
    page.wait_for_function("() => !window.messCurrent.audio.src.includes('level')")
    page.locator("li h3").first.click()
    press(page, "Space")
    page.wait_for_function(f"() => ({SOUNDING})().length === 0")
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollTop") == scrolled
    page.get_by_role("combobox", name="Query track").focus()
    press(page, "k")  # is typed, and starts nothing
    page.wait_for_timeout(200)
    assert page.evaluate(SOUNDING) == []
    press(page, "Escape")
    no_error(page)


def test_a_sound_goes_on_while_a_slider_moves_and_ends_with_its_place(
    page: Any, dashboard: str
) -> None:
    open_recommend(page, dashboard)
    page.get_by_role("button", name=re.compile("^Play ")).first.click()
    query = page.get_by_role("combobox", name="Query track").input_value()
    wait_for_sound(page, query)
    before = titles(page)
    page.get_by_role("button", name="Overall", exact=True).click()
    wait_for_other_titles(page, before)
    page.get_by_role("slider", name="overall").focus()
    press(page, "ArrowLeft")
    page.wait_for_url(re.compile(r"overall:0\.95"))
    assert page.evaluate(SOUNDING) == [query]
    assert page.evaluate(HEARD, 1000 * PATIENCE)["advanced"] > 0.6
    page.get_by_role("button", name=re.compile("^More like this")).first.click()
    page.wait_for_function(f"() => ({SOUNDING})().length === 0")
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
    page.wait_for_function("address => location.href !== address", arg=address)
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
    page.goto(dashboard)
    page.get_by_role("link", name="Recommend").click()
    page.locator("li h3").first.wait_for()
    page.wait_for_url(re.compile("weights="))
    slider(page, "brightness").focus()
    press(page, "Home")
    page.wait_for_url(re.compile("brightness:-1"))
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
    page.get_by_role("link", name="Recommend").click()
    page.locator("li h3").first.wait_for()
    page.wait_for_url(re.compile("brightness:-1"))  # kept, though no address says so
    no_error(page)


@pytest.mark.long
def test_a_link_reproduces_the_list_in_another_browser(
    page: Any, dashboard: str, browser: Any
) -> None:
    open_recommend(page, dashboard)
    page.get_by_role("button", name="Timbre", exact=True).click()
    page.get_by_role("button", name=re.compile("^. Like: ")).nth(2).click()
    page.wait_for_url(re.compile("like="))
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
    shown, address = titles(page), page.url
    scores = page.locator("li .score").all_inner_texts()
    other = browser.new_context(viewport={"width": 390, "height": 800}).new_page()
    other.set_default_timeout(1000 * PATIENCE)
    other.goto(address)
    other.locator("li h3").first.wait_for()
    assert titles(other) == shown
    assert other.locator("li .score").all_inner_texts() == scores
    assert other.get_by_text("1 more liked · 1 unlike").count() == 1
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    other.context.close()
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
    before = page.url
    page.get_by_role("button", name="Set the sliders by what the liked tracks share").click()
    page.wait_for_function("before => location.href !== before", arg=before)
    at_rest(page)
    weights = page.get_by_role("slider", name=WEIGHT).evaluate_all(
        "sliders => sliders.map(slider => Number(slider.value))"
    )
    assert max(weights) == 1.0
    assert min(weights) >= 0.0
    page.get_by_role("button", name=re.compile("^Remove ")).click()
    page.get_by_role("button", name=re.compile("^Remove ")).wait_for(state="detached")
    no_error(page)


@pytest.fixture(scope="module")
def own(demo_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A dashboard over a copy of the library that a test may damage."""
    root = tmp_path_factory.mktemp("own") / "data"
    shutil.copytree(demo_library, root)
    process, address = serve(root, root.parent / "log")
    yield address, root
    process.kill()
    process.wait()


def rename(root: Path, change: Callable[[FeaturesEntry], FeaturesEntry]) -> None:
    """Change what the features' manifest says of every track."""
    manifest = Store(root).features.manifest("demo", "spectral")
    manifest.tracks = {track: change(entry) for track, entry in manifest.done().items()}
    manifest.close()


def test_names_that_hold_markup_are_shown_as_text(page: Any, own: tuple[str, Path]) -> None:
    address, root = own
    # Another composer would be another index.
    rename(
        root, lambda entry: replace(entry, title=EVIL)
    )  # another composer would be another index
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


def test_a_path_leads_to_another_recording_and_is_played_in_a_row(
    page: Any, dashboard: str, demo_library: Path
) -> None:
    recommender = LayerBasedRecommender("demo", "spectral", store=Store(demo_library))
    start, end = recommender.track_ids[0], recommender.track_ids[-1]
    name = recommender.get_available_aspects()[0]
    open_recommend(page, dashboard, f"?track={start}&weights={name}:1&n=5&steps=3")
    field = page.get_by_role("combobox", name="Lead from the query to")
    field.focus()
    page.keyboard.type(end)
    page.get_by_role("listbox").get_by_role("option").filter(has_text=end).first.wait_for()
    press(page, "Enter")
    page.wait_for_url(re.compile(rf"to={end}"))
    path = page.locator(".hits ol li")
    until(page, path.count, lambda count: count == 5)
    wanted = path_between(recommender, start, end, {name: 1.0}, steps=3)
    found = path.locator(".score").all_inner_texts()
    assert found == [f"{step.position:.0%}" for step in wanted.steps]
    # The address leads to the same path.
    page.goto(page.url)
    until(page, path.count, lambda count: count == 5)
    assert path.locator(".score").all_inner_texts() == found
    names = [label(one) for one in path.locator("h3").all_inner_texts()]
    page.wait_for_url(re.compile("weights="))
    at_rest(page)
    page.get_by_role("button", name="Play in a row").click()
    wait_for_sound(page, names[0])
    page.wait_for_function("() => window.messRow[0].audio.currentTime > 0.3")
    page.evaluate("() => window.messRow[0].audio.dispatchEvent(new Event('ended'))")
    page.wait_for_function("() => !window.messRow[1].audio.paused")
    assert page.evaluate(SOUNDING) == [names[1]]
    press(page, "k")
    no_error(page)


def test_two_results_play_the_same_moment_and_a_key_changes_between_them(
    page: Any, dashboard: str
) -> None:
    open_recommend(page, dashboard, "?n=5&beside=spectral")
    page.get_by_text("5 of 5 recordings are in both lists").wait_for()
    page.get_by_role("button", name=re.compile("^Hear as B: ")).nth(2).click()
    third = label(page.locator(".hits h3").nth(7).inner_text())
    page.locator(".pair h3").nth(1).filter(has_text=f"B: {third}").wait_for()
    at_rest(page)
    page.locator(".pair .player").first.get_by_role("button", name=re.compile("^Play ")).click()
    page.wait_for_function("() => window.messPair.players[0].audio.currentTime > 1")
    page.keyboard.press("x")
    page.wait_for_function("() => window.messPair.players[1].audio.currentTime > 1")
    assert len(page.evaluate(SOUNDING)) == 1
    apart = page.evaluate(
        "() => { const [a, b] = window.messPair.players;"
        " return [b.at() - a.at(), a.data.level - b.data.level]; }"
    )
    assert -0.5 < apart[0] < 20 and apart[1] == 0
    page.keyboard.press("x")
    page.wait_for_function("() => !window.messPair.players[0].audio.paused")
    page.keyboard.press("k")
    no_error(page)
