"""The sidebar that every page shares: what is looked at, and the pipelines that make it anew."""

import shlex

import streamlit as st

from dashboard import library
from dashboard.components.job_panel import show_last_jobs
from dashboard.components.text import plain, readable
from dashboard.jobs import queue as jobs
from dashboard.jobs.commands import PIPELINES, Option, Pipeline, Value
from dashboard.readers import store, told
from mess.datasets import available_datasets
from mess.encoders import PRESETS, Preset, by_interest
from mess.errors import MessError


def selected() -> tuple[str, str]:
    """Return the dataset and the encoder that the person looks at."""
    return st.session_state["dataset"], st.session_state["encoder"]


def show() -> None:
    """Draw the sidebar."""
    with st.sidebar:
        dataset, encoder = _choose()
        st.divider()
        command = ["run-all", "--dataset", dataset, "--encoder", encoder]
        if not library.is_empty() and st.button(
            "Re-extract and re-probe",
            width="stretch",
            key="start",
            help="All that is missing or has changed; to redo the rest, run a pipeline.",
        ):
            start(dataset, command)
        number = st.session_state.setdefault("forms", 0)  # a new key is a closed popover
        with st.popover("Run a pipeline …", width="stretch", key=f"run-{number}"):
            _form(dataset, encoder)
        show_last_jobs()


def start(dataset: str, *commands: list[str]) -> None:
    """Queue pipelines from a button, and run the page again to show them.

    Each needs the result of the one before, and never starts where that one fails.
    """
    before = None
    try:
        for command in commands:
            before = jobs.add(store(), dataset=dataset, command=command, after=before)
    except MessError as error:
        st.session_state["job_error"] = told(error)
    st.rerun()


def _choose() -> tuple[str, str]:
    datasets = available_datasets(store().audio_dir(""))
    if st.session_state.get("dataset") not in datasets:
        st.session_state["dataset"] = library.first_dataset()
    dataset = st.selectbox("Dataset", datasets, key="dataset", format_func=readable)
    encoders = by_interest(library.encoders(dataset))
    others = [name for name in PRESETS if name not in encoders]
    if st.session_state.get("encoder") not in encoders + others:
        st.session_state.pop("encoder", None)
    if st.session_state.get("encoder_of") != dataset:
        st.session_state["encoder"] = library.first_encoder(dataset)
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
    return dataset, encoder


@st.fragment
def _form(dataset: str, encoder: str) -> None:
    """Let the person choose a pipeline and its options."""
    pipeline: Pipeline = st.selectbox(
        "Pipeline", PIPELINES, format_func=lambda one: one.title, key="pipeline"
    )
    taken = {"dataset": readable(dataset), "encoder": encoder}
    if pipeline.takes:
        st.caption(plain(", ".join(f"{name} {taken[name]}" for name in pipeline.takes)))
    values = {
        option.flag: _ask(option, key=f"{pipeline.name} {option.flag}")
        for option in pipeline.options
    }
    try:
        command = pipeline.command(dataset, encoder, values)
    except MessError as error:
        st.caption(plain(told(error)))
        st.button("Start", disabled=True, width="stretch", key="start-pipeline")
        return
    st.code(readable(shlex.join(["mess", *command])), language=None, wrap_lines=True)
    if st.button("Start", type="primary", width="stretch", key="start-pipeline"):
        st.session_state["forms"] += 1
        start(pipeline.belongs_to(dataset, values), command)


def _ask(option: Option, *, key: str) -> Value:
    """Draw the widget of an option; return what it says."""
    hint = option.help or None
    if isinstance(option.default, bool):
        return st.checkbox(option.label, option.default, key=key, help=hint)
    if isinstance(option.default, tuple):
        return st.multiselect(option.label, library.with_features(), key=key, help=hint)
    if option.choices:
        return st.selectbox(option.label, option.choices, key=key, help=hint)
    if isinstance(option.default, str):
        return st.text_input(option.label, option.default, key=key, help=hint)
    least = None if option.default is None and not option.least else option.least
    number = st.number_input(
        option.label, least, value=_whole(option.default), step=1, key=key, help=hint
    )
    return None if number is None else int(number)


def _whole(default: Value) -> int | None:
    return default if isinstance(default, int) else None


def _describe(preset: Preset) -> str:
    """Return a preset in one line: shape, what it was trained on, cost, licence."""
    training = "no training" if preset.trained_on == "none" else f"trained on {preset.trained_on}"
    return (
        f"{preset.layers} layers × {preset.dim} · {training} · about {preset.cost:g} s per minute "
        f"of audio · licence {preset.licence}"
    )
