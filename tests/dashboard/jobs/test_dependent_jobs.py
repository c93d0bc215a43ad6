"""What needs another job, and what a page says of a gap that a job closes already."""

from typing import IO, Any

from job_acts import QUICK, ended, extract

from dashboard.jobs import queue as jobs
from dashboard.jobs.locks import take_dataset
from dashboard.jobs.routes import describe
from mess.storage.jobs import JobFiles
from mess.storage.store import Store


def hold_queue(store: Store, dataset: str) -> IO[bytes]:
    """Keep the jobs of a dataset from starting, until the file is closed."""
    files = JobFiles(store.jobs_dir, dataset)
    files.folder.mkdir(parents=True, exist_ok=True)
    held = take_dataset(files)
    assert held is not None
    return held


def test_what_needs_a_failed_job_never_starts_and_says_why(store: Store) -> None:
    store.audio_dir("tunes").mkdir(parents=True)  # without a recording
    first = extract(store)
    second = jobs.add(store, dataset="tunes", command=QUICK, after=first)
    third = jobs.add(
        store, dataset="tunes", command=["compare", "--dataset", "tunes"], after=second
    )
    free = jobs.add(store, dataset="tunes", command=["encoders"])
    assert ended(store, free).state == "done"  # it needs nothing
    assert ended(store, first).state == "failed"
    dropped = [ended(store, one) for one in (second, third)]
    assert [(job.state, job.started) for job in dropped] == [("dropped", 0.0), ("dropped", 0.0)]
    assert dropped[0].message == "it needs “extract features”, which failed"
    assert dropped[1].message.endswith("which was not started")
    again = jobs.add(store, dataset="tunes", command=QUICK)
    assert ended(store, again).state == "done"


def test_a_failure_names_what_was_not_started_and_both_begin_again(store: Store) -> None:
    from streamlit.testing.v1 import AppTest

    files = JobFiles(store.jobs_dir, "tunes")
    first = files.add(["extract", "--dataset", "tunes", "--encoder", "spectral"])
    files.add(["compare", "--dataset", "tunes"], after=first)
    assert files.claim() == first
    files.end(first, code=1)
    second = files.claim()
    assert second is not None
    files.drop(second, "it needs it")

    def page() -> None:
        from dashboard.components.job_panel import show_jobs

        show_jobs()

    with hold_queue(store, "tunes"):
        shown = AppTest.from_function(page).run(timeout=60)
        (caption,) = shown.caption
        assert "not started: tunes" in caption.value and "compare encoders" in caption.value
        next(one for one in shown.button if one.label == "Again").click().run(timeout=60)
        extracting, comparing = jobs.active_jobs(store)
        assert comparing.after == extracting.id
        for active in (extracting, comparing):
            jobs.cancel(store, active)


def test_a_page_knows_which_job_makes_what_it_lacks(store: Store) -> None:
    from streamlit.testing.v1 import AppTest

    def wanted(*words: str, dataset: str = "tunes") -> list[str]:
        return [words[0], "--dataset", dataset, *words[1:]]

    def made_by(command: list[str], dataset: str = "tunes") -> list[str] | None:
        job = jobs.making(store, dataset=dataset, command=command)
        return None if job is None else job.command

    by_far, by_near = ("--encoder", "far"), ("--encoder", "near")
    with hold_queue(store, "tunes"):
        compare = wanted("compare")
        whole, untangle = wanted("run-all", *by_far), wanted("untangle", *by_far)
        for command in (compare, whole, untangle):
            jobs.add(store, dataset="tunes", command=command)
        assert made_by(compare) == compare
        assert made_by(wanted("compare", dataset="other"), dataset="other") is None
        assert made_by(wanted("probe", *by_far)) == whole
        assert made_by(wanted("targets")) == whole  # of the dataset, not of an encoder
        assert made_by(wanted("probe", *by_near)) is None
        assert made_by(wanted("probe", *by_far, "--level", "segment")) is None
        assert made_by(wanted("dose", *by_far)) is None
        assert made_by(wanted("untangle", *by_far, "--what", "erasure")) == untangle

        def page(command: list[str]) -> None:
            from dashboard.sections.missing import offer
            from mess.errors import ArtifactMissing

            missing = ArtifactMissing("comparison.json", "mess compare")
            offer(missing, dataset="tunes", command=command, button="Now")

        shown = AppTest.from_function(page, args=(compare,)).run(timeout=60)
        (info,) = shown.info
        assert "not compared yet" in info.value and "It is made soon" in info.value
        assert not shown.button and not shown.code
        offered = AppTest.from_function(page, args=(["dose"],)).run(timeout=60)
        assert [one.label for one in offered.button] == ["Now"]
        for job in jobs.active_jobs(store):
            jobs.cancel(store, job)


def test_what_needs_a_job_runs_behind_it_even_if_the_same_waits_already(store: Store) -> None:
    with hold_queue(store, "tunes"):
        early = jobs.add(store, dataset="tunes", command=QUICK)
        needed = jobs.add(store, dataset="tunes", command=["encoders"])
        late = jobs.add(store, dataset="tunes", command=QUICK, after=needed)
        assert early < needed < late
        assert jobs.add(store, dataset="tunes", command=QUICK, after=needed) == late
        removed = next(job for job in jobs.active_jobs(store) if job.id == needed)
        jobs.cancel(store, removed)
    jobs.tend(store)
    assert ended(store, early).state == "done"
    dropped = ended(store, late)
    assert (dropped.state, dropped.after) == ("dropped", needed)
    assert "was removed from the queue" in dropped.message


def test_a_step_that_is_done_promises_no_end_of_the_job(store: Store) -> None:
    job = jobs.Job("1", "tunes", ["run-all"], "running", done=5, total=5, unit="layers")
    answer: Any = describe(store, [job], stamp=0)
    (told,) = answer["jobs"]
    assert told["text"] == "5 of 5 layers done; then the next step"
    assert told["share"] is None  # the bar moves, and says nothing of how far
