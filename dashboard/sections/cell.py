"""One cell of a discovery: its numbers, predicted against true, and each point to hear."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import readers
from dashboard.address.controls import here
from dashboard.address.picked import as_text
from dashboard.components.table import show_table
from dashboard.components.text import plain
from dashboard.figures.cell import predicted_against_true, residuals
from dashboard.figures.names import about, layer_labels
from dashboard.figures.style import cell_interval, significance
from dashboard.readers import row_name
from dashboard.sections.selection import play_row
from mess.as_text import two_decimals, with_interval
from mess.probing.remarks import remarks
from mess.probing.results import Cell
from mess.records.discovery import DiscoveryRecord
from mess.targets import title_of, unit_of

if TYPE_CHECKING:
    import pandas as pd

_LISTED = 300  # rows in the list, the worst predicted first
_FIGURES = {"predicted against true": predicted_against_true, "residuals": residuals}


def show_cell(
    record: DiscoveryRecord,
    predictions: "pd.DataFrame | None",
    tracks: dict[str, readers.TrackInfo],
    *,
    layer: int,
    target: str,
) -> None:
    """Show a cell.

    Parameters
    ----------
    record : DiscoveryRecord
    predictions : DataFrame or None
        All out-of-fold predictions of it; None while they are not read.
    tracks : dict of str to TrackInfo
        By id.
    layer : int
    target : str
    """
    st.header(f"{title_of(target)}, layer {layer_labels(record)[layer]}")
    cell = record.cell(layer, target)
    if cell is None:
        st.info("This target was not probed.")
        return
    st.markdown(plain(about(target)))
    _scores(cell)
    if predictions is None:
        return
    chosen = (predictions["layer"] == layer) & (predictions["target"] == target)
    rows = predictions[chosen].reset_index(drop=True)
    if rows.empty:
        st.info("This target is undefined on too many tracks to be probed.")
        return
    sound = st.container()  # above the figure, whose clicks it follows
    clicked = _draw(rows, tracks, target=target, cell=cell)
    with sound:
        _listen(record, rows, tracks, clicked=clicked)
    _numbers(cell, target)
    table = st.expander("Predictions as a table", key="cell-table", on_change="rerun")
    if not table.open:
        return
    with table:
        named = rows.drop(columns=["layer", "target"])
        named.insert(0, "name", [row_name(tracks, track) for track in rows["track"]])
        show_table(named, width="stretch")


def _draw(
    rows: "pd.DataFrame", tracks: dict[str, readers.TrackInfo], *, target: str, cell: Cell
) -> tuple[str, int] | None:
    """Draw the figure that was chosen; return the track and segment that were clicked."""
    usual, *_ = _FIGURES
    here().choose("figure", list(_FIGURES), key="cell-figure", usual=usual)
    chosen = st.segmented_control(
        "Figure",
        list(_FIGURES),
        key="cell-figure",
        required=True,
        label_visibility="collapsed",
    )
    kind = chosen or usual
    labels = {track: row_name(tracks, track) for track in rows["track"].astype(str).unique()}
    event: Any = st.plotly_chart(
        _FIGURES[kind](rows, target=title_of(target), unit=unit_of(target), labels=labels),
        on_select="rerun",
        selection_mode="points",
        key=f"cell-{kind}-{target}-{cell.layer}",
        config={"displaylogo": False},
        alt=f"Scatter plot of {len(rows)} rows, {kind}: R² {two_decimals(cell.r2)}, "
        f"Spearman {two_decimals(cell.spearman)}. The table below has every point.",
    )
    st.caption(
        "Click a point to hear it, or choose it above. Every prediction is by a probe that never "
        "saw the work."
    )
    points = event["selection"]["points"]
    if not points or "customdata" not in points[0]:
        return None
    track, segment = points[0]["customdata"][:2]
    return str(track), int(segment)


def _scores(cell: Cell) -> None:
    scores = {
        "R²": with_interval(cell.r2, cell.low, cell.high),
        "Spearman": two_decimals(cell.spearman),
        "n": str(cell.n),
    }
    st.markdown(" · ".join(f"{name} **{plain(value)}**" for name, value in scores.items()))


def _numbers(cell: Cell, target: str) -> None:
    lines = []
    if cell.low is not None:
        lines.append(
            f"95 % interval of R² {cell_interval(cell)} (bootstrap over {cell.works} works)"
        )
    if words := significance(cell):
        lines.append(words)
    if cell.rmse is not None:
        lines.append(f"RMSE {cell.rmse:.4g} {unit_of(target)}".rstrip())
    lines.append("R² within each fold: " + ", ".join(two_decimals(v) for v in cell.fold_r2))
    penalties = ", ".join(f"{alpha:g}" for alpha in sorted(set(cell.alpha)))
    lines.append(f"Penalty of each fold: {penalties}")
    for remark in remarks(cell):
        st.info(f"{remark[0].upper()}{remark[1:]}.")
    st.caption("  \n".join(lines))


def _listen(
    record: DiscoveryRecord,
    rows: "pd.DataFrame",
    tracks: dict[str, readers.TrackInfo],
    *,
    clicked: tuple[str, int] | None,
) -> None:
    """Play the row that was clicked, or one of the list, the worst predicted first."""
    error = (rows["predicted"] - rows["true"]).abs().sort_values(ascending=False)
    worst = rows.loc[error.index, ["track", "segment"]]
    every = [(str(t), int(s)) for t, s in zip(worst["track"], worst["segment"], strict=True)]
    if clicked and clicked != st.session_state.get("cell-heard"):
        st.session_state["cell-sound"] = clicked
    st.session_state["cell-heard"] = clicked
    if st.session_state.get("cell-sound") == st.session_state.get("cell-first"):
        st.session_state.pop("cell-sound", None)  # nobody chose it: of this cell it is another one
    st.session_state["cell-first"] = every[0]
    here().choose("heard", every, key="cell-sound", usual=every[0], text=as_text)
    options = every[:_LISTED]
    if (chosen := st.session_state["cell-sound"]) not in options:
        options.insert(0, chosen)
    track, segment = st.selectbox(
        "Listen (worst predicted first)",
        options,
        format_func=lambda row: row_name(tracks, *row),
        key="cell-sound",
    )
    row = rows[(rows["track"] == track) & (rows["segment"] == segment)].iloc[0]
    st.markdown(f"**{plain(row_name(tracks, track, segment))}**")
    st.caption(f"true {row['true']:.4g}, predicted {row['predicted']:.4g}, fold {row['fold'] + 1}")
    play_row(
        tracks,
        track,
        segment,
        dataset=record.dataset,
        encoder=record.encoder,
        key="cell-player",
    )
