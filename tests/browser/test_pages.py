"""What a researcher does on a first visit, clicked and heard in a real browser."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from browser_server import serve
from tones import write_tone

from dashboard import jobs
from mess.store import Store


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


def test_a_slider_changes_the_list_and_its_audio_plays(page: Any, dashboard: str) -> None:
    open_page(page, dashboard, "recommend")
    page.locator("audio").nth(5).wait_for()
    captions = page.get_by_test_id("stCaptionContainer")
    sliders = page.get_by_role("slider")
    sliders.first.wait_for()
    assert sliders.count() >= 2, "fewer than two aspects are validated"
    before = page.get_by_test_id("stMarkdown").filter(has_text=re.compile(r"^1\. ")).inner_text()
    sliders.nth(0).focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    sliders.nth(1).focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    second = page.get_by_test_id("stSlider").nth(1).inner_text().split("(")[0].strip()
    captions.filter(has_text=re.compile(rf"^{re.escape(second)} [+-−]?\d")).first.wait_for()
    after = page.get_by_test_id("stMarkdown").filter(has_text=re.compile(r"^1\. ")).inner_text()
    assert before and after
    heard = (
        page.locator("audio")
        .nth(1)
        .evaluate(
            """async audio => {
            await audio.play();
            await new Promise(done => setTimeout(done, 1500));
            const at = audio.currentTime, length = audio.duration;
            audio.pause();
            const bytes = await (await fetch(audio.currentSrc)).arrayBuffer();
            const sound = await new AudioContext().decodeAudioData(bytes);
            let sum = 0;
            for (const value of sound.getChannelData(0)) sum += value * value;
            return {at, length, rms: Math.sqrt(sum / sound.length)};
        }"""
        )
    )
    assert heard["at"] > 0.5
    assert 10 < heard["length"] <= 31
    assert heard["rms"] > 0.003
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
    page.locator("audio").first.wait_for()
    no_error(page)


def test_examples_set_the_sliders(page: Any, dashboard: str) -> None:
    open_page(page, dashboard, "recommend")
    page.locator("audio").nth(5).wait_for()
    page.get_by_text("More examples").click()
    page.get_by_test_id("stMultiSelect").first.locator("input").click()
    page.get_by_role("option").first.wait_for()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Set the sliders by what the liked tracks share").click()
    page.wait_for_timeout(1000)
    weights = page.get_by_role("slider").evaluate_all(
        "sliders => sliders.map(slider => Number(slider.getAttribute('aria-valuenow')))"
    )
    assert max(weights) == 1.0
    assert sum(weight > 0 for weight in weights) >= 2
    no_error(page)


def test_a_job_survives_a_reload_and_can_be_cancelled(
    page: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = Store(tmp_path / "data")
    for number in range(150):
        write_tone(
            store.audio_dir("tunes") / f"album {number % 5}" / f"{number}.wav", 20, seed=number
        )
    process, address = serve(store.root, tmp_path / "log")
    request.addfinalizer(process.kill)
    open_page(page, address)
    choose(page, "Dataset", "tunes")
    choose(page, "Encoder", "spectral (not extracted)")
    page.get_by_role("button", name="Re-extract and re-probe").click()
    page.get_by_text(re.compile(r"\d+ of 150 tracks")).wait_for()
    page.reload()
    page.get_by_text(re.compile(r"\d+ of 150 tracks")).wait_for()
    page.get_by_role("button", name="Cancel").click()
    for _ in range(100):
        job = jobs.last_job(store, "tunes")
        if job is not None and not job.running:
            break
        time.sleep(0.2)
    assert job is not None and job.state == "cancelled"
    page.get_by_role("button", name="Cancel").wait_for(state="detached")
    kept = len(store.features_manifest("tunes", "spectral").done())
    assert kept > 0
    no_error(page)


def choose(page: Any, label: str, option: str) -> None:
    """Choose an option of a select box."""
    page.get_by_test_id("stSelectbox").filter(has_text=label).locator("input").click()
    page.get_by_role("option", name=option, exact=True).click()
