"""Queue, watch and cancel pipelines, each a process of its own.

A job belongs to a dataset. A process (`dashboard.jobs.runner`) runs the jobs of a dataset one after
another. It needs no server and no browser. Jobs of different datasets run side by side, at most
``MESS_MAX_JOBS`` (2) at a time. Everything lies on disk (`mess.storage.jobs`), so a reload, a
second browser and another server see the same.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dashboard.jobs.locks import is_dataset_taken, is_runner_alive, take_dataset
from dashboard.jobs.stopping import GRACE_SECONDS, stop_process
from mess.errors import MessError
from mess.records.job import JobRecord, JobStatus
from mess.records.left_out import LeftOut
from mess.storage.jobs import JobFiles, Kind
from mess.storage.store import Store

_STEPS = ("extract", "targets", "probe", "index", "evaluate")  # of "run-all"
_children: list[subprocess.Popen[bytes]] = []  # kept, so that ended processes can be collected


@dataclass(frozen=True)
class Job:
    """A pipeline that waits, runs or has ended.

    Attributes
    ----------
    id, dataset : str
    command : list of str
        What runs, below ``mess``.
    state : str
        "queued", "starting", "running", "cancelling", "done", "incomplete" (done but for some
        recordings), "failed", "cancelled" or "dropped" (what it needs has failed).
    message : str
        Why it failed or never started, or which recordings were left out, in one line.
    after : str
        The id of the job whose result it needs.
    left_out : LeftOut or None
        The recordings that were left out.
    stage, current, unit : str
        What is being done.
    done, total : int
    per_minute, seconds_left : float
    added, started, ended : float
        Seconds since the epoch; 0 where it has not come to that.
    """

    id: str
    dataset: str
    command: list[str]
    state: str
    message: str = ""
    after: str = ""
    left_out: LeftOut | None = None
    stage: str = ""
    current: str = ""
    unit: str = ""
    done: int = 0
    total: int = 0
    per_minute: float = 0.0
    seconds_left: float = 0.0
    added: float = 0.0
    started: float = 0.0
    ended: float = 0.0

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.state in ("starting", "running", "cancelling")

    @property
    def active(self) -> bool:
        """Whether it runs or waits."""
        return self.running or self.state == "queued"


def add(store: Store, *, dataset: str, command: Sequence[str], after: str | None = None) -> str:
    """Queue ``mess COMMAND…`` for a dataset, and start a runner if there is none.

    Parameters
    ----------
    store : Store
    dataset : str
    command : sequence of str
    after : str, optional
        The id of the job of this dataset whose result it needs. Where that one fails or is
        cancelled, the command never starts.

    Returns
    -------
    str
        The job's id; that of the same command where it waits or runs already.

    Raises
    ------
    MessError
        If the data root cannot be written.
    """
    if not dataset.strip("\0 ") or any("\0" in word for word in command):
        raise MessError("a job needs the name of a dataset: choose or type one")
    for job in active_jobs(store):
        same = (job.dataset, job.command) == (dataset, list(command))
        # What waits before the job that is needed would run without its result.
        if same and job.state != "cancelling" and (after is None or job.id > after):
            return job.id
    files = JobFiles(_jobs_dir(store), dataset)
    try:
        added = files.add(command, after=after)
        _see_to(files)
    except OSError as error:
        raise MessError(
            f"{files.jobs_dir}: cannot be written ({error.strerror}): no job was started; make "
            "room or change its permissions, or name another folder by MESS_DATA"
        ) from None
    return added


def tend(store: Store) -> None:
    """Start runners for jobs that a killed runner left waiting. Without such jobs this is cheap."""
    _children[:] = [child for child in _children if child.poll() is None]
    for files in _datasets(store):
        if files.ids("queued") or files.ids("running"):
            try:
                _see_to(files)
            except OSError:
                continue  # the disk is full: the next call tries again


def active_jobs(store: Store) -> list[Job]:
    """Return the jobs that run or wait, of all datasets: those that run first."""
    found = [job for job in _jobs(store, "running", "queued") if job.active]
    return sorted(found, key=lambda job: (not job.running, job.id))


def ended_jobs(store: Store) -> list[Job]:
    """Return the last jobs that ended, of all datasets, the newest first."""
    found = [job for job in _jobs(store, "ended", "running") if not job.active]
    unique = {job.id: job for job in found}
    return sorted(unique.values(), key=lambda job: (job.ended or job.added, job.id), reverse=True)


def making(store: Store, *, dataset: str, command: Sequence[str]) -> Job | None:
    """Return the job that runs or waits and makes what a command would make; None without one.

    >>> making(Store("nowhere"), dataset="demo", command=["compare", "--dataset", "demo"])
    """
    wanted = list(command)
    for job in active_jobs(store):
        own = job.dataset == dataset and job.state != "cancelling"
        if own and (job.command == wanted or _includes(job.command, wanted)):
            return job
    return None


def _includes(command: list[str], wanted: list[str]) -> bool:
    """Tell whether a command does more than what is wanted, and that, too."""
    if command[0] == "untangle":  # without options it asks everything
        return wanted[: len(command)] == command
    # "run-all" takes the same words as its steps; some steps belong to no encoder.
    plain = [command[0], *wanted[1:]]
    return command[0] == "run-all" and wanted[0] in _STEPS and command[: len(plain)] == plain


def cancel(store: Store, job: Job) -> None:
    """Withdraw a waiting job, or ask a running job to stop. Finished work is kept."""
    files = JobFiles(_jobs_dir(store), job.dataset)
    if files.withdraw(job.id):
        return
    if job.id in files.ids("running"):
        files.ask_to_stop(job.id)
        _see_to(files)


def log_tail(store: Store, job: Job, *, lines: int = 12) -> str:
    """Return the last lines of a job's log."""
    return "\n".join(JobFiles(_jobs_dir(store), job.dataset).tail(job.id).splitlines()[-lines:])


