"""The jobs: above the page those that run, wait or failed; in the sidebar the last ones."""

from datetime import datetime

import streamlit as st

from dashboard.components.running import draw_running
from dashboard.components.text import plain
from dashboard.jobs import queue as jobs
from dashboard.jobs.routes import describe, job_name
from dashboard.readers import store, told
from dashboard.server.reports import report_links
from mess.as_text import duration
from mess.records.left_out import LeftOut

_SHOWN = 8  # ended jobs
_LISTED = 100  # recordings that a job left out
_SIGNS = {"done": "✓", "incomplete": "!", "failed": "✗", "cancelled": "–", "dropped": "–"}
_WORDS = {"incomplete": "done, but not all of it", "dropped": "not started"}


def show_jobs() -> None:
    """Draw what runs and what failed. From here on, the browser asks for changes."""
    jobs.tend(store())
    stamp = jobs.stamp(store())
    active = jobs.active_jobs(store())
    ended = jobs.ended_jobs(store())
    _announce(ended)
    draw_running(
        describe(store(), active, stamp), url="/jobs/now", key="running-jobs", on_cancel=_cancel
    )
    with st.container():  # one place, however much it holds: so nothing below it is drawn anew
        if "job_error" in st.session_state:
            st.error(plain(st.session_state.pop("job_error")))
        _show_failures(ended)


def show_last_jobs() -> None:
    """Draw how the last jobs ended."""
    ended = jobs.ended_jobs(store())
    if ended:
        with st.expander("Last jobs"):
            st.markdown("  \n".join(_ended_line(job) for job in ended[:_SHOWN]))


def _cancel(identity: str) -> None:
    for job in jobs.active_jobs(store()):
        if job.id == identity:
            jobs.cancel(store(), job)


def _announce(ended: list[jobs.Job]) -> None:
    """Say once in every open browser that a job has ended."""
    known = st.session_state.get("ended_jobs")
    st.session_state["ended_jobs"] = {job.id for job in ended}
    if known is None:  # a first visit
        return
    for job in ended:
        if job.id not in known and job.state == "done":
            st.toast(f"{_name(job)}: done")
        elif job.id not in known and job.state == "incomplete":
            st.toast(f"{_name(job)}: {plain(told(job.message))}")
        elif job.id not in known and job.state == "cancelled":
            st.toast(f"{_name(job)}: cancelled; what was finished is kept")
        elif job.id not in known and job.state == "dropped":
            st.toast(f"{_name(job)}: not started; {plain(told(job.message))}")


def _show_failures(ended: list[jobs.Job]) -> None:
    """Show each failure, of a job or of some of its tracks, until it is closed or mended."""
    succeeded: set[tuple[str, ...]] = set()
    for job in ended[:_SHOWN]:
        what = (job.dataset, *job.command)
        if job.state == "done":
            succeeded.add(what)
        if job.state in ("failed", "incomplete") and what not in succeeded:
            succeeded.add(what)  # only the last failure of a command is shown
            if not jobs.is_dismissed(store(), job):
                _show_failed(job, [one for one in ended if one.after == job.id])


def _show_failed(job: jobs.Job, followers: list[jobs.Job]) -> None:
    """Show one, and what never started because of it."""
    dropped = [one for one in followers if one.state == "dropped"]
    if job.state == "incomplete":
        st.warning(f"**{_name(job)}**: {plain(told(job.message))}")
    else:
        st.error(f"**{_name(job)}** failed: {plain(told(job.message))}")
        if dropped:
            st.caption(f"So this was not started: {'; '.join(map(_name, dropped))}.")
    with st.container(horizontal=True, gap="small"):
        if job.left_out is not None and len(job.left_out.all_reasons) > 1:
            _list_left_out(job.left_out)
        with st.popover("Log"):
            st.code(told(jobs.log_tail(store(), job)) or "empty", language=None, wrap_lines=True)
            path = jobs.log_path(store(), job)
            if path.is_file():
                st.download_button(
                    "Download the whole log",
                    data=path.read_bytes,
                    file_name=f"mess-{job.command[0]}.log",
                    mime="text/plain",
                    on_click="ignore",
                    key=f"log-{job.id}",
                )
        if st.button("Again", key=f"again-{job.id}"):
            jobs.dismiss(store(), job)
            again = jobs.add(store(), dataset=job.dataset, command=job.command)
            for one in dropped:
                jobs.add(store(), dataset=one.dataset, command=one.command, after=again)
            st.rerun()
        if st.button("Close", key=f"close-{job.id}"):
            jobs.dismiss(store(), job)
            st.rerun()


def _list_left_out(left_out: LeftOut) -> None:
    with st.popover(f"The {left_out.total} that were left out"):
        for reason in left_out.all_reasons[:_LISTED]:
            st.markdown(f"- {plain(told(reason))}")
        if (more := left_out.total - _LISTED) > 0:
            st.caption(f"The log names {more} more.")


def _ended_line(job: jobs.Job) -> str:
    when = datetime.fromtimestamp(job.ended or job.added)
    today = when.date() == datetime.now().date()
    took = f", {duration(job.ended - job.started)}" if job.started and job.ended else ""
    return (
        f"{_SIGNS.get(job.state, '?')} {_name(job)}: {_WORDS.get(job.state, job.state)}, "
        f"{when:%H:%M}{'' if today else f' on {when:%d %b}'}{took}{_report_link(job)}"
    )


def _report_link(job: jobs.Job) -> str:
    """Return a link to the page that a report's job wrote, "" for any other job."""
    words = job.command
    if job.state != "done" or words[:1] != ["report"] or "--encoder" not in words:
        return ""
    encoder, *more = words[words.index("--encoder") + 1 :]
    links = report_links(job.dataset, encoder, "segment" if "segment" in more else "track")
    return f" · [open]({links['page']})" if "page" in links else ""


def _name(job: jobs.Job) -> str:
    return plain(job_name(job))
