"""The first page: what exists, what is stale and why, and a button for every gap."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from browser_acts import (
    at_rest,
    no_error,
    open_data,
    open_page,
    reload,
    until,
    wait_for_address,
)
from browser_server import Serve
from layouts import write_piece

from dashboard.jobs import queue as jobs
from mess.storage.store import Store

HOSTILE = "<img src=x onerror=alert(1)> *b*"


def test_everything_that_exists_is_shown_with_its_size_and_licence(
    page: Any, dashboard: str
) -> None:
    open_data(page, dashboard)
    page.get_by_role("heading", name="demo", exact=True).wait_for()
    amount = page.get_by_text(re.compile(r"by spectral · .* of audio · \d+ tracks · \d+ works"))
    assert re.search(r"\d MB on disk", amount.inner_text())
    row = page.get_by_role("row", name=re.compile("layer discovery"))
    assert re.search(r"✓ ready.*kB.*cells", row.inner_text().replace("\n", " "))
    page.get_by_text(re.compile("Licence of the recordings: .*not for redistribution")).wait_for()
    page.get_by_text("Licence of the weights of spectral: Apache-2.0").wait_for()
    no_error(page)


def test_what_the_model_hears_is_heard_from_the_least_to_the_most(
    page: Any, dashboard: str
) -> None:
    open_page(page, dashboard)
    sentence = page.get_by_role("heading", name=re.compile(r"spectral hears how .*R² 0\.\d\d"))
    sentence.wait_for()
    page.get_by_role("button", name=re.compile("Play all 5")).wait_for()
    # All five stand on the first screen with the sentence.
    last = page.locator(".ladder li").nth(4)

    def height() -> float:
        places = [one.bounding_box() for one in (sentence, last)]
        return float(places[1]["y"] + places[1]["height"] - places[0]["y"])

    until(page, height, lambda now: now < 600)
    # Each sound really plays to its end, but eight times as fast.
    played = """() => (window.messLadders ? [...window.messLadders] : []).map(
        (one) => one.rungs.map(({player: {audio}}) => {
            audio.playbackRate = 8;
            return audio.ended;
        }))"""
    page.keyboard.press("p")
    until(page, lambda: page.evaluate(played), lambda ended: ended == [[True] * 5])
    page.get_by_role("button", name=re.compile("Play all 5")).wait_for()  # no longer "Stop"
    page.get_by_role("button", name="Surprise me").click()
    both = page.get_by_role("group", name="Two recordings that are alike")
    both.get_by_role("button", name=re.compile("^Pause ")).wait_for()  # it began by itself
    page.keyboard.press("k")
    # The pair is in the address: a reload, "back" and a link bring it back, and play nothing.
    titles = both.get_by_role("heading").all_inner_texts()
    page.wait_for_url(re.compile(r"pair=.*&pair="))
    before = page.url
    page.get_by_role("button", name="Surprise me").click()
    until(page, both.get_by_role("heading").all_inner_texts, lambda now: now != titles)
    page.keyboard.press("k")
    wait_for_address(page, before)
    at_rest(page)
    page.go_back()
    until(page, both.get_by_role("heading").all_inner_texts, lambda now: now == titles)
    reload(page)
    until(page, both.get_by_role("heading").all_inner_texts, lambda now: now == titles)
    until(page, lambda: page.url, lambda now: now == before)
    assert both.get_by_role("button", name=re.compile("^Pause ")).count() == 0
    # A pair that was asked for plays, but not when the page is come back to.
    page.get_by_role("button", name="Surprise me").click()
    both.get_by_role("button", name=re.compile("^Pause ")).wait_for()
    until(page, lambda: page.url, lambda now: now != before)
    before, titles = page.url, both.get_by_role("heading").all_inner_texts()
    cell = page.get_by_role("button", name=re.compile("rhythmic energy, layer 0: R²"))
    cell.focus()
    page.keyboard.press("ArrowRight")
    entries = page.evaluate("history.length")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=re.compile("onset density, layer 1")).wait_for()
    no_error(page)
    # One press leads back to the pair, which is silent.
    page.go_back()
    page.wait_for_url(before)
    until(page, both.get_by_role("heading").all_inner_texts, lambda now: now == titles)
    assert both.get_by_role("button", name=re.compile("^Pause ")).count() == 0
    assert page.evaluate("history.length") == entries + 1


@pytest.mark.long
def test_gaps_say_why_and_are_filled_by_a_click(
    page: Any, demo_library: Path, tmp_path: Path, served: Serve
) -> None:
    shutil.copytree(demo_library, tmp_path / "data")  # with the times of its files
    store = Store(tmp_path / "data")
    changed = next(store.audio_dir("demo").glob("*.flac"))
    write_piece(changed.with_suffix(".wav"), 1)
    changed.with_suffix(".wav").rename(changed)
    (store.root / "processed/evaluation/demo/spectral.json").write_text("{")
    (store.root / "processed/indices/demo/spectral/manifest.json").unlink()
    _, address = served(store.root)
    open_data(page, address)

    def told(name: str) -> str:
        return str(page.get_by_role("row", name=re.compile(name)).inner_text()).replace("\n", " ")

    page.get_by_role("row", name=re.compile("features")).wait_for()
    assert "↻ stale" in told("features") and "1 recording changed" in told("features")
    assert "✗ damaged" in told("judged sliders")
    assert "○ missing" in told("search index")
    page.get_by_role("button", name="Index", exact=True).click()
    page.get_by_role("row", name=re.compile("search index.*ready", re.DOTALL)).wait_for()
    # The index is seen before the passages beside it are done.
    until(page, lambda: jobs.active_jobs(store), lambda active: not active)
    job = jobs.ended_jobs(store)[0]
    assert job.state == "done"
    assert job.command == ["index", "--dataset", "demo", "--encoder", "spectral"]
    no_error(page)


@pytest.mark.long
def test_a_first_visit_builds_the_demo_library_in_one_click(
    page: Any, tmp_path: Path, served: Serve
) -> None:
    store = Store(tmp_path / "data")
    _, address = served(store.root)
    open_page(page, address)
    page.get_by_text("MESS looks into the layers").wait_for()
    page.get_by_role("button", name="Build the demo library").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel").wait_for(state="detached")
    job = jobs.ended_jobs(store)[0]
    assert job.state == "cancelled"
    assert job.command == ["run-all", "--dataset", "demo"]
    no_error(page)


@pytest.mark.long
def test_names_of_folders_and_files_are_text(page: Any, tmp_path: Path, served: Serve) -> None:
    store = Store(tmp_path / "data")
    write_piece(store.audio_dir(HOSTILE) / "one.wav", 1)
    (store.audio_dir("mine") / HOSTILE).mkdir(parents=True)
    (store.audio_dir("mine") / HOSTILE / f"{HOSTILE}.wav").write_bytes(b"no audio")
    write_piece(store.audio_dir("mine") / "one.wav", 1)
    (store.audio_dir("mine") / f"{HOSTILE}.mp3").symlink_to(tmp_path / "gone.wav")
    job = jobs.add(
        store, dataset="mine", command=["extract", "--dataset", "mine", "--encoder", "spectral"]
    )
    _, address = served(store.root)
    open_data(page, address)
    page.get_by_text(f"not read: {HOSTILE} (no name of a dataset").wait_for()
    page.get_by_text("What is not read of mine").click()
    passed_over = f"not read: {HOSTILE}.mp3 (a link that leads nowhere)"
    page.get_by_role("listitem").filter(has_text=passed_over).wait_for()
    page.get_by_text("1 recording failed").click()
    # The job's own list may name it, too.
    page.get_by_role("listitem").filter(has_text=f"{HOSTILE}.wav").first.wait_for()
    page.get_by_test_id("stAlert").filter(has_text=HOSTILE).first.wait_for()
    assert job
    assert page.locator("img[src=x]").count() == 0
    no_error(page)
