"""Jobs on disk: which commands of a dataset wait, which one runs, how the others ended.

A job is a command that the dashboard started as a process.

::

    jobs/changed                           touched when a job is added, starts or ends
    jobs/datasets/<name>/<id>.queued.json  becomes .running.json, then .ended.json
    jobs/datasets/<name>/<id>.status.json  written by the pipeline; <id>.log is its output
    jobs/datasets/<name>/<id>.cancel       asks for its end; <id>.term: it was told to stop

A job changes its state by a rename. So either a runner claims it or a person withdraws it, never
both. For the locks see `dashboard.jobs.locks`. An id begins with the time, so ids sort in the order
in which jobs were added.
"""

import json
import os
import secrets
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Literal, TypeVar

from mess.errors import without_places
from mess.records.base import Record
from mess.records.job import JobRecord, JobStatus
from mess.storage.paths import file_stem
from mess.storage.records import write_record

Kind = Literal["queued", "running", "ended"]
KEPT = 20  # ended jobs of a dataset
_TAIL = 65_536  # bytes of a log that are read for its last lines
_VAGUE = "it stopped without a word"  # the log has the reason
_KILLED = "what was finished is kept; if memory ran out, start it again with fewer threads"
R = TypeVar("R", bound=Record)


class JobFiles:
    """The jobs of one dataset.

    Parameters
    ----------
    jobs_dir : Path
    dataset : str
        Any name: what is made of it is a safe file name.
    folder : str, optional
        The file name, where that is what is known.
    """

    def __init__(self, jobs_dir: Path, dataset: str = "", *, folder: str | None = None) -> None:
        self.jobs_dir = jobs_dir
        self.dataset = dataset
        self.folder = jobs_dir / "datasets" / (folder or file_stem(dataset))

    @property
    def lock(self) -> Path:
        """What is locked while a job of the dataset runs."""
        return self.folder / "lock"

    @property
    def watcher_lock(self) -> Path:
        """What `mess watch` locks: a dataset is watched once."""
        return self.folder / "watch.lock"

    def path(self, job: str, suffix: str) -> Path:
        """Return one of the files of a job."""
        return self.folder / f"{job}.{suffix}"

    def ids(self, kind: Kind) -> list[str]:
        """Return the jobs that are queued, running or ended, the oldest first."""
        suffix = f".{kind}.json"
        try:
            names = [path.name for path in self.folder.iterdir()]
        except OSError:
            return []
        found = (name for name in names if not name.startswith("."))
        return sorted(name.removesuffix(suffix) for name in found if name.endswith(suffix))

    def add(self, command: Sequence[str], *, after: str | None = None) -> str:
        """Queue a command, which never starts if the job ``after`` fails; return the job's id."""
        now = time.time()
        job = f"{time.time_ns():020d}-{secrets.token_hex(3)}"
        record = JobRecord(dataset=self.dataset, command=list(command), added=now, after=after)
        write_record(self.path(job, "queued.json"), record)
        self._tell()
        return job

    def claim(self) -> str | None:
        """Take the oldest queued job; None if there is none."""
        for job in self.ids("queued"):
            try:
                self.path(job, "queued.json").rename(self.path(job, "running.json"))
            except FileNotFoundError:
                continue  # withdrawn
            self._tell()
            return job
        return None

    def record(self, job: str, kind: Kind) -> JobRecord | None:
        """Read a job; None if it is in another state or its record is damaged."""
        return read_if_whole(self.path(job, f"{kind}.json"), JobRecord)

    def status(self, job: str) -> JobStatus | None:
        """Read how far a job is; None before its process has told."""
        return read_if_whole(self.path(job, "status.json"), JobStatus)

    def command(self, job: str) -> list[str]:
        """Return what a claimed job runs, below ``mess``."""
        return self._running(job).command

    def failed_before(self, job: str) -> JobRecord | None:
        """Return the job whose result a claimed job needs, if it has not brought one.

        Of a job that was taken out of the queue nothing is left: its record has no command.
        """
        before = self._running(job).after
        if before is None:
            return None
        record = self.record(before, "ended") or JobRecord(dataset=self.dataset, command=[])
        return None if record.state in ("done", "incomplete") else record

    def _running(self, job: str) -> JobRecord:
        """Read a job that runs; a job without a command if its record is damaged."""
        return self.record(job, "running") or JobRecord(dataset=self.dataset, command=[])

    def started(self, job: str, *, pid: int) -> None:
        """Record which process does a job."""
        record = replace(self._running(job), pid=pid, started=time.time())
        write_record(self.path(job, "running.json"), record)
        self._tell()

    def end(self, job: str, *, code: int | None = None) -> None:
        """Record how a job ended, and delete all ended jobs but the last `KEPT`."""
        state, message = self.outcome(job, code=code)
        message = without_places(message, self.jobs_dir.parent)
        record = replace(self._running(job), ended=time.time(), state=state, message=message)
        if state == "incomplete" and (status := self.status(job)) is not None:
            record = replace(record, left_out=status.left_out)
        self._end(job, record)

    def drop(self, job: str, reason: str) -> None:
        """Record that a claimed job never started, and why."""
        record = replace(self._running(job), ended=time.time(), state="dropped", message=reason)
        self._end(job, record)

    def _end(self, job: str, record: JobRecord) -> None:
        write_record(self.path(job, "ended.json"), record)
        for suffix in ("running.json", "cancel", "term"):
            self.path(job, suffix).unlink(missing_ok=True)
        for old in self.ids("ended")[:-KEPT]:
            for path in self.folder.glob(f"{old}.*"):
                path.unlink(missing_ok=True)
        self._tell()

    def end_orphans(self) -> None:
        """Record the end of jobs whose process is gone. Only the holder of the lock may call it."""
        for job in self.ids("running"):
            if self.path(job, "ended.json").exists():
                self.path(job, "running.json").unlink(missing_ok=True)
            else:
                self.end(job)

    def outcome(self, job: str, *, code: int | None = None) -> tuple[str, str]:
        """Return how a process that is gone ended, and why.

        The states are "done", "incomplete" (some tracks failed), "failed" and "cancelled".

        Parameters
        ----------
        job : str
        code : int, optional
            Its exit status, where it is known.
        """
        status = self.status(job) or JobStatus()
        state, message = status.state, status.message
        if state == "done" or code == 0:
            return "done", ""
        if state == "incomplete":
            return state, message
        if self.is_to_stop(job):
            return "cancelled", "what was finished is kept"
        if state == "cancelled":
            return "cancelled", "stopped from outside; what was finished is kept"
        if state == "failed" and message and not message.startswith(_VAGUE):
            return "failed", message
        return "failed", self._last_failure(job, code=code, otherwise=message)

    def _last_failure(self, job: str, *, code: int | None, otherwise: str) -> str:
        lines = [line.strip() for line in self.tail(job).splitlines() if line.strip()]
        for line in reversed(lines):
            if line.startswith(("error: ", "failed: ")):
                return line.partition(": ")[2]
        if code is not None and code < 0:
            return f"the process was killed ({signal.Signals(-code).name}); {_KILLED}"
        if otherwise:
            return otherwise
        return lines[-1] if lines else f"the process was killed; {_KILLED}"

    def withdraw(self, job: str) -> bool:
        """Remove a job that waits; return False if it does not wait (any more)."""
        try:
            self.path(job, "queued.json").unlink()
        except FileNotFoundError:
            return False
        self._tell()
        return True

    def ask_to_stop(self, job: str) -> None:
        """Note that a running job is to be cancelled."""
        self.path(job, "cancel").touch()
        self._tell()

    def is_to_stop(self, job: str) -> bool:
        """Tell whether a job is to be cancelled."""
        return self.path(job, "cancel").exists()

    def note_told(self, job: str) -> float | None:
        """Note that the process was told to stop.

        Returns
        -------
        float or None
            Seconds since it was told first; None if this is the first time.
        """
        told = self.path(job, "term")
        try:
            told.touch(exist_ok=False)
        except FileExistsError:
            return time.time() - told.stat().st_mtime
        return None

    def dismiss(self, job: str) -> None:
        """Note that a person has seen how a job failed."""
        self.path(job, "seen").touch()
        self._tell()

    def is_dismissed(self, job: str) -> bool:
        """Tell whether a person has seen how a job failed."""
        return self.path(job, "seen").exists()

    def open_log(self, job: str) -> IO[bytes]:
        """Open the log of a job for writing, empty."""
        return self.path(job, "log").open("wb")

    def open_runner_log(self) -> IO[bytes]:
        """Open the log of the dataset's runners for more lines."""
        return (self.folder / "runner.log").open("ab")

    def tail(self, job: str) -> str:
        """Return the end of a job's log."""
        try:
            with self.path(job, "log").open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL))
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def _tell(self) -> None:
        """Tell every open dashboard that the jobs have changed."""
        (self.jobs_dir / "changed").touch()


def write_status(path: Path, status: JobStatus) -> None:
    """Write how far a job is; only the process of the job does that."""
    write_record(path, status)


def read_if_whole(path: Path, kind: type[R]) -> R | None:
    """Read a record; None if there is none or it is damaged."""
    try:
        return kind.from_json(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError):  # `DoesNotFit` is a ValueError
        return None
