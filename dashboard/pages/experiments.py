"""Experiments: every recorded run, two of them side by side, and the way into MLflow."""

import math
import time
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.components.text import plain
from dashboard.figures.differences import difference_heatmap
from dashboard.figures.layers import heatmap
from dashboard.readers import store
from dashboard.server import mlflow_server
from dashboard.sidebar import selected
from mess.errors import ArtifactMissing, MessError
from mess.tracking.reading import (
    RecordedRun,
    read_discovery_of,
    read_metrics,
    read_runs,
    runs_version,
    server_address,
)
from mess.tracking.recording import tracking_uri

_SERVER_SECONDS = 15  # how old the answer of a tracking server may be
_SETTINGS = ("level", "alpha", "folds", "pooling", "samples", "seed")


def main() -> None:
    """Draw the page."""
    st.title("Experiments")
    selected()
    try:
        with st.spinner("Asking MLflow …"):
            runs = _runs(_version())
    except ArtifactMissing:
        st.info("No run is recorded yet: probing and evaluating record theirs.")
        st.code("mess probe --dataset demo --encoder spectral", language="bash")
        return
    except MessError as error:
        st.warning(plain(str(error)))
        return
    server = _server()
    try:
        _choose(runs, server)
    except MessError as error:
        st.warning(plain(str(error)))
    st.divider()
    _mlflow(server)


def _choose(runs: Sequence[RecordedRun], server: mlflow_server.Server | None) -> None:
    found = _filtered(runs)
    if not found:
        st.info("No run passes these filters." if runs else "No run is recorded yet.")
        return
    chosen = _table(found, server)
    if len(chosen) >= 2:
        _compare(chosen[0], chosen[1], server)
    elif chosen:
        _show_one(chosen[0], server)
    else:
        st.caption("Tick a run to see all of it, two to compare them.")


