"""Home: what exists of each dataset, and what to run next."""

import pandas as pd
import streamlit as st

from dashboard.readers import store
from dashboard.sidebar import start
from mess.datasets import available_datasets
from mess.encoders import PRESETS, by_interest
from mess.places import command_for
from mess.status import next_step, survey

_INTRODUCTION = """
MESS looks into the layers of a model that listens to music: *probes* measure which layer knows
a track's brightness, tempo or dynamics. From what the probes find, the search learns in which
respect two recordings are alike. You choose a track, weigh the aspects, and listen.
"""


def main() -> None:
    """Draw the page."""
    st.title("MESS: hear what a music model knows")
    st.markdown(_INTRODUCTION)
    datasets = available_datasets(store().audio_dir(""))
    rows, waiting = [], []
    for dataset in datasets:
        for encoder in by_interest(store().encoders_of(dataset)):
            statuses = survey(store(), dataset, encoder)
            rows.append(
                {"dataset": dataset, "encoder": encoder}
                | {status.step: _describe(status.state, status.detail) for status in statuses}
            )
            step = next_step(statuses)
            if step is not None:
                waiting.append((dataset, encoder, step))
    if not rows:
        _offer_demo()
        return
    st.subheader("What exists")
    st.dataframe(
        pd.DataFrame(rows).rename(
            columns={
                "extract": "features",
                "targets": "proxy targets",
                "probe": "layer discovery",
            }
        ),
        hide_index=True,
        width="stretch",
    )
    for dataset, encoder, step in waiting:
        left, right = st.columns([4, 1])
        left.warning(f"{dataset} by {encoder}: {step.step} is {step.state} ({step.detail})")
        left.code(step.command, language="bash")
        if right.button("Run it", key=f"run-{dataset}-{encoder}", width="stretch"):
            start(dataset, command_for("run-all", dataset, encoder).split()[1:])
            st.rerun()
    if not waiting:
        st.markdown(
            "Everything is up to date: see **Layer discovery** for what each layer knows, "
            "**Recommend** to listen."
        )
    _more_recordings([name for name in datasets if not store().encoders_of(name)])
    used = {row["encoder"] for row in rows}
    for name, preset in PRESETS.items():
        if name in used:
            training = "" if preset.trained_on == "none" else f"trained on {preset.trained_on}, "
            st.caption(f"Encoder {name}: {training}licence {preset.licence}.")


def _describe(state: str, detail: str) -> str:
    return detail if state == "ready" else state


def _offer_demo() -> None:
    st.info(
        "There are no features yet. Build the demo library (some minutes, no download): music "
        "from public scores, performed and rendered on this machine."
    )
    st.code("mess run-all --dataset demo", language="bash")
    if st.button("Build the demo library", type="primary"):
        start("demo", ["run-all", "--dataset", "demo"])
        st.rerun()


def _more_recordings(datasets: list[str]) -> None:
    with st.expander("More recordings"):
        st.markdown(
            "Put a dataset where its name says, or link your own folder "
            "(`mess add NAME FOLDER`), then choose it in the sidebar and start it there."
        )
        st.dataframe(
            pd.DataFrame(
                {
                    "dataset": datasets,
                    "folder": [str(store().audio_dir(name)) for name in datasets],
                    "state": [
                        "recordings are there"
                        if store().audio_dir(name).is_dir()
                        else "no recordings"
                        for name in datasets
                    ],
                }
            ),
            hide_index=True,
            width="stretch",
        )


main()
