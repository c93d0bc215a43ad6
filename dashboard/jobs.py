"""Start, watch and cancel a pipeline as a process of its own.

A job belongs to a dataset and one runs per dataset at a time. The process inherits a lock on the
dataset's lock file, so the lock is held exactly as long as the process lives: it survives a
reload and a restart of the server, and a crash cannot hold it. Beside the lock lie the job's
record (what was started), its status (written by the process) and its log.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mess.errors import MessError
from mess.files import write_json
from mess.store import Store

_children: list[subprocess.Popen[bytes]] = []  # kept to be reaped


@dataclass(frozen=True)
class Job:
    """The last job of a dataset.

    Attributes
    ----------
    dataset : str
    command : list of str
        What runs, below ``mess``.
    running : bool
    state : str
        "starting", "running", "done", "failed" or "cancelled".
    message : str
        Why it failed, in one line.
    stage, current, unit : str
        What is being done.
    done, total : int
    per_minute, seconds_left : float
    started : float
        Seconds since the epoch.
    """

    dataset: str
    command: list[str]
    running: bool
    state: str
    message: str
    stage: str
    current: str
    unit: str
    done: int
    total: int
    per_minute: float
    seconds_left: float
    started: float


def start(store: Store, *, dataset: str, command: Sequence[str]) -> None:
    """Start ``mess COMMAND…`` for a dataset.

    Raises
    ------
    MessError
        If a job of this dataset is running.
    """
    files = _Files(store, dataset)
    files.lock.parent.mkdir(parents=True, exist_ok=True)
    lock = files.lock.open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise MessError(f"a job of {dataset!r} is running: wait for it or cancel it") from None
    with lock, files.log.open("wb") as log:
        files.status.unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "mess.cli", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"MESS_JOB": str(files.status), "MESS_DATA": str(store.root)},
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )
        _children.append(process)
        write_json(
            files.record,
            {"command": list(command), "pid": process.pid, "started": time.time()},
        )


def last_job(store: Store, dataset: str) -> Job | None:
    """Return the last job of a dataset, or None if there was none."""
    _children[:] = [child for child in _children if child.poll() is None]
    files = _Files(store, dataset)
    running = _is_locked(files.lock)
    record = _read(files.record)
    if not record:
        return None
    status = _read(files.status)
    state = status.get("state", "starting")
    message = status.get("message", "")
    if not running and state in ("starting", "running"):
        state, message = "failed", _last_line(files.log) or "the process was killed"
    return Job(
        dataset=dataset,
        command=record["command"],
        running=running,
        state=state,
        message=message,
        stage=status.get("stage", ""),
        current=status.get("current", ""),
        unit=status.get("unit", ""),
        done=status.get("done", 0),
        total=status.get("total", 0),
        per_minute=status.get("per_minute", 0.0),
        seconds_left=status.get("seconds_left", 0.0),
        started=record["started"],
    )


def running_jobs(store: Store) -> list[Job]:
    """Return the jobs that run now, of all datasets."""
    datasets = sorted(path.stem for path in store.jobs_dir.glob("*.lock"))
    jobs = (last_job(store, dataset) for dataset in datasets)
    return [job for job in jobs if job is not None and job.running]


def cancel(store: Store, dataset: str) -> None:
    """Ask the running job of a dataset to stop; what it finished is kept."""
    files = _Files(store, dataset)
    # The lock says that the recorded process lives, so its number is not another's by now.
    if _is_locked(files.lock) and (record := _read(files.record)):
        os.killpg(record["pid"], signal.SIGTERM)


def log_tail(store: Store, dataset: str, *, lines: int = 12) -> str:
    """Return the last lines of a job's log."""
    path = _Files(store, dataset).log
    if not path.is_file():
        return ""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


class _Files:
    """Where the files of a dataset's job lie."""

    def __init__(self, store: Store, dataset: str) -> None:
        self.lock = store.jobs_dir / f"{dataset}.lock"
        self.record = store.jobs_dir / f"{dataset}.job.json"
        self.status = (store.jobs_dir / f"{dataset}.status.json").absolute()
        self.log = store.jobs_dir / f"{dataset}.log"


def _is_locked(path: Path) -> bool:
    handle: IO[bytes]
    try:
        with path.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
