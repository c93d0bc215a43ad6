"""The heatmap of a discovery, and the cell that is chosen in it."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dashboard import readers
from dashboard.components.figure_buttons import figure_buttons
from dashboard.figures.grid import layer_labels
from dashboard.figures.layers import BESIDE, VALUES, Value, describe_heatmap, heatmap
from dashboard.sections.cell import show_cell
from dashboard.sections.wide import wide
from mess.encoders import encoder_slug
from mess.probing.statistics import SIGNIFICANT
from mess.records.discovery import DiscoveryRecord, Level

_WHAT: dict[Value, str] = {
    "r2": "R²: 1 is perfect, 0 no better than the mean, below 0 worse.",
    "spearman": "Spearman's rank correlation of predicted and true.",
    "p_family": "−log₁₀ of the family-wise p: 1.3 and more is significant, 3 is one in a thousand.",
}


@st.cache_resource(max_entries=12, show_spinner=False)
def _figure(
    dataset: str, encoder: str, level: Level, version: float, value: Value, grey: bool
) -> tuple[go.Figure, str]:
    record = readers.discovery(dataset, encoder, level=level)
    return heatmap(record, value=value, grey=grey), describe_heatmap(record, value=value)


def show_heatmap(record: DiscoveryRecord, tracks: dict[str, readers.TrackInfo]) -> None:
    """Show the heatmap of a discovery and the cell that was clicked."""
    settings = record.settings
    dataset, encoder, level = record.dataset, record.encoder, settings.level
    place = f"{dataset}-{encoder_slug(encoder)}-{level}"
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    values = [one for one in VALUES if settings.permutations or one in ("r2", "spearman")]
    value = left.segmented_control(
        "Number in each cell",
        values,
        default="r2",
        format_func=VALUES.__getitem__,
        key="heatmap-value",
        required=True,
    )
    grey = False
    if settings.permutations and value != "p_family":
        grey = right.toggle(
            "Grey what may be chance",
            value=True,
            key="grey",
            help=f"Cells whose R² the best cell of {settings.permutations} shuffles of works "
            f"reaches more often than in {SIGNIFICANT:.0%} (family-wise, max-T).",
        )
    version = readers.store().discoveries.modified(dataset, encoder, level)
    figure, words = _figure(dataset, encoder, level, version, value, grey)
    event: Any = wide("heatmap").plotly_chart(
        figure,
        on_select="rerun",
        selection_mode="points",
        key=f"heatmap-{place}",
        config={"displaylogo": False, "modeBarButtons": [["toImage"]]},
        alt=words,
    )
    st.caption(
        f"{_WHAT[value]} ◆ best layer by R², ● within one standard error of it; "
        f"neither where no layer tells more than the mean. {words} "
        "Click a cell, or choose it below."
    )
    figure_buttons(f"heatmap-{place}", file_name=f"{place}-{value}", key="heatmap-buttons")
    layer, target = _choose_cell(record, event["selection"]["points"], place=place)
    predictions = readers.predictions(dataset, encoder, level=level)
    show_cell(record, predictions, tracks, layer=layer, target=target)


def _choose_cell(record: DiscoveryRecord, points: list[Any], *, place: str) -> tuple[int, str]:
    """Return the cell that was clicked last, or chosen in the lists, at first the best."""
    clicked = (place, *points[0]["customdata"][:3]) if points else None
    fresh = clicked != st.session_state.get("cell-clicked")
    st.session_state["cell-clicked"] = clicked
    if st.session_state.get("cell-place") != place:
        best = max(record.cells, key=lambda one: -np.inf if one.r2 is None else one.r2)
        _set(best.layer, best.target)
        st.session_state["cell-place"] = place
    if fresh and clicked:
        if clicked[1] == BESIDE:
            st.info(f"{clicked[3]}: a baseline; its single predictions are not kept.")
        else:
            _set(int(clicked[1]), str(clicked[2]))
    first, second = st.columns(2)
    target = first.selectbox("Target", record.target_names, key="cell-target")
    labels = layer_labels(record)
    layer = second.selectbox(
        "Layer", range(len(labels)), format_func=labels.__getitem__, key="cell-layer"
    )
    return layer, target


def wish_for_cell(dataset: str, encoder: str, *, layer: int, target: str) -> None:
    """Make the page Layer discovery show a cell of whole tracks when it is opened next."""
    st.session_state["cell-place"] = f"{dataset}-{encoder_slug(encoder)}-track"
    if st.session_state.get("level") == "segment":
        st.session_state["level"] = "track"
    _set(layer, target)
    st.session_state["cell-wished"] = True


def takes_wish() -> bool:
    """Tell, once, whether a cell was wished for."""
    return bool(st.session_state.pop("cell-wished", False))


def _set(layer: int, target: str) -> None:
    st.session_state["cell-layer"], st.session_state["cell-target"] = layer, target
