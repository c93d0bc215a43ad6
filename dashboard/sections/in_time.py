"""What a layer tells through time: the readings of each target, and the curves."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.components.heatmap import draw_heatmap
from dashboard.components.table import show_table
from dashboard.components.text import plain
from dashboard.figures.evaluation import matrix_heat
from dashboard.figures.names import layer_labels
from mess.as_text import as_words, interval, two_decimals
from mess.curves.registry import CURVES
from mess.probing.in_time import CurveCell
from mess.records.discovery import DiscoveryRecord
from mess.records.in_time import InTimeRecord
from mess.targets import title_of

if TYPE_CHECKING:
    import pandas as pd


def show_in_time(record: DiscoveryRecord) -> None:
    """Show the reading that folds chose for each target, and how each layer tells curves."""
    if record.in_time is None:
        st.info("Curves are probed with whole tracks: choose them above, or probe again.")
        return
    st.header("Readings")
    st.caption(
        "A target can be read from the mean of a layer over time, from the mean with the least and "
        "the greatest segment, or through time: from the curve that the layer predicts for each "
        "half second. All R² are nested. *Chosen* is what each training fold chose among all "
        "layers and readings."
    )
    show_table(readings_table(record.in_time), width="stretch")
    st.caption(plain(tempo_line(record.in_time)))
    st.header("Curves")
    if record.in_time.why:
        st.info(plain(f"No curves: {record.in_time.why}"))
        return
    labels = layer_labels(record)
    by_layer: dict[str, dict[str, float | None]] = {}
    for cell in record.in_time.cells:
        by_layer.setdefault(f"layer {labels[cell.layer]}", {})[as_words(cell.curve)] = cell.r2
    draw_heatmap(
        matrix_heat(by_layer, corner="curve"),
        caption="R² of each layer for each curve, over all half seconds of works it never saw.",
        key="curves",
    )
    show_table(curves_table(record.in_time, labels), width="stretch")


def tempo_line(found: InTimeRecord) -> str:
    """Return how often the tempo is right that is read through time."""
    if found.tempo is None:
        return f"No tempo through time: {found.no_frames or 'no recording has one'}"
    random = found.control_tempo
    beside = (
        ""
        if random is None
        else f" Random weights: {random.accuracy_1:.2f}, {random.accuracy_2:.2f}."
    )
    return (
        f"Tempo, from the onset strength that every hidden state predicts: within 4 % of the "
        f"measured tempo for {found.tempo.accuracy_1:.0%} of {found.tempo.recordings} recordings "
        f"(accuracy 1), for {found.tempo.accuracy_2:.0%} if octaves count as equal (accuracy 2)."
        f"{beside}"
    )


def readings_table(found: InTimeRecord) -> "pd.DataFrame":
    """Return a row for each target: R² by reading, and what the folds chose."""
    import pandas as pd

    control = found.control or {}
    rows = []
    for target in found.readings:
        by = {name: two_decimals(reading.r2) for name, reading in target.by.items()}
        usual = target.usual
        rows.append(
            {
                "target": title_of(target.target),
                "mean": by.get("mean", "–"),
                "mean and extremes": by.get("mean and extremes", "–"),
                "through time": by.get("through time", "–"),
                "chosen": two_decimals(target.r2),
                "random weights": two_decimals(control.get(target.target)),
                "usual reading": f"{usual} ({target.by[usual].share:.0%} of the folds)"
                if usual
                else "–",
            }
        )
    return pd.DataFrame(rows)


def curves_table(found: InTimeRecord, labels: list[str]) -> "pd.DataFrame":
    """Return a row for each curve: its nested scores, and its best layer with interval and p."""
    import pandas as pd

    rows = []
    for summary in found.summaries:
        cells = [cell for cell in found.cells if cell.curve == summary.curve]
        best = max(cells, key=_r2)
        rows.append(
            {
                "curve": as_words(summary.curve),
                "unit": CURVES[summary.curve].unit,
                "nested R²": two_decimals(summary.r2),
                "within tracks": two_decimals(summary.within),
                "r within tracks": two_decimals(summary.correlation),
                "best layer": labels[best.layer],
                "R²": two_decimals(best.r2),
                "95 %": interval(best.low, best.high),
                "p (family-wise)": two_decimals(best.p_family),
            }
        )
    return pd.DataFrame(rows)


def _r2(cell: CurveCell) -> float:
    return float("-inf") if cell.r2 is None else cell.r2
