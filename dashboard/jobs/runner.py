"""Run the queue of one dataset: ``python -m dashboard.jobs.runner JOBS_DIR DATASET LOCK``.

`dashboard.jobs.queue` starts it with the dataset's lock, whose file descriptor is ``LOCK``. Each
job inherits that lock and a slot. If a runner is killed, its job continues and keeps others from
starting. The waiting jobs start when the dashboard is opened or another job is added. The runner
needs no server and no browser, and ends when the queue is empty.
"""

import os
import subprocess
import sys
import time
from contextlib import nullcontext, suppress
from pathlib import Path

from dashboard.jobs.commands import title_of
from dashboard.jobs.locks import take_runner, take_slot
from dashboard.jobs.stopping import GRACE_SECONDS, stop_process
from mess.records.job import JobRecord
from mess.storage.jobs import JobFiles
from mess.storage.locks import try_lock, unlock

_POLL_SECONDS = 0.2
_HOW_ENDED = {"failed": "failed", "cancelled": "was cancelled", "dropped": "was not started"}
SIDE_BY_SIDE = 2  # jobs of different datasets at a time; MESS_MAX_JOBS changes it


def main(jobs_dir: Path, dataset: str, lock: int) -> None:
    """Do the dataset's jobs, one after another, until none waits."""
    files = JobFiles(jobs_dir, dataset)
    alive = take_runner(files)
    with alive if alive is not None else nullcontext():
        while True:
            files.end_orphans()
            _work_off(files, lock)
            # A job is written before its writer tries the lock: this process or that one sees it.
            unlock(lock)
            if not files.ids("queued") or not try_lock(lock):
                return


def _work_off(files: JobFiles, lock: int) -> None:
    while files.ids("queued"):
        slot = take_slot(files.jobs_dir, slots=_most())
        if slot is None:
            time.sleep(_POLL_SECONDS)
            continue
        with slot:
            job = files.claim()
            if job is not None and (before := files.failed_before(job)):
                with suppress(OSError):  # as below
                    files.drop(job, _why_dropped(before))
            elif job is not None:
                code = _run(files, job, [lock, slot.fileno()])
                with suppress(
                    OSError
                ):  # the disk is full: the next reader of the job finds out how it ended
                    files.end(job, code=code)
            unlock(slot)


def _why_dropped(before: JobRecord) -> str:
    if not before.command:
        return "what it was to follow was removed from the queue"
    how = _HOW_ENDED.get(before.state or "", "did not end well")
    return f"it needs “{title_of(before.command[0]).lower()}”, which {how}"


def _run(files: JobFiles, job: str, locks: list[int]) -> int | None:
    """Run a job to its end; return its exit status, None if it never started."""
    if files.is_to_stop(job):
        return None
    command = files.command(job)
    with files.open_log(job) as log:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "pipelines.cli", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ
                | {
                    "MESS_JOB": str(files.path(job, "status.json")),
                    "MESS_DATA": str(files.jobs_dir.parent),
                    "PYTHONUNBUFFERED": "1",
                },
                pass_fds=locks,
                start_new_session=True,
            )
        except (
            OSError,
            ValueError,
        ) as error:  # an argument holds a NUL, or there is no memory for a process
            log.write(f"error: cannot be started ({error})\n".encode(errors="replace"))
            return None
    with suppress(OSError):
        files.started(job, pid=process.pid)
    while (code := process.poll()) is None:
        if files.is_to_stop(job):
            stop_process(files, job, pid=process.pid, grace=_grace())
        time.sleep(_POLL_SECONDS)
    return code


def _most() -> int:
    return max(1, _number("MESS_MAX_JOBS", SIDE_BY_SIDE))


def _grace() -> float:
    return float(_number("MESS_CANCEL_SECONDS", round(GRACE_SECONDS)))


def _number(variable: str, otherwise: int) -> int:
    try:
        return int(os.environ.get(variable, ""))
    except ValueError:
        return otherwise


if __name__ == "__main__":
    os.nice(5)  # so that the pages stay quick
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
