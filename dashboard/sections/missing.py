"""What a page shows in place of what is not there: a missing artifact, an empty list."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from dashboard.components.text import plain
from dashboard.jobs import queue as jobs
from dashboard.readers import store, told
from dashboard.sidebar import start
from mess.errors import ArtifactError, ArtifactMissing, MessError

Result = TypeVar("Result")


def results_of(search: Callable[[], list[Result]]) -> list[Result]:
    """Return what a search finds, or say why there is nothing."""
    try:
        results = search()
    except MessError as error:
        st.warning(plain(told(error)))
        return []
    if not results:
        st.info("No other track is left: leave out less.")
    return results


def offer_demo() -> None:
    """Offer the demo library on an empty page. It needs no network."""
    command = ["run-all", "--dataset", "demo"]
    if any(job.command[:3] == command for job in jobs.active_jobs(store())):
        st.info("The demo library is being built: the line above shows how far it is.")
        return
    st.info(
        "There are no features yet. Build the demo library (some minutes, no download): music "
        "from public scores, performed and rendered on this machine."
    )
    if st.button("Build the demo library", type="primary"):
        start("demo", command)
    st.code("mess run-all --dataset demo", language=None)
    st.caption("`mess fetch smd` and `mess fetch maestro` download recordings of human pianists.")


def offer(error: ArtifactError, *, dataset: str, command: Sequence[str], button: str) -> None:
    """Say what is wrong in one line, and offer the pipeline that mends it.

    Parameters
    ----------
    error : ArtifactError
        What the reader said.
    dataset : str
        Whose job it becomes.
    command : sequence of str
        The pipeline, below ``mess``.
    button : str
        What the button says.
    """
    (st.info if isinstance(error, ArtifactMissing) else st.warning)(told(error))
    st.code(error.command, language=None)
    if st.button(button, key=f"offer-{'-'.join(command)}", type="primary"):
        start(dataset, list(command))
        st.rerun()


def tell_stale(what: str, why: str, *, dataset: str, command: Sequence[str], button: str) -> None:
    """Say that what is shown below is stale, and offer the pipeline that makes it again.

    Parameters
    ----------
    what : str
        What is shown.
    why : str
        Why it is stale; nothing is said where this is empty.
    dataset, command, button
        As of `offer`.
    """
    if not why:
        return
    st.warning(plain(f"{what} is stale: {why}."))
    if st.button(button, key=f"again-{'-'.join(command)}"):
        start(dataset, list(command))
        st.rerun()
