"""Pipelines started, watched, queued, cancelled and failing, in one browser and in two."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from browser_acts import at_rest, choose, no_error, open_page, reload, until
from browser_server import Serve
from layouts import write_piece

from dashboard.jobs import queue as jobs
from mess.storage.store import Store

_ROOM = """() => [
    parseInt(getComputedStyle(document.documentElement).getPropertyValue('--mess-jobs')),
    Math.round(document.querySelector('.st-key-running-jobs').getBoundingClientRect().height),
]"""
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def tunes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings that a command needs a while for; no test changes them."""
    folder = tmp_path_factory.mktemp("tunes")
    for number in range(120):
        path = folder / f"album {number % 5}" / f"{number}.wav"
        write_piece(path, number % 2, seconds=30.0)
    return folder


@pytest.fixture
def store(tunes: Path, tmp_path: Path) -> Store:
    """A store of the test's own, without jobs: a second try finds nothing of the first."""
    store = Store(tmp_path / "data")
    store.audio_dir("broken").mkdir(parents=True)
    (store.audio_dir("broken") / f"{HOSTILE}.wav").symlink_to("gone.wav")
    store.audio_dir("tunes").symlink_to(tunes, target_is_directory=True)
    return store


@pytest.fixture
def address(store: Store, served: Serve) -> str:
    return served(store.root)[1]


def running(page: Any) -> Any:
    return page.get_by_text(re.compile(r"\d+ of 120 tracks"))


def is_inside(box: dict[str, float] | None, *, width: int, height: int) -> bool:
    """Tell whether what has this place can be seen."""
    return (
        box is not None
        and box["y"] > 0
        and box["y"] + box["height"] < height
        and box["x"] >= 0
        and box["x"] + box["width"] <= width
    )


def run(page: Any, title: str, **texts: str) -> None:
    """Start a pipeline by the form."""
    page.get_by_role("button", name="Run a pipeline").click()
    choose(page, "Pipeline", title)
    for label, text in texts.items():
        box = page.get_by_role("textbox", name=label, exact=True)
        box.fill(text)
        box.press("Tab")
    button = page.get_by_test_id("stPopoverBody").get_by_role("button", name="Start", exact=True)
    button.and_(page.locator(":not([disabled])")).click()


@pytest.mark.long
def test_a_job_is_seen_by_two_browsers_a_reload_and_the_next_server(
    page: Any, visit: Callable[..., Any], store: Store, served: Serve
) -> None:
    process, address = served(store.root)
    other = visit()
    open_page(other, address)
    open_page(page, address)
    choose(page, "Dataset", "tunes")
    choose(page, "Encoder", "spectral (not extracted)")
    page.get_by_role("button", name="Re-extract and re-probe").click()
    running(page).wait_for()
    running(other).wait_for()  # it was idle, and nobody touched it
    reload(page)
    running(page).wait_for()
    process.kill()
    _, address = served(store.root)
    open_page(page, address)
    running(page).wait_for()
    open_page(other, address)
    other.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel").wait_for(state="detached")
    job = jobs.ended_jobs(store)[0]
    assert job.state == "cancelled"
    assert store.features.manifest("tunes", "spectral").done()
    for one in (page, other):
        at_rest(one)
        one.get_by_text("Last jobs").click()
        ended = re.compile("tunes: everything that is missing by spectral: cancelled")
        one.get_by_text(ended).first.wait_for()
        no_error(one)