def _version() -> tuple[object, ...]:
    """Return what changes when runs may have changed, wherever they are recorded."""
    address = server_address(store())
    if address is not None:
        return (address, int(time.time() // _SERVER_SECONDS))
    return (tracking_uri(store()), *runs_version(store()))


def _server() -> mlflow_server.Server | None:
    """Return where MLflow's own pages are: at the tracking server, or those that were started."""
    address = server_address(store())
    if address is not None:
        return mlflow_server.Server(address, pid=0, ready=True)
    return mlflow_server.find(store())


@st.cache_data(max_entries=4, show_spinner=False)
def _runs(version: tuple[object, ...]) -> list[RecordedRun]:
    return read_runs(store())


@st.cache_data(max_entries=16, show_spinner=False)
def _metrics(run: str, version: tuple[object, ...]) -> dict[str, float]:
    return read_metrics(store(), run)


@st.cache_data(max_entries=8, show_spinner=False)
def _discovery(run: RecordedRun) -> dict[str, Any]:
    return read_discovery_of(store(), run)


# Choosing ------------------------------------------------------------------------------------


def _filtered(runs: Sequence[RecordedRun]) -> list[RecordedRun]:
    columns = st.columns([1, 1, 1, 1, 1.9])
    wanted: dict[str, list[str]] = {}
    for column, name in zip(columns, ("dataset", "encoder", "kind", "status"), strict=False):
        values = sorted({str(getattr(run, name)) for run in runs} - {""})
        wanted[name] = column.multiselect(
            name.capitalize(), values, key=f"runs-{name}", placeholder="all"
        )
    days = [datetime.fromtimestamp(run.started).date() for run in runs] or [date.today()]
    between = columns[-1].date_input(
        "Started between", (min(days), max(days)), key="runs-days", format="YYYY-MM-DD"
    )
    first, last = between if isinstance(between, tuple) and len(between) == 2 else (None, None)
    return [
        run
        for run, day in zip(runs, days, strict=False)
        if all(not some or getattr(run, name) in some for name, some in wanted.items())
        and (first is None or last is None or first <= day <= last)
    ]


def _table(runs: Sequence[RecordedRun], server: mlflow_server.Server | None) -> list[RecordedRun]:
    """Draw the runs; return those that are ticked."""
    rows = pd.DataFrame(
        [
            {
                "started": datetime.fromtimestamp(run.started),
                "kind": run.kind,
                "dataset": run.dataset,
                "encoder": run.encoder,
                "mean nested R²": run.score,
                "status": run.status.lower(),
                **{name: run.params.get(name, "").replace("None", "") for name in _SETTINGS},
                "minutes": (run.ended - run.started) / 60,
                "of sweep": run.parent[:8],
                "run": run.id[:8],
                "MLflow": server.link(run) if server else "",
            }
            for run in runs
        ]
    )
    empty = [name for name in (*_SETTINGS, "of sweep", "MLflow") if not rows[name].any()]
    before = st.session_state.get("runs_ticked", [])
    places = [number for number, run in enumerate(runs) if run.id in before]
    event: Any = st.dataframe(
        rows.drop(columns=empty),
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="multi-row",
        # Ticks are numbers of rows: other rows are another table, which begins with the same runs.
        key=f"runs-{hash(tuple(run.id for run in runs))}",
        selection_default={"selection": {"rows": places, "columns": [], "cells": []}},
        column_config={
            "started": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "mean nested R²": st.column_config.NumberColumn(
                format="%.3f",
                help="Over targets: the layer chosen inside the training folds.",
            ),
            "minutes": st.column_config.NumberColumn(format="%.1f"),
            "status": st.column_config.TextColumn(
                help="As MLflow recorded it: killed is a run whose process ended before it."
            ),
            "MLflow": st.column_config.LinkColumn(display_text="open"),
        },
    )
    ticked = [runs[number] for number in event["selection"]["rows"] if number < len(runs)]
    st.session_state["runs_ticked"] = [run.id for run in ticked]
    if len(ticked) > 2:
        st.caption("Two runs are compared: the first two that are ticked.")
    return ticked


# One run, two runs -----------------------------------------------------------------------------


def _show_one(run: RecordedRun, server: mlflow_server.Server | None) -> None:
    st.subheader(plain(run.name) or run.id, anchor=False)
    _link(run, server)
    left, right = st.columns([1, 2])
    left.dataframe(
        pd.DataFrame(sorted(run.params.items()), columns=["setting", "value"]), hide_index=True
    )
    metrics = _metrics(run.id, _version())
    right.dataframe(
        pd.DataFrame(metrics.items(), columns=["metric", "value"]), hide_index=True, height=300
    )
    _draw(run)


def _compare(a: RecordedRun, b: RecordedRun, server: mlflow_server.Server | None) -> None:
    st.subheader("First against second", anchor=False)
    for column, run, place in zip(st.columns(2), (a, b), ("First", "Second"), strict=True):
        with column:
            when = datetime.fromtimestamp(run.started)
            st.markdown(f"**{place}**: {plain(run.name)}, {when:%Y-%m-%d %H:%M}")
            _link(run, server)
    st.markdown("**Settings**")
    _compare_settings(a, b)
    st.markdown("**Results**")
    _compare_metrics(a, b)
    _compare_heatmaps(a, b)


def _compare_settings(a: RecordedRun, b: RecordedRun) -> None:
    inputs = [one.params | one.tags for one in (a, b)]
    rows = [
        {"setting": key, "first": inputs[0].get(key, "–"), "second": inputs[1].get(key, "–")}
        for key in sorted(inputs[0].keys() | inputs[1].keys())
    ]
    table = pd.DataFrame(rows, columns=["setting", "first", "second"])
    differ = table[table["first"] != table["second"]]
    if differ.empty:
        st.caption("All settings and inputs are equal.")
    else:
        st.dataframe(differ, hide_index=True, width="stretch")
    with st.expander("All settings"):
        st.dataframe(table, hide_index=True, width="stretch")


def _compare_metrics(a: RecordedRun, b: RecordedRun) -> None:
    first, second = (_metrics(run.id, _version()) for run in (a, b))
    every = st.toggle("Every layer", key="runs-every-cell")
    rows = [
        {
            "metric": name,
            "first": first.get(name, math.nan),
            "second": second.get(name, math.nan),
        }
        for name in sorted(first.keys() | second.keys())
        if every or not name.startswith("r2/")
    ]
    table = pd.DataFrame(rows, columns=["metric", "first", "second"])
    table["first − second"] = table["first"] - table["second"]
    numbers = {
        name: st.column_config.NumberColumn(format="%.3f")
        for name in ("first", "second", "first − second")
    }
    st.dataframe(table, hide_index=True, width="stretch", column_config=numbers, height=320)


def _compare_heatmaps(a: RecordedRun, b: RecordedRun) -> None:
    records = []
    for run in (a, b):
        try:
            records.append(_discovery(run))
        except MessError as error:
            if run.kind == "probe":
                st.caption(plain(str(error)))
    if len(records) < 2:
        return
    st.markdown("**Heatmaps**")
    st.caption(
        "R² of the first less R² of the second: blue where the first is better. Whether a "
        "difference is more than chance is what `mess compare` tests."
    )
    tabs = st.tabs(["First less second", "First", "Second"])
    figures = (difference_heatmap(*records), *(heatmap(record) for record in records))
    for number, (tab, figure) in enumerate(zip(tabs, figures, strict=True)):
        tab.plotly_chart(figure, key=f"runs-heatmap-{number}", config={"displayModeBar": False})


def _draw(run: RecordedRun) -> None:
    try:
        record = _discovery(run)
    except ArtifactMissing:
        return
    except MessError as error:
        st.warning(plain(str(error)))
        return
    st.plotly_chart(heatmap(record), key="runs-heatmap", config={"displayModeBar": False})


# MLflow ----------------------------------------------------------------------------------------


def _link(run: RecordedRun, server: mlflow_server.Server | None) -> None:
    if server is not None and server.ready:
        st.link_button("Open in MLflow", server.link(run))


def _mlflow(server: mlflow_server.Server | None) -> None:
    st.subheader("MLflow", anchor=False)
    if server is not None and server.pid == 0:
        st.markdown("Runs are recorded at a tracking server (`MLFLOW_TRACKING_URI`).")
        st.link_button("Open MLflow", server.address)
        return
    if server is None:
        st.markdown(
            "MLflow's own pages show the same runs. They are served on this machine alone "
            "(127.0.0.1), until stopped, and take some 500 MB of memory."
        )
        if st.button("Start MLflow", key="mlflow-start"):
            try:
                mlflow_server.start(store())
            except MessError as error:
                st.error(plain(str(error)))
                return
            st.rerun()
        return
    st.fragment(_watch, run_every=5.0 if server.ready else 1.0)(server)


def _watch(before: mlflow_server.Server) -> None:
    """Draw the server, and let the page run once when it answers or is gone."""
    server = mlflow_server.find(store())
    if server is None:
        st.error(plain(f"MLflow did not stay: {mlflow_server.last_line(store())}"))
        return
    if server.ready and not before.ready:
        st.rerun()
    left, right, _ = st.columns([1, 1, 2])
    if server.ready:
        left.link_button("Open MLflow", server.address, width="stretch")
    else:
        left.markdown("MLflow is starting …")
    if right.button("Stop MLflow", key="mlflow-stop", width="stretch"):
        mlflow_server.stop(store())
        st.rerun()
