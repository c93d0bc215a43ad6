"""A pipeline that the dashboard starts is a process that outlives it, in a queue on disk."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from job_acts import QUICK, ended, extract, until
from layouts import write_piece
from starlette.requests import Request

from dashboard.jobs import queue as jobs
from dashboard.jobs.routes import now
from dashboard.jobs.stopping import stop_process
from mess.errors import MessError
from mess.records.job import JobStatus
from mess.records.left_out import LeftOut
from mess.storage.jobs import JobFiles
from mess.storage.locks import hold, is_held
from mess.storage.paths import file_stem
from mess.storage.records import write_record
from mess.storage.store import Store


def add_tracks(store: Store, count: int, *, seconds: float = 8.0, dataset: str = "tunes") -> None:
    for number in range(count):
        path = store.audio_dir(dataset) / f"album {number % 4}" / f"{number}.wav"
        write_piece(path, number % 2, seconds=seconds)


def under_way(store: Store, job: str) -> jobs.Job:
    """Wait until a job has finished its first track."""

    def found() -> list[jobs.Job]:
        return [one for one in jobs.active_jobs(store) if one.id == job and one.done]

    until(found, store)
    return found()[0]


def pid_of(store: Store, job: str, dataset: str = "tunes") -> int:
    record = JobFiles(store.jobs_dir, dataset).record(job, "running")
    assert record is not None and record.pid is not None
    return record.pid


def runner_of(store: Store, job: str) -> int:
    status = Path(f"/proc/{pid_of(store, job)}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid")))


def test_a_job_reports_its_progress_and_its_end(store: Store) -> None:
    add_tracks(store, 6)
    before = jobs.stamp(store)
    job = ended(store, extract(store))
    assert (job.state, job.done, job.total) == ("done", 6, 6)
    assert job.added <= job.started <= job.ended
    assert len(store.features.manifest("tunes", "spectral").done()) == 6
    assert jobs.stamp(store) > before
    assert "6 made" in jobs.log_tail(store, job)


def test_jobs_of_a_dataset_run_one_after_another_and_can_be_withdrawn(store: Store) -> None:
    add_tracks(store, 100, seconds=30.0)
    first = extract(store)
    assert extract(store) == first, "the same command waits or runs already"
    second = jobs.add(store, dataset="tunes", command=QUICK)
    third = jobs.add(store, dataset="tunes", command=["targets", "--dataset", "tunes"])
    running = under_way(store, first)
    assert running.total == 100
    assert [(job.id, job.state) for job in jobs.active_jobs(store)] == [
        (first, "running"),
        (second, "queued"),
        (third, "queued"),
    ]
    jobs.cancel(store, jobs.active_jobs(store)[2])
    assert [job.id for job in jobs.active_jobs(store)] == [first, second]
    jobs.cancel(store, running)
    assert ended(store, first).state == "cancelled"
    assert 0 < len(store.features.manifest("tunes", "spectral").done()) < 100
    after = ended(store, second)
    assert after.state == "done" and after.started >= ended(store, first).ended - 0.5
    assert [job.id for job in jobs.ended_jobs(store)] == [second, first]


@pytest.mark.long
def test_a_killed_job_is_failed_and_the_next_one_runs(store: Store) -> None:
    add_tracks(store, 60, seconds=30.0)
    first = extract(store)
    second = jobs.add(store, dataset="tunes", command=QUICK)
    under_way(store, first)
    os.killpg(pid_of(store, first), signal.SIGKILL)
    assert "SIGKILL" in ended(store, first).message
    assert ended(store, second).state == "done"


@pytest.mark.long
def test_a_job_outlives_its_runner_and_the_queue_is_taken_up(store: Store) -> None:
    add_tracks(store, 60, seconds=30.0)
    first = extract(store)
    second = jobs.add(store, dataset="tunes", command=QUICK)
    under_way(store, first)
    os.kill(runner_of(store, first), signal.SIGKILL)
    done = under_way(store, first).done
    until(lambda: under_way(store, first).done > done, store)  # it goes on
    jobs.tend(store)
    assert [job.state for job in jobs.active_jobs(store)] == ["running", "queued"]
    jobs.cancel(store, jobs.active_jobs(store)[0])
    until(lambda: not jobs.active_jobs(store)[0].running, store)
    assert ended(store, first).state == "cancelled"  # before anyone took up the queue
    jobs.tend(store)  # as a dashboard does that is opened
    assert ended(store, second).state == "done"


@pytest.mark.long
def test_a_job_outlives_the_server_that_started_it(store: Store) -> None:
    add_tracks(store, 20)
    program = (
        "from dashboard.jobs import queue as jobs; from mess.storage.store import Store\n"
        "for step in ('extract', 'targets'):\n"
        "    command = [step, '--dataset', 'tunes']\n"
        "    if step == 'extract': command += ['--encoder', 'spectral']\n"
        "    jobs.add(Store(), dataset='tunes', command=command)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, start_new_session=True)
    seen = jobs.active_jobs(store)
    assert [job.command[0] for job in seen] == ["extract", "targets"]
    assert [ended(store, job.id).state for job in seen] == ["done", "done"]
    assert len(store.targets.manifest("tunes").done()) == 20


@pytest.mark.long
def test_datasets_run_side_by_side_up_to_a_limit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESS_MAX_JOBS", "2")
    names = ("one", "two", "three")
    for name in names:
        add_tracks(store, 40, seconds=30.0, dataset=name)
    started = [extract(store, name) for name in names]

    def states() -> list[str]:
        return sorted(job.state for job in jobs.active_jobs(store))

    until(lambda: states() == ["queued", "running", "running"], store)
    for job in jobs.active_jobs(store):
        if job.running:
            jobs.cancel(store, job)
            break
    waiting = next(job.id for job in jobs.active_jobs(store) if job.state == "queued")
    under_way(store, waiting)
    assert waiting in started


def test_a_failing_job_shows_the_line_that_matters(store: Store) -> None:
    store.audio_dir("tunes").mkdir(parents=True)
    job = ended(store, extract(store))
    assert job.state == "failed"
    assert "has no audio below" in job.message
    assert "has no audio below" in jobs.log_path(store, job).read_text()


def test_a_job_with_a_bad_recording_is_done_and_names_it(store: Store) -> None:
    add_tracks(store, 2)
    for name in ("broken.wav", "cut.wav"):
        (store.audio_dir("tunes") / name).write_bytes(b"no audio")
    job = ended(store, extract(store))
    assert job.state == "incomplete"
    said = "2 of 4 recordings done; 2 could not be used. The first: audio/tunes/broken.wav: "
    assert job.message.startswith(said)
    assert job.left_out is not None and (job.left_out.done, job.left_out.count) == (2, 2)
    first, second = job.left_out.reasons.values()
    assert first.startswith("audio/tunes/broken.wav: ") and "; " in first
    assert second.startswith("audio/tunes/cut.wav: ")
    assert f"{store.root}" not in job.message + first + second
    assert "2 of 4 recordings done; 2 could not" in jobs.log_path(store, job).read_text()
    assert len(store.features.manifest("tunes", "spectral").done()) == 2


def test_a_job_without_one_of_its_encoders_is_done_and_says_why(store: Store) -> None:
    from streamlit.testing.v1 import AppTest

    why = "far: none of 1 recordings could be used: tune-0.wav: gives states that are not finite"
    left_out = LeftOut.among({}, done=1, encoders={"far": why})
    files = JobFiles(store.jobs_dir, "tunes")
    files.add(["extract", "--dataset", "tunes", "--encoder", "spectral,far"])
    job = files.claim()
    assert job is not None
    files.started(job, pid=os.getpid())
    said = JobStatus(state="incomplete", message=str(left_out), left_out=left_out)
    write_record(files.path(job, "status.json"), said)
    files.end(job, code=3)

    def page() -> None:
        from dashboard.components.job_panel import show_jobs

        show_jobs()

    shown = AppTest.from_function(page).run(timeout=60)
    (warning,) = shown.warning
    assert "1 of 1 recordings done; nothing by far" in warning.value
    assert not shown.error


def test_a_job_without_one_good_recording_is_failed(store: Store) -> None:
    store.audio_dir("tunes").mkdir(parents=True)
    (store.audio_dir("tunes") / "broken.wav").write_bytes(b"no audio")
    job = ended(store, extract(store))
    assert job.state == "failed"
    assert job.message.startswith("no recording could be used: audio/tunes/broken.wav: ")


@pytest.mark.parametrize("name", ["../up", "<img src=x onerror=alert(1)>", "-x", "a/b", "ü\udcff"])
def test_any_name_is_safe_on_disk_and_kept_as_it_is(store: Store, name: str) -> None:
    job = ended(store, extract(store, name))
    assert job.dataset == name
    assert job.state == "failed"
    assert "no dataset name" in job.message
    assert {path.name for path in (store.jobs_dir / "datasets").iterdir()} == {file_stem(name)}
    assert {path.name for path in store.root.iterdir()} <= {"jobs"}


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MessError, match=r"(cannot be written|is no folder).*MESS_DATA"):
        jobs.add(Store(tmp_path / "file"), dataset="tunes", command=QUICK)


def test_a_failure_is_seen_once_for_all_browsers(store: Store) -> None:
    job = ended(store, extract(store, "nowhere"))
    assert not jobs.is_dismissed(store, job)
    jobs.dismiss(store, job)
    assert jobs.is_dismissed(store, job)


def test_a_process_that_will_not_stop_is_killed_after_a_grace(tmp_path: Path) -> None:
    files = JobFiles(tmp_path, "tunes")
    files.folder.mkdir(parents=True)
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)"
    deaf = subprocess.Popen(
        [sys.executable, "-c", f"{program}; time.sleep(600)"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert deaf.stdout is not None and deaf.stdout.readline()
    for _ in range(3):
        stop_process(files, "1", pid=deaf.pid, grace=50.0)
        assert deaf.poll() is None
    time.sleep(0.2)
    stop_process(files, "1", pid=deaf.pid, grace=0.2)
    assert deaf.wait(timeout=30) == -signal.SIGKILL


def test_a_lock_is_free_when_its_process_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = hold(path)
    assert held is not None and is_held(path)
    assert hold(path, patience=0.05) is None
    held.close()
    assert not is_held(path)


def test_pages_are_told_how_far_jobs_are(store: Store) -> None:
    add_tracks(store, 60, seconds=30.0)
    hostile = "<b>x</b>"
    first = extract(store)
    jobs.add(store, dataset="tunes", command=["index", "--dataset", "tunes", "--encoder", hostile])
    under_way(store, first)

    def asked() -> Any:
        return json.loads(bytes(now(Request({"type": "http"})).body))

    told = asked()
    assert told["stamp"] == str(jobs.stamp(store))
    running, waiting = told["jobs"]
    assert (running["id"], running["state"]) == (first, "running")
    assert 0 < running["share"] < 1
    assert re.fullmatch(r"\d+ of 60 tracks, \d+/min, \d+:\d\d left", running["text"])
    assert (waiting["text"], waiting["share"]) == ("waits", None)
    assert waiting["name"] == "tunes: build the search index by <b>x</b>"  # the browser escapes
    jobs.cancel(store, jobs.active_jobs(store)[1])
    jobs.cancel(store, jobs.active_jobs(store)[0])
    until(lambda: not asked()["jobs"], store)
    assert asked()["stamp"] != told["stamp"]
