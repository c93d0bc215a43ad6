"""Progress of a batch step: a bar for a person, lines for a log, a status file for the dashboard.

The status file is the one that the environment variable ``MESS_JOB`` names; the dashboard sets it
for the pipelines that it starts.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.text import Text

from mess.errors import without_places
from mess.records.job import JobStatus
from mess.records.left_out import LeftOut
from mess.storage.jobs import write_status as write_job_status

_LOG_EVERY = 5.0  # seconds
_STATUS_EVERY = 0.3
_status = JobStatus()  # the last that this process wrote
_lines_only = False


class _Rate(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        return Text(f"{60 * (task.speed or 0):.0f} {self._unit}/min")


class Progress:
    """The progress of a step. Made by `progress`."""

    def __init__(self, stage: str, total: int, *, unit: str, bar: Bar | None) -> None:
        self._stage, self._total, self._unit = stage, total, unit
        self._bar = bar
        self._task = bar.add_task(stage, total=total) if bar else None
        self._done = 0
        self._began = time.monotonic()
        self._logged = self._written = -1e9
        self._status("")

    def advance(self, name: str) -> None:
        """Count one more track, called ``name``."""
        self._done += 1
        if self._bar and self._task is not None:
            self._bar.advance(self._task)
        now = time.monotonic()
        last = self._done == self._total
        if not self._bar and (last or now - self._logged > _LOG_EVERY):
            self._logged = now
            rate = 60 * self._done / max(now - self._began, 1e-9)
            print(
                f"{self._stage}: {self._done} of {self._total}, "
                f"{rate:.0f} {self._unit}/min, {self._seconds_left():.0f} s left",
                flush=True,
            )
        if last or now - self._written > _STATUS_EVERY:
            self._written = now
            self._status(name)

    def say(self, line: str) -> None:
        """Print a line without breaking the bar."""
        if self._bar:
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def _seconds_left(self) -> float:
        passed = time.monotonic() - self._began
        return passed / self._done * (self._total - self._done) if self._done else 0.0

    def _status(self, name: str) -> None:
        _write(
            replace(
                _status,
                state="running",
                stage=self._stage,
                done=self._done,
                total=self._total,
                unit=self._unit,
                per_minute=60 * self._done / max(time.monotonic() - self._began, 1e-9),
                seconds_left=self._seconds_left(),
                current=name,
            )
        )


def write_status(
    *, state: str | None = None, message: str | None = None, left_out: LeftOut | None = None
) -> None:
    """Write how this process ended for the dashboard, if the dashboard started it.

    Parameters
    ----------
    state, message, left_out : optional
        See `mess.records.job.JobStatus`; what is not given stays as it was.
    """
    _write(
        replace(
            _status,
            state=_status.state if state is None else state,
            message=_status.message if message is None else message,
            left_out=_status.left_out if left_out is None else left_out,
        )
    )


def _write(status: JobStatus) -> None:
    global _status
    path = os.environ.get("MESS_JOB")
    if not path:
        return
    data_root = Path(path).parents[3]  # the file lies in its jobs/datasets/<name>; it may move

    def shown(text: str) -> str:
        return without_places(text, data_root)

    _status = replace(
        status,
        message=shown(status.message),
        left_out=status.left_out and status.left_out.rewritten(shown),
        pid=os.getpid(),
        time=time.time(),
    )
    with suppress(OSError):  # if the disk is full, the work itself says so
        write_job_status(Path(path), _status)


def print_lines_only() -> None:
    """Print lines from now on, no bar: another process draws on the same terminal."""
    global _lines_only
    _lines_only = True


@contextmanager
def progress(stage: str, total: int, *, unit: str = "tracks") -> Iterator[Progress]:
    """Show the progress of a step while the block runs.

    Parameters
    ----------
    stage : str
        The name of the step, for a person.
    total : int
        The number of tracks or other units.
    unit : str
        What is counted.
    """
    if _lines_only or not sys.stderr.isatty():
        yield Progress(stage, total, unit=unit, bar=None)
        return
    from rich.console import Console

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(unit),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        yield Progress(stage, total, unit=unit, bar=bar)
