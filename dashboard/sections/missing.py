"""What a page shows in place of what is not there: a missing artifact, an empty list."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from dashboard.components.text import plain
from dashboard.jobs import queue as jobs
from dashboard.readers import store, told
from dashboard.sidebar import start
from mess.errors import ArtifactError, ArtifactMissing, MessError
from mess.records.discovery import Level

Result = TypeVar("Result")

_GAPS = {  # by the step that closes it
    "extract": "No encoder has heard these recordings yet.",
    "targets": "The targets of these recordings are not measured yet.",
    "probe": "The layers of this encoder are not probed yet.",
    "index": "These recordings cannot be searched by this encoder yet: there is no index.",
    "evaluate": "The sliders of this encoder are not judged yet.",
    "check-targets": "The targets are not tested yet.",
    "map": "This map is not drawn yet.",
    "compare": "The encoders are not compared yet.",
    "dose": "The music is not changed yet.",
    "untangle": "This is not asked of the layers yet.",
    "cross": "The probes are not tested on other datasets yet.",
    "factors": "The table of factors is not made yet.",
}


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


def describe_gap(error: MessError) -> str:
    """Say in a person's words what is missing; of what is damaged or stale, say why.

    The command is left out: it stands beside a button.

    >>> describe_gap(ArtifactMissing("indices/demo/spectral/manifest.json", "mess index"))
    'These recordings cannot be searched by this encoder yet: there is no index.'
    >>> describe_gap(ArtifactError("demo.parquet", "is damaged", "mess targets"))
    'demo.parquet is damaged.'
    """
    if not isinstance(error, ArtifactError):
        return told(error)
    step = "".join(error.command.split()[1:2])
    if isinstance(error, ArtifactMissing) and step in _GAPS:
        return _GAPS[step]
    return f"{told(error).removesuffix(f': run `{error.command}`')}."


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
    if tell_making(describe_gap(error), dataset=dataset, command=command):
        return
    (st.info if isinstance(error, ArtifactMissing) else st.warning)(plain(describe_gap(error)))
    st.code(error.command, language=None)
    if st.button(button, key=f"offer-{'-'.join(command)}", type="primary"):
        start(dataset, list(command))
        st.rerun()


def tell_making(gap: str, *, dataset: str, command: Sequence[str]) -> bool:
    """Where a job closes a gap already, say so instead of offering it; tell whether one does.

    Parameters
    ----------
    gap : str
        What is missing or stale, in a sentence.
    dataset, command
        As of `offer`.
    """
    job = jobs.making(store(), dataset=dataset, command=command)
    if job is None:
        return False
    before = [one for one in jobs.active_jobs(store()) if one.dataset == dataset and one != job]
    waiting = len([one for one in before if one.running or one.id < job.id])
    when = "now: the line above shows how far it is" if job.running else _wait(waiting)
    st.info(plain(f"{gap} It is made {when}. Then this page shows it by itself."))
    return True


def _wait(before: int) -> str:
    """Say when a job runs that waits.

    >>> _wait(2)
    'after 2 other jobs'
    """
    if not before:
        return "soon"
    return "after the job that runs" if before == 1 else f"after {before} other jobs"


def offer_probes(error: ArtifactError, dataset: str, encoder: str, *, level: Level) -> None:
    """Offer what a discovery lacks: all steps if there are no features yet, else the probes."""
    command = ["run-all", "--dataset", dataset, "--encoder", encoder]
    if store().features.modified(dataset, encoder) > 0:
        command = ["probe", "--dataset", dataset, "--encoder", encoder]
        command += ["--level", "segment"] if level == "segment" else []
    offer(error, dataset=dataset, command=command, button="Run it now")


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
    if tell_making(f"{what} is stale: {why}.", dataset=dataset, command=command):
        return
    st.warning(plain(f"{what} is stale: {why}."))
    if st.button(button, key=f"again-{'-'.join(command)}"):
        start(dataset, list(command))
        st.rerun()
