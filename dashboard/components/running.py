"""The jobs that run or wait. The browser itself follows their progress."""

from collections.abc import Callable, Mapping

import streamlit as st

from dashboard.components.browser_code import component


def draw_running(
    now: Mapping[str, object], *, url: str, key: str, on_cancel: Callable[[str], None]
) -> None:
    """Draw the jobs, and let the page run again when a job was added, started or ended.

    Parameters
    ----------
    now : mapping
        "stamp" and "jobs", as ``url`` answers.
    url : str
        Where the browser asks from then on.
    key : str
    on_cancel : callable
        Gets the id of the job that is to stop, before the page is drawn again.
    """

    def cancel() -> None:
        job = st.session_state[key].get("cancel")
        if isinstance(job, str):
            on_cancel(job)

    component("running", scripts=("elements", "mount_once", "running"), styles=("running",))(
        key=key,
        data={"url": url, **now},
        on_cancel_change=cancel,
        on_changed_change=lambda: None,  # the page runs again; nothing else is needed
    )
