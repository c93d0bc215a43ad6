"""The sidebar that every page shares: what is looked at, and the pipeline that makes it anew."""

import time

import streamlit as st

from dashboard import jobs
from dashboard.components.text import plain
from dashboard.navigation import navigate
from dashboard.readers import store
from mess.datasets import KNOWN, available_datasets
from mess.encoders import PRESETS, Preset, by_interest
from mess.errors import MessError

_POLL_SECONDS = 1.0


def selected() -> tuple[str, str]:
    """Return the dataset and the encoder that the person looks at."""
    if "dataset" not in st.session_state:
        # A server's very first request ran this page as Streamlit finds it in `pages`, without
        # Home: announce the pages, and run again from there.
        navigate()
        st.rerun()
    return st.session_state["dataset"], st.session_state["encoder"]


def show() -> None:
    """Draw the sidebar."""
    with st.sidebar:
        datasets = available_datasets(store().audio_dir(""))
        dataset = st.selectbox("Dataset", datasets, index=_first(datasets), key="dataset")
        encoders = by_interest(store().encoders_of(dataset))
        others = [name for name in PRESETS if name not in encoders]
        if st.session_state.get("encoder") not in encoders + others:
            st.session_state.pop("encoder", None)
        if encoders and st.session_state.get("encoder_of") != dataset:
            st.session_state["encoder"] = _first_encoder(dataset, encoders)
        st.session_state["encoder_of"] = dataset
        encoder = st.selectbox(
            "Encoder",
            encoders + others,
            key="encoder",
            format_func=lambda name: name if name in encoders else f"{name} (not extracted)",
        )
        preset = PRESETS.get(encoder)
        if preset is not None:
            st.caption(_describe(preset))
        st.divider()
        force = st.checkbox("Redo what is up to date", key="force")
        if st.button("Re-extract and re-probe", width="stretch", key="start"):
            start(dataset, ["run-all", "--dataset", dataset, "--encoder", encoder], force=force)
        busy = bool(jobs.running_jobs(store()))
        st.fragment(_watch, run_every=_POLL_SECONDS if busy else None)()


def start(dataset: str, command: list[str], *, force: bool = False) -> None:
    """Start a pipeline from a button."""
    try:
        jobs.start(store(), dataset=dataset, command=[*command, "--force"] if force else command)
    except MessError as error:
        st.error(str(error))
        return
    st.session_state["watched"] = [*st.session_state.get("watched", []), dataset]


def _watch() -> None:
    """Show running jobs and, once, how those of this session ended."""
    running = jobs.running_jobs(store())
    names = [job.dataset for job in running]
    shown_before = st.session_state.get("shown_jobs", [])
    st.session_state["shown_jobs"] = names
    for job in running:
        _show_running(job)
    for dataset in list(st.session_state.get("watched", [])):
        if dataset not in names:
            _show_ended(dataset)
    if set(shown_before) - set(names):
        st.rerun()  # the pages read what the job wrote, and polling stops


def _show_running(job: jobs.Job) -> None:
    st.markdown(f"**{plain(job.stage or 'starting')}**")
    if job.total:
        minutes, seconds = divmod(round(job.seconds_left), 60)
        st.progress(
            min(job.done / job.total, 1.0),
            text=f"{job.done} of {job.total} {job.unit}, {job.per_minute:.0f}/min, "
            f"{minutes}:{seconds:02d} left",
        )
    else:
        st.progress(0.0, text=f"started {time.time() - job.started:.0f} s ago")
    if st.button("Cancel", key=f"cancel-{job.dataset}", width="stretch"):
        jobs.cancel(store(), job.dataset)


def _show_ended(dataset: str) -> None:
    job = jobs.last_job(store(), dataset)
    if job is None:
        return
    if job.state == "done":
        st.success(f"{dataset}: done")
    elif job.state == "cancelled":
        st.info(f"{dataset}: cancelled; what was finished is kept")
    else:
        st.error(f"{dataset}: {plain(job.message)}")
        with st.expander("Log"):
            st.code(jobs.log_tail(store(), dataset), language=None)
    if st.button("Close", key=f"close-{dataset}", width="stretch"):
        st.session_state["watched"].remove(dataset)
        st.rerun()


def _describe(preset: Preset) -> str:
    """Return a preset in one line: shape, what it was trained on, cost, licence."""
    training = "no training" if preset.trained_on == "none" else f"trained on {preset.trained_on}"
    return (
        f"{preset.layers} layers × {preset.dim} · {training} · about {preset.cost:g} s per minute "
        f"of audio · licence {preset.licence}"
    )


def _first_encoder(dataset: str, encoders: list[str]) -> str:
    """Return the encoder that a first visit shows: the most interesting one that is complete."""
    indexed = {encoder for name, encoder in store().indexed() if name == dataset}
    return next((name for name in encoders if name in indexed), encoders[0])


def _first(datasets: list[str]) -> int:
    """Return the position of the dataset that a first visit shows: one that has an index."""
    for dataset, _ in store().indexed():
        if dataset in datasets:
            return datasets.index(dataset)
    with_audio = [name for name in datasets if store().audio_dir(name).is_dir()]
    return datasets.index(with_audio[0]) if with_audio else list(KNOWN).index("demo")
