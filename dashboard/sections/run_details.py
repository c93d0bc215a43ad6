"""One recorded run with all that it has, or two of them side by side."""

import math
from datetime import datetime
from functools import partial

import streamlit as st

from dashboard.address.controls import here
from dashboard.components.heatmap import draw_heatmap
from dashboard.components.table import UNKNOWN, show_table
from dashboard.components.text import plain
from dashboard.figures.differences import difference_heat
from dashboard.readers import told
from dashboard.readers.runs import run_discovery, run_metrics
from dashboard.sections.heat_rows import target_heat
from dashboard.sections.mlflow_pages import link_run
from dashboard.server import mlflow_server
from mess.as_text import as_words
from mess.errors import ArtifactMissing, MessError
from mess.targets import title_of
from mess.tracking.reading import (
    RecordedRun,
)


def show_run(run: RecordedRun, server: mlflow_server.Server | None) -> None:
    """Show the settings, the metrics and the heatmap of a run."""
    import pandas as pd

    st.header(plain(run.name) or run.id, anchor=False)
    link_run(run, server)
    if run.left_out:
        st.warning(plain(run.left_out))
    left, right = st.columns([1, 2])
    with left:
        settings = [
            (as_setting(name), as_known(value)) for name, value in sorted(run.params.items())
        ]
        show_table(pd.DataFrame(settings, columns=["setting", "value"]))
    with right:
        metrics = run_metrics(run)
        show_table(
            pd.DataFrame(
                [(as_metric(k), v) for k, v in metrics.items()], columns=["metric", "value"]
            ),
            height=300,
        )
    _draw(run)


def as_known(value: str) -> str:
    """Return a setting that MLflow kept as people write it; a dash where it had none.

    >>> as_known("('work', 'composer')"), as_known("True"), as_known("None")
    ('work, composer', 'yes', '–')
    """
    known = {"": UNKNOWN, "None": UNKNOWN, "True": "yes", "False": "no"}
    if value.startswith("(") and value.endswith(")"):
        return value[1:-1].replace("'", "").rstrip(",")
    return known.get(value, value)


def as_setting(name: str) -> str:
    """Return the name of a setting as people read it."""
    return "penalty" if name == "alpha" else as_words(name)


def as_metric(name: str) -> str:
    """Return the name of a number that MLflow kept as people read it.

    >>> as_metric("best_r2/attack_slopes"), as_metric("mean_nested_r2")
    ('best R², attack slope', 'mean nested R²')
    """
    what, *parts = name.split("/")
    words = [as_words(what).replace("r2", "R²"), *map(title_of, parts)]
    return ", ".join(words)


def compare_runs(a: RecordedRun, b: RecordedRun, server: mlflow_server.Server | None) -> None:
    """Show two runs side by side: settings, results and heatmaps."""
    st.header("First against second", anchor=False)
    for column, run, label in zip(st.columns(2), (a, b), ("First", "Second"), strict=True):
        with column:
            when = datetime.fromtimestamp(run.started)
            st.markdown(f"**{label}**: {plain(run.name)}, {when:%Y-%m-%d %H:%M}")
            link_run(run, server)
            if run.left_out:
                st.warning(plain(run.left_out))
    st.markdown("**Settings**")
    _compare_settings(a, b)
    st.markdown("**Results**")
    _compare_metrics(a, b)
    _compare_heatmaps(a, b)


def _compare_settings(a: RecordedRun, b: RecordedRun) -> None:
    import pandas as pd

    first, second = (run.params | run.tags for run in (a, b))
    rows = [
        {
            "setting": as_setting(key),
            "first": as_known(first.get(key, UNKNOWN)),
            "second": as_known(second.get(key, UNKNOWN)),
        }
        for key in sorted(first.keys() | second.keys())
    ]
    table = pd.DataFrame(rows, columns=["setting", "first", "second"])
    differ = table[table["first"] != table["second"]]
    if differ.empty:
        st.caption("All settings and inputs are equal.")
    else:
        show_table(differ, width="stretch")
    with st.expander("All settings"):
        show_table(table, width="stretch")


def _compare_metrics(a: RecordedRun, b: RecordedRun) -> None:
    import pandas as pd

    first, second = (run_metrics(run) for run in (a, b))
    here().switch("every", key="runs-every-cell")
    all_layers = st.toggle("Every layer", key="runs-every-cell")
    rows = [
        {
            "metric": as_metric(name),
            "first": first.get(name, math.nan),
            "second": second.get(name, math.nan),
        }
        for name in sorted(first.keys() | second.keys())
        if all_layers or not name.startswith("r2/")
    ]
    table = pd.DataFrame(rows, columns=["metric", "first", "second"])
    table["first − second"] = table["first"] - table["second"]
    numbers = {
        name: st.column_config.NumberColumn(format="%.3f")
        for name in ("first", "second", "first − second")
    }
    show_table(table, width="stretch", column_config=numbers, height=320)


def _compare_heatmaps(a: RecordedRun, b: RecordedRun) -> None:
    records = []
    for run in (a, b):
        try:
            records.append(run_discovery(run))
        except MessError as error:
            if run.kind == "probe":
                st.caption(plain(told(error)))
    if len(records) < 2:
        return
    st.markdown("**Heatmaps**")
    st.caption(
        "R² of the first minus R² of the second. Blue: the first is better. `mess compare` tests "
        "whether a difference is more than chance."
    )
    names = {"First less second": "difference", "First": "first", "Second": "second"}
    here().choose(
        "shown", list(names), key="runs-shown", usual=next(iter(names)), text=names.__getitem__
    )
    tables = (
        partial(difference_heat, *records, choosable=False),
        *(partial(target_heat, one, choosable=False) for one in records),
    )
    tabs = st.tabs(list(names), key="runs-shown", on_change="rerun")
    for name, tab, table in zip(names, tabs, tables, strict=True):
        if tab.open:
            with tab:
                draw_heatmap(table(), caption=name, key=f"runs-heatmap-{names[name]}")


def _draw(run: RecordedRun) -> None:
    try:
        record = run_discovery(run)
    except ArtifactMissing:
        return
    except MessError as error:
        st.warning(plain(told(error)))
        return
    draw_heatmap(
        target_heat(record, choosable=False), caption="R² of each layer", key="runs-heatmap"
    )
