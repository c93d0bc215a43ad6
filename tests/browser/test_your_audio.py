"""Your audio in a real browser: handed over, searched with, forgotten, added."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from browser_acts import at_rest, choose, hear, no_error, open_page, reload, until
from browser_server import Serve
from tones import write_tone

from mess.storage.store import Store

EVIL = "<img src=x onerror=alert(1)> **b** $a$.wav"


def hand_over(page: Any, *paths: Path) -> None:
    page.locator("input[type=file]").set_input_files([str(path) for path in paths])


def kept(root: Path) -> set[Path]:
    """Return the folders of the files that were handed over."""
    uploads = root / "uploads"
    return {path for path in uploads.iterdir() if path.is_dir()} if uploads.is_dir() else set()


def titles(page: Any) -> list[str]:
    page.locator(".results li h3").first.wait_for()
    found: list[str] = page.locator(".results li h3").all_inner_texts()
    return found


def test_a_recording_is_heard_searched_with_and_forgotten(
    page: Any, dashboard: str, demo_library: Path, tmp_path: Path
) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message) or dialog.dismiss())
    track, entry = next(
        iter(Store(demo_library).features.manifest("demo", "spectral").done().items())
    )
    recording = Store(demo_library).audio_dir("demo") / entry.path
    mine = tmp_path / EVIL.replace(".wav", ".flac")
    shutil.copy(recording, mine)
    before = kept(demo_library)
    open_page(page, dashboard, "your_audio")
    hand_over(page, mine)
    titles(page)
    at_rest(page)
    page.get_by_role("button", name="Overall", exact=True).click()
    page.locator(".results li .about").first.filter(has_text=track).wait_for()
    hear(page, page.locator(".player").first)
    assert page.locator(".player").first.get_attribute("aria-label") == mine.name
    page.get_by_role("tab", name="Passages").click()
    page.locator(".picker .field").wait_for()
    page.keyboard.press("Tab")
    page.locator(".results li h3").filter(has_text=re.compile(r"· \d+:\d\d–")).first.wait_for()
    hear(page, page.locator(".results .player").first)
    assert len(kept(demo_library) - before) == 1
    files = [path.name for path in (demo_library / "uploads").rglob("*")]
    assert not any("img" in name or "alert" in name for name in files)
    second = write_tone(tmp_path / "second.ogg", 12)
    hand_over(page, second)
    page.locator(f".player[aria-label='{second.name}']").first.wait_for()
    page.wait_for_url(re.compile(r"file=[0-9a-f]{32}&file=[0-9a-f]{32}"))
    # A reload, or the same address in another window, finds both; the one looked at is shown.
    reload(page)
    page.locator(f".player[aria-label='{second.name}']").first.wait_for()
    page.get_by_text("What is kept: 2 files").click()
    assert page.evaluate("() => document.referrer") == ""
    page.get_by_role("button", name="Forget all").click()
    page.locator(".results").wait_for(state="detached")
    page.wait_for_url(re.compile(r"^[^=]*your_audio\?(?!.*file=)"))
    until(page, lambda: kept(demo_library) <= before)
    assert not dialogs
    no_error(page)


def test_bad_files_are_said_and_the_good_one_goes_on(
    page: Any, dashboard: str, tmp_path: Path
) -> None:
    text, empty = tmp_path / "text.wav", tmp_path / "empty.mp3"
    text.write_text("I am no sound")
    empty.write_bytes(b"")
    good = write_tone(tmp_path / "one.ogg", 12).rename(tmp_path / "a <b>good one.OGG")
    cut = tmp_path / "cut.flac"
    whole = write_tone(tmp_path / "whole.flac", 12).read_bytes()
    cut.write_bytes(whole[: len(whole) // 3])
    open_page(page, dashboard, "your_audio")
    hand_over(page, text, empty, cut, good)
    page.get_by_text("text.wav: is no recording that can be read").wait_for()
    page.get_by_text("empty.mp3: is empty").wait_for()
    titles(page)
    assert page.locator(".player").first.get_attribute("aria-label") == good.name
    choose(page, "File", "cut.flac")
    page.get_by_text(re.compile(r"cut.flac: is (damaged or )?truncated")).wait_for()
    no_error(page)


@pytest.mark.long
def test_a_recording_joins_a_dataset(
    page: Any, own_library: Store, tmp_path: Path, served: Serve
) -> None:
    store = own_library
    _, address = served(store.root)
    open_page(page, address, "your_audio")
    hand_over(page, write_tone(tmp_path / "song.mp3", 12))
    titles(page)
    at_rest(page)
    page.get_by_text("Add it to a dataset").click()
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text(re.compile("Added to my-recordings, which has 1 recording now")).wait_for()
    assert (store.audio_dir("my-recordings") / "song.mp3").is_file()
    until(page, lambda: store.features.modified("my-recordings", "spectral"))
    done = until(page, lambda: list(store.features.manifest("my-recordings", "spectral").done()))
    assert done == ["song"]
    no_error(page)
