"""The records of a job: the command, and how far it is."""

from dataclasses import dataclass
from typing import ClassVar

from mess.records.base import Record
from mess.records.left_out import LeftOut


@dataclass(frozen=True, kw_only=True)
class JobRecord(Record):
    """A command that the dashboard started.

    Attributes
    ----------
    dataset : str
    command : list of str
        What runs, below ``mess``.
    added : float
        Seconds since the epoch.
    after : str, optional
        The id of the job whose result it needs: where that one fails, this one never starts.
    pid : int, optional
        The process; None before it starts.
    started, ended : float, optional
        Seconds since the epoch; None before that.
    state, message : str, optional
        How it ended, and why; see `mess.storage.jobs.JobFiles.outcome`.
    left_out : LeftOut, optional
        The recordings that it could not use, if its state is "incomplete".
    """

    OPTIONAL: ClassVar[frozenset[str]] = frozenset(
        {"after", "pid", "started", "ended", "state", "message", "left_out"}
    )

    dataset: str
    command: list[str]
    added: float = 0.0
    after: str | None = None
    pid: int | None = None
    started: float | None = None
    ended: float | None = None
    state: str | None = None
    message: str | None = None
    left_out: LeftOut | None = None


@dataclass(frozen=True, kw_only=True)
class JobStatus(Record):
    """How far a job is. Its own process writes that.

    Attributes
    ----------
    state : str
        "running", "done", "incomplete", "failed" or "cancelled"; "" before the first word.
    message : str
        Why it failed, in one line.
    left_out : LeftOut, optional
        The recordings that it could not use.
    stage, current, unit : str
        What is being done, with which track, and what is counted.
    done, total : int
    per_minute, seconds_left : float
    pid : int, optional
    time : float, optional
        Seconds since the epoch, when this was written.
    """

    OPTIONAL: ClassVar[frozenset[str]] = frozenset({"pid", "time", "left_out"})

    state: str = ""
    message: str = ""
    left_out: LeftOut | None = None
    stage: str = ""
    current: str = ""
    unit: str = ""
    done: int = 0
    total: int = 0
    per_minute: float = 0.0
    seconds_left: float = 0.0
    pid: int | None = None
    time: float | None = None


@dataclass(frozen=True, kw_only=True)
class ServerRecord(Record):
    """A server of MLflow's pages: its process, its port, and when it started.

    Attributes
    ----------
    pid, port : int
    started : float
        Seconds since the epoch.
    """

    pid: int
    port: int
    started: float = 0.0
