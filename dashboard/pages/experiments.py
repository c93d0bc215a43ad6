"""Experiments: every recorded run, two of them side by side, and the way into MLflow."""

from collections.abc import Sequence

import streamlit as st

from dashboard.address.controls import open_controls
from dashboard.components.text import plain
from dashboard.readers import told
from dashboard.readers.runs import recorded_runs
from dashboard.sections.mlflow_pages import find_mlflow, show_mlflow
from dashboard.sections.run_details import compare_runs, show_run
from dashboard.sections.run_table import PARAMETERS, choose_runs, filter_runs
from dashboard.server.mlflow_server import Server
from dashboard.sidebar import selected
from dashboard.titles import TITLES
from mess.errors import ArtifactMissing, MessError
from mess.tracking.reading import RecordedRun


def main() -> None:
    """Draw the page."""
    st.title(TITLES["experiments"])
    controls = open_controls("/experiments", *selected(), names=PARAMETERS)
    try:
        with st.spinner("Asking MLflow …"):
            runs = recorded_runs()
    except ArtifactMissing:
        st.info("No run is recorded yet. Probing and evaluating record their runs.")
        st.code("mess probe --dataset demo --encoder spectral", language=None)
        return
    except MessError as error:
        st.warning(plain(told(error)))
        return
    server = find_mlflow()
    try:
        _show_runs(runs, server)
    except MessError as error:
        st.warning(plain(told(error)))
    controls.write()
    st.divider()
    show_mlflow(server)


def _show_runs(runs: Sequence[RecordedRun], server: Server | None) -> None:
    """Draw the table, and below it what is ticked there."""
    passing = filter_runs(runs)
    if not passing:
        st.info("No run passes these filters." if runs else "No run is recorded yet.")
        return
    ticked = choose_runs(passing, server)
    if len(ticked) >= 2:
        compare_runs(ticked[0], ticked[1], server)
    elif ticked:
        show_run(ticked[0], server)
    else:
        st.caption("Tick a run to see all of it, two to compare them.")
