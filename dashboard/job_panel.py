"""The sidebar's view of the jobs: what runs and waits, what failed, what there was."""

import time
from datetime import datetime

import streamlit as st

from dashboard import jobs
from dashboard.commands import PIPELINES
from dashboard.components.text import plain
from dashboard.readers import store

# An idle page looks at the time of one file; nothing is read or drawn unless it has changed.
_IDLE_SECONDS, _BUSY_SECONDS = 3.0, 1.0
_SHOWN = 8  # ended jobs
_SIGNS = {"done": "✓", "failed": "✗", "cancelled": "–"}
_TITLES = {pipeline.name: pipeline.title for pipeline in PIPELINES}


def show_jobs() -> None:
    """Draw the jobs, and look for changes from here on."""
    jobs.tend(store())
    seen = jobs.stamp(store())
    active = jobs.active_jobs(store())
    ended = jobs.ended_jobs(store())
    _announce(ended)
    every = _BUSY_SECONDS if active else _IDLE_SECONDS
    st.fragment(_watch, run_every=every)(seen, [job.id for job in active])
    _show_failures(ended)
    if ended:
        with st.expander("Last jobs"):
            st.markdown("  \n".join(_ended_line(job) for job in ended[:_SHOWN]))


def _watch(seen: int, active_before: list[str]) -> None:
    """Draw what runs and waits; when that is other than before, let the page run once."""
    if not active_before and jobs.stamp(store()) == seen:
        return
    jobs.tend(store())
    active = jobs.active_jobs(store())
    if {job.id for job in active} != set(active_before):
        st.rerun()  # the pages read what a job wrote
    for job in active:
        if job.running:
            _show_running(job)
        else:
            _show_queued(job)


def _show_running(job: jobs.Job) -> None:
    st.markdown(f"**{_name(job)}**")
    if job.state == "cancelling":
        st.progress(0.0, text="stopping; what is finished is kept")
    elif job.total:
        st.progress(min(job.done / job.total, 1.0), text=_pace(job))
    else:
        passed = max(0.0, time.time() - (job.started or time.time()))
        st.progress(0.0, text=f"running for {_duration(passed)}")
    if job.stage:
        st.caption(plain(f"{job.stage}: {job.current}" if job.current else job.stage))
    with st.expander("Log"):
        st.code(jobs.log_tail(store(), job, lines=8) or "nothing yet", language=None)
    st.button(
        "Cancel",
        key=f"cancel-{job.id}",
        width="stretch",
        disabled=job.state == "cancelling",
        on_click=jobs.cancel,
        args=(store(), job),
    )


def _pace(job: jobs.Job) -> str:
    minutes, seconds = divmod(round(job.seconds_left), 60)
    return (
        f"{job.done} of {job.total} {job.unit}, {job.per_minute:.0f}/min, "
        f"{minutes}:{seconds:02d} left"
    )


def _show_queued(job: jobs.Job) -> None:
    st.markdown(f"{_name(job)}: waits")
    st.button(
        "Remove",
        key=f"cancel-{job.id}",
        width="stretch",
        on_click=jobs.cancel,
        args=(store(), job),
    )


def _announce(ended: list[jobs.Job]) -> None:
    """Say once in every open browser that a job has ended."""
    known = st.session_state.get("ended_jobs")
    st.session_state["ended_jobs"] = {job.id for job in ended}
    if known is None:  # a first visit
        return
    for job in ended:
        if job.id not in known and job.state == "done":
            st.toast(f"{_name(job)}: done")
        elif job.id not in known and job.state == "cancelled":
            st.toast(f"{_name(job)}: cancelled; what was finished is kept")


def _show_failures(ended: list[jobs.Job]) -> None:
    """Show each failure until it is closed, or the same command has succeeded."""
    succeeded: set[tuple[str, ...]] = set()
    for job in ended[:_SHOWN]:
        what = (job.dataset, *job.command)
        if job.state == "done":
            succeeded.add(what)
        if job.state == "failed" and what not in succeeded and not jobs.is_dismissed(store(), job):
            succeeded.add(what)  # of several failures the last
            _show_failed(job)


def _show_failed(job: jobs.Job) -> None:
    st.error(f"**{_name(job)}** failed: {plain(job.message)}")
    with st.expander("Log"):
        st.code(jobs.log_tail(store(), job) or "empty", language=None)
        path = jobs.log_path(store(), job)
        if path.is_file():
            st.download_button(
                "Download the whole log",
                data=path.read_bytes,
                file_name=f"mess-{job.command[0]}.log",
                mime="text/plain",
                on_click="ignore",
                key=f"log-{job.id}",
                width="stretch",
            )
    left, right = st.columns(2)
    if left.button("Again", key=f"again-{job.id}", width="stretch"):
        jobs.dismiss(store(), job)
        jobs.add(store(), dataset=job.dataset, command=job.command)
        st.rerun()
    if right.button("Close", key=f"close-{job.id}", width="stretch"):
        jobs.dismiss(store(), job)
        st.rerun()


def _ended_line(job: jobs.Job) -> str:
    when = datetime.fromtimestamp(job.ended or job.added)
    today = when.date() == datetime.now().date()
    took = f", {_duration(job.ended - job.started)}" if job.started and job.ended else ""
    return (
        f"{_SIGNS.get(job.state, '?')} {_name(job)}: {job.state}, "
        f"{when:%H:%M}{'' if today else f' on {when:%d %b}'}{took}"
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _name(job: jobs.Job) -> str:
    """Return a job as Markdown: its dataset, what it does, and by which encoder."""
    title = _TITLES.get(job.command[0], job.command[0]) if job.command else "?"
    encoder = ""
    if "--encoder" in job.command[:-1]:
        encoder = f" by {job.command[job.command.index('--encoder') + 1]}"
    return plain(f"{job.dataset}: {title.lower()}{encoder}")
