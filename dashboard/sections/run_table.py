"""The recorded runs as a table that can be filtered, and the runs that are ticked in it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import streamlit as st

from dashboard.address.controls import here
from dashboard.components.fold import foldable
from dashboard.components.table import show_table
from dashboard.server import mlflow_server
from mess.tracking.reading import RecordedRun

PARAMETERS = ("of_dataset", "of_encoder", "of_kind", "of_outcome", "days", "run", "every", "shown")
_FILTERS = {"dataset": "Dataset", "encoder": "Encoder", "kind": "Kind", "outcome": "Status"}
_YELLOW = "background-color: rgba(255, 193, 7, 0.35)"  # is seen on light and on dark
_TICKED = "runs-ticked"
_SETTINGS = {  # by the name that a run has in MLflow, the heading
    "level": "level",
    "alpha": "penalty",
    "folds": "folds",
    "pooling": "pooling",
    "samples": "samples",
    "seed": "seed",
}


def filter_runs(runs: Sequence[RecordedRun]) -> list[RecordedRun]:
    """Draw the filters; return the runs that pass them."""
    box, say = foldable("Filters", key="runs")
    columns = box.container(key="pairs-runs").columns([1, 1, 1, 1, 1.9])
    wanted: dict[str, list[str]] = {}
    for column, name in zip(columns, _FILTERS, strict=False):
        values = sorted({str(getattr(run, name)) for run in runs} - {""})
        here().choose_some(f"of_{name}", values, key=f"runs-{name}")
        wanted[name] = column.multiselect(
            _FILTERS[name], values, key=f"runs-{name}", placeholder="all"
        )
    days = [datetime.fromtimestamp(run.started).date() for run in runs] or [date.today()]
    every = min(days), max(days)
    if st.session_state.get("runs-days") == st.session_state.get("runs-every-day"):
        st.session_state.pop("runs-days", None)  # no day was chosen, and there may be a new one
    st.session_state["runs-every-day"] = every
    here().name(
        "days",
        key="runs-days",
        usual=every,
        read=_read_days,
        write=lambda pair: [f"{pair[0]}..{pair[1]}"] if len(pair) == 2 else [],
    )
    between: Any = columns[-1].date_input("Started between", key="runs-days", format="YYYY-MM-DD")
    first, last = between if isinstance(between, tuple) and len(between) == 2 else (None, None)
    passing = [
        run
        for run, day in zip(runs, days, strict=False)
        if all(not values or getattr(run, name) in values for name, values in wanted.items())
        and (first is None or last is None or first <= day <= last)
    ]
    say(f"{len(passing)} of {len(runs)} runs")
    return passing


def _read_days(texts: Sequence[str]) -> tuple[date, date]:
    first, _, last = texts[-1].partition("..")
    return date.fromisoformat(first), date.fromisoformat(last)


def choose_runs(
    runs: Sequence[RecordedRun], server: mlflow_server.Server | None
) -> list[RecordedRun]:
    """Draw the table of runs; return the runs that are ticked."""
    import pandas as pd

    rows = pd.DataFrame(
        [
            {
                "started": datetime.fromtimestamp(run.started),
                "kind": run.kind,
                "dataset": run.dataset,
                "encoder": run.encoder,
                "nested R²": run.score,
                "status": run.outcome.lower(),
                **{
                    said: run.params.get(name, "").replace("None", "")
                    for name, said in _SETTINGS.items()
                },
                "min": (run.ended - run.started) / 60,
                "of sweep": run.parent[:8],
                "MLflow": server.link(run) if server else "",
            }
            for run in runs
        ]
    )
    empty = [name for name in (*_SETTINGS.values(), "of sweep", "MLflow") if not rows[name].any()]
    before = here().value("run")
    drawn = st.session_state.setdefault("runs-drawn", 0)
    if here().given is not None:  # an address, or "back", makes another table
        drawn = st.session_state["runs-drawn"] = drawn + 1
    ticked_rows = [number for number, run in enumerate(runs) if run.id in before]
    event: Any = show_table(
        rows.drop(columns=empty).style.map(_colour, subset=["status"]),
        width="stretch",
        on_select="rerun",
        selection_mode="multi-row",
        # Ticks are row numbers. A table of other runs has another key, and keeps the ticked runs.
        key=f"runs-{drawn}-{hash(tuple(run.id for run in runs))}",
        selection_default={"selection": {"rows": ticked_rows, "columns": [], "cells": []}},
        column_config={
            "started": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "nested R²": st.column_config.NumberColumn(
                format="%.3f",
                help="The mean over targets: each training fold chooses its own layer.",
            ),
            "min": st.column_config.NumberColumn(format="%.1f"),
            "status": st.column_config.TextColumn(
                help="As MLflow recorded it. Killed: the process ended before the run. Incomplete: "
                "it finished, but some recordings could not be used; tick it to see which."
            ),
            "MLflow": st.column_config.LinkColumn(display_text="open"),
        },
    )
    ticked = [runs[number] for number in event["selection"]["rows"] if number < len(runs)]
    here().keep("run", [run.id for run in ticked])
    # Streamlit's table has no keys that tick a row: this list does the same.
    names = {run.id: _name(run) for run in runs}
    st.session_state[_TICKED] = [run.id for run in ticked]
    st.multiselect(
        "Ticked runs",
        list(names),
        key=_TICKED,
        format_func=names.__getitem__,
        placeholder="none",
        on_change=_tick,
    )
    if len(ticked) > 2:
        st.caption("Two runs are compared: the first two of the ticked ones.")
    return ticked


def _name(run: RecordedRun) -> str:
    when = datetime.fromtimestamp(run.started)
    return f"{when:%Y-%m-%d %H:%M} {run.kind} {run.dataset} {run.encoder} ({run.id[:8]})"


def _tick() -> None:
    """Tick what the list below the table says; the table is drawn anew with it."""
    here().keep("run", st.session_state[_TICKED])
    st.session_state["runs-drawn"] += 1


def _colour(status: object) -> str:
    return _YELLOW if status == "incomplete" else ""
