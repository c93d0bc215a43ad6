"""Behind the open page of ``make run``, what the demo library lacks is made once."""

import shutil
from pathlib import Path

import pytest

from dashboard.jobs import queue as jobs
from dashboard.jobs.completion import ASKED, complete_demo, missing_of_demo
from mess.storage.store import Store

SPECTRAL = ["--dataset", "demo", "--encoder", "spectral"]


def test_what_a_searchable_demo_lacks(demo_library: Path, data_root: Path) -> None:
    assert missing_of_demo(Store(data_root)) == []  # nothing to search: the page offers the demo
    there = Store(demo_library)
    wanted = missing_of_demo(there)
    assert ["check-targets", "--dataset", "demo"] in wanted
    steps = [command[0] for command in wanted]
    assert steps[-3:] == ["compare", "dose", "untangle"]  # compared is what was made before
    assert (["map", *SPECTRAL] in wanted) != bool(there.maps.available("demo", "spectral"))


def test_it_is_queued_once_and_only_where_it_is_asked_for(
    demo_library: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(demo_library / "processed", data_root / "processed")
    store = Store(data_root)
    monkeypatch.delenv(ASKED, raising=False)
    assert complete_demo(store) == []
    assert not jobs.active_jobs(store)
    monkeypatch.setenv(ASKED, "1")
    wanted = missing_of_demo(store)
    assert complete_demo(store) == wanted
    assert complete_demo(store) == []  # they wait or run
    for job in reversed(jobs.active_jobs(store)):
        jobs.cancel(store, job)