def log_path(store: Store, job: Job) -> Path:
    """Return where a job's whole log lies."""
    return JobFiles(_jobs_dir(store), job.dataset).path(job.id, "log")


def dismiss(store: Store, job: Job) -> None:
    """Note that a failure was seen, for every browser."""
    JobFiles(_jobs_dir(store), job.dataset).dismiss(job.id)


def is_dismissed(store: Store, job: Job) -> bool:
    """Tell whether a failure was seen."""
    return JobFiles(_jobs_dir(store), job.dataset).is_dismissed(job.id)


def stamp(store: Store) -> int:
    """Return a number that changes when a job is added, starts or ends. It reads one file."""
    try:
        return (store.jobs_dir / "changed").stat().st_mtime_ns
    except OSError:
        return 0


def _jobs_dir(store: Store) -> Path:
    return store.jobs_dir.absolute()


def _datasets(store: Store) -> Iterator[JobFiles]:
    folder = _jobs_dir(store) / "datasets"
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        return
    for name in names:
        yield JobFiles(_jobs_dir(store), folder=name)


def _see_to(files: JobFiles) -> None:
    """Start a runner if there is none; stop a cancelled job that has outlived its runner."""
    lock = take_dataset(files)
    if lock is None:
        if not is_runner_alive(files):
            _press_orphans(files)
        return
    with lock:
        files.end_orphans()
        waiting = files.ids("queued")
        if not waiting:
            return
        record = files.record(waiting[0], "queued")
        if record is None:  # withdrawn in the meantime, or not a record of this program
            return
        with files.open_runner_log() as log:
            runner = subprocess.Popen(
                [
                    *(sys.executable, "-m", "dashboard.jobs.runner"),
                    *(str(files.jobs_dir), record.dataset, str(lock.fileno())),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[lock.fileno()],
                start_new_session=True,
            )
        _children.append(runner)


def _press_orphans(files: JobFiles) -> None:
    for job in files.ids("running"):
        pid = _pid(files, job)
        if pid and files.is_to_stop(job):
            stop_process(files, job, pid=pid, grace=GRACE_SECONDS)


def _pid(files: JobFiles, job: str) -> int | None:
    record, status = files.record(job, "running"), files.status(job)
    return (record.pid if record else None) or (status.pid if status else None)


def _jobs(store: Store, *kinds: Kind) -> Iterator[Job]:
    for files in _datasets(store):
        for kind in kinds:
            for identity in files.ids(kind):
                record = files.record(identity, kind)
                if kind == "running" and record is None:  # it has ended in the meantime
                    record = files.record(identity, "ended")
                if record is not None and record.command:
                    yield _job(files, identity, kind, record)


def _job(files: JobFiles, identity: str, kind: Kind, record: JobRecord) -> Job:
    known = files.status(identity) if kind != "queued" else None
    status = known or JobStatus()
    state, message, ended = record.state or "queued", record.message or "", record.ended or 0.0
    if kind == "running" and record.state is None:
        if is_dataset_taken(files):
            state = "running" if known else "starting"
            if files.is_to_stop(identity):
                state = "cancelling"
        else:
            state, message = files.outcome(identity)
            ended = status.time or time.time()
    return Job(
        id=identity,
        dataset=record.dataset,
        command=record.command,
        state=state,
        message=message,
        after=record.after or "",
        left_out=record.left_out or status.left_out,
        stage=status.stage,
        current=status.current,
        unit=status.unit,
        done=status.done,
        total=status.total,
        per_minute=status.per_minute,
        seconds_left=status.seconds_left,
        added=record.added,
        started=record.started or 0.0,
        ended=ended,
    )
