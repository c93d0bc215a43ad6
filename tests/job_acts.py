"""What tests do with the jobs of a dashboard: start one, and wait for its end."""

import time
from collections.abc import Callable

from dashboard.jobs import queue as jobs
from mess.storage.store import Store

QUICK = ["status"]  # ends by itself, after a second or two


def until(holds: Callable[[], object], store: Store, *, timeout: float = 90.0) -> None:
    end = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > end:
            logs = [jobs.log_tail(store, job) for job in jobs.ended_jobs(store)]
            raise AssertionError(f"still waiting: {jobs.active_jobs(store)}, {logs}")
        time.sleep(0.1)


def ended(store: Store, job: str) -> jobs.Job:
    def found() -> list[jobs.Job]:
        return [one for one in jobs.ended_jobs(store) if one.id == job]

    until(found, store)
    return found()[0]


def extract(store: Store, dataset: str = "tunes", *more: str) -> str:
    command = ["extract", "--dataset", dataset, "--encoder", "spectral", *more]
    return jobs.add(store, dataset=dataset, command=command)
