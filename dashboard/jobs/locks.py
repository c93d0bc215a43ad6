"""The locks of jobs: a dataset's, its runner's, and the slots for jobs side by side.

::

    jobs/datasets/<name>/lock          held while a job of this dataset runs
    jobs/datasets/<name>/runner.lock   held by the runner alone, not by its jobs
    jobs/slots/<n>.lock                one for each job that may run at the same time

A job inherits the dataset's lock and a slot from its runner. So both stay held until the job ends,
even if the runner is killed. `mess.storage.locks` says what a lock is.
"""

from pathlib import Path
from typing import IO

from mess.storage.jobs import JobFiles
from mess.storage.locks import hold, is_held


def take_dataset(files: JobFiles) -> IO[bytes] | None:
    """Take the lock of a dataset's jobs; None if a job or a runner holds it."""
    return hold(files.lock, patience=0.1)


def is_dataset_taken(files: JobFiles) -> bool:
    """Tell whether a job of a dataset, or its runner, lives."""
    return is_held(files.lock)


def take_runner(files: JobFiles) -> IO[bytes] | None:
    """Take the lock of a dataset's runner; None if another runner holds it."""
    return hold(files.folder / "runner.lock", patience=1.0)


def is_runner_alive(files: JobFiles) -> bool:
    """Tell whether a dataset's runner lives."""
    return is_held(files.folder / "runner.lock")


def take_slot(jobs_dir: Path, *, slots: int) -> IO[bytes] | None:
    """Take one of the slots of all datasets; None if so many jobs run already."""
    for number in range(slots):
        slot = hold(jobs_dir / "slots" / f"{number}.lock")
        if slot is not None:
            return slot
    return None
