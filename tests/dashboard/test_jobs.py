"""A pipeline that the dashboard starts is a process that outlives it."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from tones import write_tone

from dashboard import jobs
from mess.errors import MessError
from mess.store import Store


@pytest.fixture
def store(data_root: Path) -> Store:
    return Store(data_root)


def add_tracks(store: Store, count: int, *, seconds: float = 8.0) -> None:
    for number in range(count):
        path = store.audio_dir("tunes") / f"album {number % 4}" / f"{number}.wav"
        write_tone(path, seconds, seed=number)


def wait_until(store: Store, *, running: bool, timeout: float = 60.0) -> jobs.Job:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        job = jobs.last_job(store, "tunes")
        if job is not None and job.running == running and (not running or job.done):
            return job
        time.sleep(0.1)
    raise AssertionError(f"still waiting; log:\n{jobs.log_tail(store, 'tunes')}")


def extract(store: Store) -> None:
    command = ["extract", "--dataset", "tunes", "--encoder", "spectral"]
    jobs.start(store, dataset="tunes", command=command)


def test_a_job_reports_its_progress_and_its_end(store: Store) -> None:
    add_tracks(store, 6)
    extract(store)
    job = wait_until(store, running=False)
    assert (job.state, job.done, job.total) == ("done", 6, 6)
    assert len(store.features_manifest("tunes", "spectral").done()) == 6


def test_one_job_runs_per_dataset_and_cancelling_keeps_what_is_done(store: Store) -> None:
    add_tracks(store, 120, seconds=30.0)
    extract(store)
    running = wait_until(store, running=True)
    assert running.total == 120
    with pytest.raises(MessError, match="is running"):
        extract(store)
    jobs.cancel(store, "tunes")
    job = wait_until(store, running=False)
    assert job.state == "cancelled"
    kept = len(store.features_manifest("tunes", "spectral").done())
    assert 0 < kept < 120


def test_a_killed_job_is_seen_as_failed_and_holds_no_lock(store: Store) -> None:
    add_tracks(store, 120, seconds=30.0)
    extract(store)
    wait_until(store, running=True)
    record = store.jobs_dir / "tunes.job.json"
    os.killpg(json.loads(record.read_text())["pid"], signal.SIGKILL)
    assert wait_until(store, running=False).state == "failed"
    extract(store)
    wait_until(store, running=True)
    jobs.cancel(store, "tunes")
    wait_until(store, running=False)


def test_a_failing_job_shows_the_line_that_matters(store: Store) -> None:
    store.audio_dir("tunes").mkdir(parents=True)
    extract(store)
    job = wait_until(store, running=False)
    assert job.state == "failed"
    assert "has no audio below" in job.message