@pytest.mark.long
def test_jobs_wait_for_one_another_and_can_be_removed(
    page: Any, address: str, store: Store
) -> None:
    open_page(page, address)
    choose(page, "Dataset", "tunes")
    run(page, "Measure proxy targets")
    page.get_by_role("button", name="Cancel").wait_for()
    sizes = {"a laptop": (1280, 720), "a phone": (390, 844)}  # whose sidebar is closed
    for width, height in sizes.values():
        page.set_viewport_size({"width": width, "height": height})
        for what in (page.get_by_role("button", name="Cancel"), page.locator(".running progress")):
            # The page is laid out anew.
            until(page, what.bounding_box, partial(is_inside, width=width, height=height))
        # What stays in sight below them knows how high they are.
        until(page, partial(page.evaluate, _ROOM), lambda rooms: rooms[0] == rooms[1] > 40)
    page.set_viewport_size({"width": 1280, "height": 900})
    run(page, "Build the search index")
    page.get_by_text(re.compile("tunes: build the search index.*waits")).wait_for()
    until(page, lambda: [job.state == "queued" for job in jobs.active_jobs(store)] == [False, True])
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove").wait_for(state="detached")
    assert [job.command[0] for job in jobs.active_jobs(store)] == ["targets"]
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel").wait_for(state="detached")
    assert page.evaluate(_ROOM)[0] == 0
    no_error(page)


@pytest.mark.long
def test_a_failing_job_shows_its_line_and_its_log_and_names_as_text(
    page: Any, address: str
) -> None:
    alerts: list[Any] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog), dialog.dismiss()))
    open_page(page, address)
    choose(page, "Dataset", "broken")
    run(page, "Measure proxy targets")  # the weights of an encoder would be asked for first
    failure = page.get_by_test_id("stAlert").filter(has_text="has no audio below")
    failure.wait_for()
    assert HOSTILE in failure.inner_text()
    page.get_by_role("button", name="Log", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the whole log").click()
    page.keyboard.press("Escape")
    assert "has no audio below" in Path(download.value.path()).read_text()
    page.get_by_test_id("stMain").get_by_role("button", name="Close").click()  # not of a toast
    failure.wait_for(state="detached")
    reload(page)
    page.get_by_text("Last jobs").click()
    page.get_by_text(re.compile("✗ .*failed")).wait_for()
    assert failure.count() == 0
    assert not alerts
    assert page.locator("img[src=x]").count() == 0
    no_error(page)


@pytest.mark.long
def test_a_run_with_one_damaged_recording_is_yellow_and_names_it(
    page: Any, address: str, store: Store
) -> None:
    folder = store.audio_dir("mixed")
    for number in range(3):
        write_piece(folder / f"{number}.wav", number, seconds=6.0)
    (folder / "damaged.mp3").write_bytes(b"no audio")
    open_page(page, address)
    choose(page, "Dataset", "mixed")
    run(page, "Measure proxy targets")
    notice = page.get_by_test_id("stAlert").filter(has_text="3 of 4 recordings done")
    notice.wait_for()
    said = notice.inner_text()
    assert "1 could not be used: audio/mixed/damaged.mp3: is no audio that can be decoded" in said
    assert "convert or export it again" in said
    assert str(store.root) not in said
    assert notice.get_by_test_id("stAlertContentWarning").count() == 1
    page.set_viewport_size({"width": 390, "height": 844})
    assert notice.is_visible()
    page.get_by_test_id("stMain").get_by_role("button", name="Close").click()  # not of a toast
    notice.wait_for(state="detached")
    no_error(page)


@pytest.mark.long
def test_finished_work_appears_without_a_reload(page: Any, address: str, tmp_path: Path) -> None:
    for number in range(6):
        write_piece(tmp_path / "mine" / f"album {number}" / f"{number}.wav", number, seconds=6.0)
    open_page(page, address)
    run(
        page,
        "Add a folder of recordings",
        **{"Name of the dataset": "mine", "Folder": str(tmp_path / "mine")},
    )
    page.get_by_role("heading", name="mine", exact=True).wait_for()
    page.get_by_text("6 recordings, nothing extracted").wait_for()
    choose(page, "Dataset", "mine")
    choose(page, "Encoder", "spectral (not extracted)")
    run(page, "Extract features")
    page.get_by_text(re.compile("6 tracks · 6 works")).wait_for()
    page.get_by_role("button", name="Measure targets").first.wait_for()
    no_error(page)
