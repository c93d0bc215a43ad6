"""The jobs over HTTP: every open page asks for them every few seconds.

    /jobs/now      JSON: a stamp that changes when a job is added, starts or ends, and how far the
                   jobs are that run or wait

A rerun of a page costs the server some 60 ms. Twenty idle pages that polled by reruns would keep
half a core busy. This answer reads one file while no job runs. While a job runs, it is made twice a
second for all pages together.
"""

import json
import time
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashboard.jobs import queue as jobs
from dashboard.jobs.commands import title_of
from dashboard.readers import store
from mess.as_text import clock, duration
from mess.status.inventory import readable
from mess.storage.store import Store

_FRESH_SECONDS = 0.5
_LOG_LINES = 8


class _Answer:
    """The last answer, and the state that it was made from."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._root = ""
        self._stamp = -1
        self._made = 0.0
        self._busy = True
        self._content = b""

    def get(self, store: Store) -> bytes:
        """Return the present answer."""
        with self._lock:
            root, stamp = str(store.jobs_dir), jobs.stamp(store)
            unchanged = (root, stamp) == (self._root, self._stamp)
            old = self._busy and time.monotonic() - self._made > _FRESH_SECONDS
            if not unchanged or old:
                jobs.tend(store)
                active = jobs.active_jobs(store)
                self._root, self._stamp, self._busy = root, stamp, bool(active)
                self._made = time.monotonic()
                self._content = json.dumps(describe(store, active, stamp)).encode()
            return self._content


def describe(store: Store, active: list[jobs.Job], stamp: int) -> dict[str, object]:
    """Return what a page shows of the jobs that run or wait; all of it is plain text."""
    return {
        "stamp": str(stamp),  # text: a number in the browser has fewer digits
        "jobs": [
            {
                "id": job.id,
                "name": job_name(job),
                "state": job.state,
                "share": job.done / job.total if job.done < job.total else None,
                "text": _text(job),
                "current": readable(f"{job.stage}: {job.current}" if job.current else job.stage),
                "log": readable(jobs.log_tail(store, job, lines=_LOG_LINES)) if job.running else "",
            }
            for job in active
        ],
    }


def job_name(job: jobs.Job) -> str:
    """Return a job in words: its dataset, what it does, and by which encoder."""
    title = title_of(job.command[0]).lower() if job.command else "?"
    encoder = ""
    if "--encoder" in job.command[:-1]:
        encoder = f" by {job.command[job.command.index('--encoder') + 1]}"
    return readable(f"{job.dataset}: {title}{encoder}")


def _text(job: jobs.Job) -> str:
    if job.state == "queued":
        return "waits"
    if job.state == "cancelling":
        return "stopping; what is finished is kept"
    if not job.total:
        return f"running for {duration(max(0.0, time.time() - (job.started or time.time())))}"
    if job.done >= job.total:  # what comes next counts nothing, or has not begun to
        return f"{job.done} of {job.total} {job.unit} done; then the next step"
    pace = f"{job.per_minute:.0f}/min, {clock(job.seconds_left)} left"
    return f"{job.done} of {job.total} {job.unit}, {pace}"


_answer = _Answer()


def now(_request: Request) -> Response:
    """Answer with the jobs as they are."""
    return Response(
        _answer.get(store()), media_type="application/json", headers={"Cache-Control": "no-store"}
    )


ROUTES = [Route("/jobs/now", now)]
