"""A data root whose jobs end with the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from job_acts import until

from dashboard.jobs import queue as jobs
from mess.storage.store import Store


@pytest.fixture
def store(data_root: Path) -> Iterator[Store]:
    store = Store(data_root)
    yield store
    for job in jobs.active_jobs(store):
        jobs.cancel(store, job)
    until(lambda: not jobs.active_jobs(store), store)
