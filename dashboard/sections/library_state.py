"""What exists of each dataset, what is stale and why, and a button for each gap."""

import streamlit as st

from dashboard import library
from dashboard.components.text import plain, readable
from dashboard.readers import store, told
from dashboard.sections.doubtful import show_doubtful
from dashboard.sections.missing import offer_demo
from dashboard.sidebar import start
from mess.as_text import duration, size
from mess.datasets import KNOWN, Dataset, available_datasets, stray_names
from mess.encoders import PRESETS, by_interest
from mess.status.inventory import Inventory, describe_licences, why_unread
from mess.status.steps import StepStatus, next_step
from mess.storage.paths import command_for

_NAMES = {
    "extract": "features",
    "targets": "proxy targets",
    "probe": "layer discovery",
    "index": "search index",
    "evaluate": "judged sliders",
    "check-targets": "tested targets",
}
_VERBS = {
    "extract": "Extract",
    "targets": "Measure targets",
    "probe": "Probe",
    "index": "Index",
    "evaluate": "Evaluate",
    "check-targets": "Test targets",
}
_SIGNS = {"ready": "✓", "missing": "○", "partial": "◐", "stale": "↻", "damaged": "✗"}


def show_library() -> None:
    """Show every dataset."""
    datasets = available_datasets(store().audio_dir(""))
    made = [name for name in datasets if library.encoders(name)]
    waiting = [name for name in datasets if name not in made and store().audio_dir(name).is_dir()]
    if not made:
        offer_demo()
    for dataset in made:
        _show_dataset(dataset)
    for dataset in waiting:
        if made or dataset != "demo":
            _show_untouched(dataset)
    for line in stray_names(store().audio_dir("")):
        st.markdown(plain(told(line)))
    _more_recordings([name for name in KNOWN if name not in made + waiting])


def _show_dataset(dataset: str) -> None:
    st.header(plain(dataset), anchor=False)
    _show_notes(library.recordings(dataset))
    ready = True
    for encoder in by_interest(library.encoders(dataset)):
        found = library.inventory(dataset, encoder)
        statuses = library.statuses(dataset, encoder)
        with st.container(border=True):
            _show_amount(found, encoder)
            st.markdown(_table(statuses, found))
            ready &= _show_gaps(dataset, encoder, statuses)
            _show_failed(found)
            for line in describe_licences(found, encoder):
                st.caption(f"Licence of {plain(line)}")
            preset = PRESETS.get(encoder)
            if preset is not None and preset.trained_on != "none":
                st.caption(f"{plain(encoder)} was trained on {preset.trained_on}.")
    if ready:
        st.markdown(
            "Everything is up to date: see **Layer discovery** for what each layer knows, "
            "**Recommend** to listen."
        )


def _show_amount(found: Inventory, encoder: str) -> None:
    st.markdown(
        f"**by {plain(encoder)}** · {duration(found.seconds)} of audio · {found.tracks} tracks · "
        f"{found.works} works · {size(sum(found.sizes.values()))} on disk "
        f"(audio {size(found.sizes.get('audio', 0))})"
    )


def _table(statuses: list[StepStatus], found: Inventory) -> str:
    rows = ["| step | state | on disk | about |", "|---|---|---:|---|"]
    for status in statuses:
        occupied = found.sizes.get(status.step, 0)
        if status.step == "extract":
            occupied += found.sizes.get("every frame", 0)
        rows.append(
            f"| {_NAMES[status.step]} | {_SIGNS[status.state]} {status.state} "
            f"| {size(occupied) if occupied else '–'} | {plain(told(status.detail))} |"
        )
    return "\n".join(rows)


def _show_gaps(dataset: str, encoder: str, statuses: list[StepStatus]) -> bool:
    """Draw a button for each missing step; return whether no other step needs one of them."""
    gaps = [status for status in statuses if status.state != "ready"]
    if not gaps:
        return True
    first = next_step([status for status in statuses if status.step != "check-targets"])
    columns = st.columns(max(3, len(gaps) + bool(first)))
    if first is not None and columns[0].button(
        "Fill all gaps",
        key=f"run-{dataset}-{encoder}",
        type="primary",
        width="stretch",
        help="One job runs all steps that are missing or stale, in their order.",
    ):
        start(dataset, ["run-all", "--dataset", dataset, "--encoder", encoder])
    for column, status in zip(columns[bool(first) :], gaps, strict=False):
        if column.button(
            _VERBS[status.step],
            key=f"fill-{dataset}-{encoder}-{status.step}",
            width="stretch",
            help=plain(readable(status.command)),
        ):
            start(dataset, _command(status.step, dataset, encoder))
    return first is None


def _command(step: str, dataset: str, encoder: str) -> list[str]:
    words = [step, "--dataset", dataset]
    return words if step in ("targets", "check-targets") else [*words, "--encoder", encoder]


def _show_failed(found: Inventory) -> None:
    if found.failed:
        with st.expander(f"{_count(len(found.failed), 'recording')} failed"):
            for reason in found.failed.values():
                st.markdown(f"- {plain(told(reason))}")
    show_doubtful(found.doubtful)


def _show_notes(there: Dataset | None) -> None:
    if there is not None and there.notes:
        with st.expander(f"What is not read of {plain(there.name)}"):
            for note in there.notes:
                st.markdown(f"- {plain(told(note))}")


def _show_untouched(dataset: str) -> None:
    st.header(plain(dataset), anchor=False)
    there = library.recordings(dataset)
    with st.container(border=True):
        if there is None:
            st.markdown(plain(told(why_unread(store(), dataset))))
            return
        st.markdown(f"{len(there)} recordings, nothing extracted · {plain(there.licence)}")
        _show_notes(there)
        encoder = library.usual_encoder(dataset)
        for name in dict.fromkeys((encoder, "spectral")):
            if st.button(
                f"Make everything by {name}",
                key=f"run-{dataset}-{name}",
                help=plain(readable(command_for("run-all", dataset, name))),
            ):
                start(dataset, ["run-all", "--dataset", dataset, "--encoder", name])


def _more_recordings(datasets: list[str]) -> None:
    with st.expander("More recordings"):
        st.markdown(
            "Link a folder of your own in the sidebar (**Run a pipeline …**, *Add a folder of "
            "recordings*, or `mess add NAME FOLDER`)"
            + (", or put a dataset where it belongs in the data root:" if datasets else ".")
        )
        for name in datasets:
            st.markdown(f"- **{name}**: {plain(told(store().audio_dir(name)))}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
