"""Recommend by ear in a real browser: one sound at a time, its keys, a path, two side by side."""

import re
from pathlib import Path
from typing import Any

from browser_acts import PATIENCE, at_rest, no_error, reload, until
from recommend_page import (
    HEARD,
    SOUNDING,
    label,
    open_recommend,
    press,
    titles,
    wait_for_other_titles,
    wait_for_sound,
)

from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.paths import path_between
from mess.storage.store import Store


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
    # The list plays on to its next result by itself.
    page.get_by_role("button", name="Play in a row").click()
    wait_for_sound(page, names[1])
    page.evaluate("() => window.messCurrent.audio.dispatchEvent(new Event('ended'))")
    wait_for_sound(page, names[2])
    press(page, "k")
    no_error(page)


def test_how_sounds_are_played_is_kept_in_the_browser(page: Any, dashboard: str) -> None:
    open_recommend(page, dashboard)
    page.get_by_role("combobox", name="Speed").first.select_option("0.75")
    for name in ("same loudness", "Values"):
        page.get_by_role("button", name=name, exact=True).first.click()
    reload(page)
    page.locator("li h3").first.wait_for()
    assert page.get_by_role("combobox", name="Speed").first.input_value() == "0.75"
    tools = page.locator(".tools").first
    pressed = {
        name: tools.get_by_role("button", name=name, exact=True).get_attribute("aria-pressed")
        for name in ("same loudness", "Values")
    }
    assert pressed == {"same loudness": "false", "Values": "true"}
    query = page.get_by_role("combobox", name="Query track").input_value()
    page.get_by_role("button", name=re.compile("^Play ")).first.click()
    wait_for_sound(page, query)
    audio = "() => [window.messCurrent.audio.playbackRate, window.messCurrent.audio.src]"
    rate, source = page.evaluate(audio)
    assert rate == 0.75 and "level" not in source
    # What was kept and cannot be chosen is left aside.
    page.evaluate("() => localStorage.setItem('mess-player-speed', '99')")
    reload(page)
    page.locator("li h3").first.wait_for()
    assert page.get_by_role("combobox", name="Speed").first.input_value() == "1"
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
    page.locator(".hits").get_by_role("button", name="Play in a row").click()
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
