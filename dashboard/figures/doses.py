"""Figures of an experiment with doses: the matrix of edits and targets, and one cell of it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import plotly.graph_objects as go

from dashboard.figures.grid import add_cells, label_axes, lay_out
from dashboard.figures.style import PALETTE, SCALE, escape
from mess.as_text import two_decimals
from mess.doses.words import is_side_effect, slope_text
from mess.records.dose import DoseCell, DoseEdit
from mess.targets import title_of

if TYPE_CHECKING:
    import pandas as pd

Value = Literal["slope", "predicted", "measured"]
VALUES: dict[Value, str] = {
    "slope": "slope",
    "predicted": "predicted change",
    "measured": "measured change",
}
_MEANT = "#111"


def dose_matrix(
    cells: Mapping[tuple[str, str], DoseCell],
    *,
    edits: Sequence[DoseEdit],
    targets: Sequence[str],
    value: Value,
) -> go.Figure:
    """Draw a number of every target × edit, with the number in each cell.

    A dot marks what an edit is meant to move, an exclamation mark a side effect. Invisible markers
    take the clicks; the ``customdata`` of a click is (edit, target).

    Parameters
    ----------
    cells : mapping of (str, str) to DoseCell
        By edit and target.
    edits : sequence of DoseEdit
    targets : sequence of str
        In the order of their families.
    value : str
        One of `VALUES`.
    """
    names = [edit.name for edit in edits]
    grid = lay_out(targets, layers=len(names))
    numbers = np.full((len(targets), len(names)), np.nan)
    written = np.full(numbers.shape, "", dtype=object)
    for row, target in enumerate(targets):
        for column, name in enumerate(names):
            cell = cells.get((name, target))
            if cell is None:
                continue
            found = _number(cell, value)
            numbers[row, column] = np.nan if found is None else found
            mark = "!" if value == "predicted" and is_side_effect(cell) else ""
            written[row, column] = two_decimals(found) + mark
    figure = go.Figure()
    scale: dict[str, Any] = {"zmin": 0, "zmax": 1.5, "colorscale": "Blues"}
    if value == "slope":
        scale = {"zmin": -1, "zmax": 1, "zmid": 0, "colorscale": SCALE}
    add_cells(figure, grid, numbers, written, showscale=False, **scale)
    _add_meant(figure, grid.columns, grid.rows, edits, targets, cells)
    places = [
        (row, column, cells[name, target])
        for row, target in enumerate(targets)
        for column, name in enumerate(names)
        if (name, target) in cells
    ]
    figure.add_scatter(
        x=[float(grid.columns[column]) for _, column, _ in places],
        y=[float(grid.rows[row]) for row, _, _ in places],
        mode="markers",
        marker={"symbol": "square", "size": 20, "opacity": 0},
        customdata=[[names[column], targets[row]] for row, column, _ in places],
        text=[_hover(cell) for _, _, cell in places],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    label_axes(figure, grid, columns=names, targets=targets)
    return figure


def changes_figure(
    rows: "pd.DataFrame", *, slope: float | None, target: str, labels: Mapping[str, str]
) -> go.Figure:
    """Draw the predicted against the measured change of every recording and dose.

    A point's ``customdata`` is (track, dose).

    Parameters
    ----------
    rows : DataFrame
        Columns track, dose, measured, predicted; changes in deviations.
    slope : float or None
        Of the line that is drawn.
    target : str
    labels : mapping of str to str
        A track's name, by id.
    """
    figure = go.Figure()
    for number, (dose, part) in enumerate(rows.groupby("dose", sort=True)):
        figure.add_scatter(
            x=part["measured"],
            y=part["predicted"],
            mode="markers",
            name=f"{dose:g}",
            marker={
                "color": PALETTE[number % len(PALETTE)],
                "symbol": number,
                "size": 8,
                "opacity": 0.8,
            },
            customdata=[[str(track), float(part["dose"].iloc[0])] for track in part["track"]],
            text=[
                f"{escape(labels.get(str(track), str(track)))}<br>measured {x:+.2f}, "
                f"predicted {y:+.2f}"
                for track, x, y in zip(
                    part["track"], part["measured"], part["predicted"], strict=True
                )
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    known = rows[np.isfinite(rows["measured"])]
    ends = [min(0.0, float(known["measured"].min())), max(0.0, float(known["measured"].max()))]
    _add_line(figure, ends, ends, name="follows (1)", dash="dot")
    if slope is not None:
        _add_line(figure, ends, [slope * end for end in ends], name=f"slope {slope:.2f}")
    figure.update_xaxes(title=f"measured change of {title_of(target)} (deviations)")
    figure.update_yaxes(title="predicted change")
    _lay_out(figure)
    return figure


def by_dose_figure(
    rows: "pd.DataFrame", edit: DoseEdit, *, track: str | None, labels: Mapping[str, str]
) -> go.Figure:
    """Draw the mean measured and predicted change by dose, and those of one recording.

    Parameters
    ----------
    rows : DataFrame
        As of `changes_figure`.
    edit : DoseEdit
    track : str or None
        The recording that is drawn, too.
    labels : mapping of str to str
    """
    import pandas as pd

    known = rows[np.isfinite(rows["measured"])]
    mean = known.groupby("dose")[["measured", "predicted"]].mean()
    own = known[known["track"] == track].set_index("dose")[["measured", "predicted"]]
    figure = go.Figure()
    for number, (of, name, dash) in enumerate(
        ((mean, "all recordings", "solid"), (own, labels.get(track or "", track or ""), "dot"))
    ):
        table = of
        if edit.neutral is not None and len(of):
            table = pd.concat([of, pd.DataFrame(0.0, index=[edit.neutral], columns=of.columns)])
        table = table.sort_index()
        for colour, column in zip(PALETTE, ("measured", "predicted"), strict=False):
            if len(table):
                figure.add_scatter(
                    x=table.index.tolist(),
                    y=table[column],
                    mode="lines+markers",
                    name=f"{column}, {escape(name)}",
                    line={"color": colour, "dash": dash, "width": 3 - 1.5 * number},
                    marker={"symbol": number, "size": 8},
                )
    title = f"{edit.name} ({edit.unit})" if edit.unit else edit.name
    figure.update_xaxes(title=title, tickmode="array", tickvals=sorted(mean.index.tolist()))
    figure.update_yaxes(title="change (deviations)", zeroline=True)
    _lay_out(figure)
    return figure


def _number(cell: DoseCell, value: Value) -> float | None:
    if value == "slope":
        return cell.response.slope
    return cell.response.predicted if value == "predicted" else cell.response.measured


def _hover(cell: DoseCell) -> str:
    response = cell.response
    return "<br>".join(
        [
            f"<b>{escape(title_of(cell.target))}</b> under {escape(cell.edit)}",
            f"slope {slope_text(cell)}",
            f"moved: predicted {response.predicted:.2f}, measured {response.measured:.2f}",
            f"{escape(cell.reading)}, layer {cell.layer}",
        ]
    )


def _add_meant(
    figure: go.Figure,
    columns: Any,
    rows: Any,
    edits: Sequence[DoseEdit],
    targets: Sequence[str],
    cells: Mapping[tuple[str, str], DoseCell],
) -> None:
    """Mark, in the lower right of their cells, the targets that an edit is meant to move."""
    places = [
        (float(columns[column]) + 0.4, float(rows[row]) + 0.28)
        for row, target in enumerate(targets)
        for column, edit in enumerate(edits)
        if target in edit.moves and (edit.name, target) in cells
    ]
    figure.add_scatter(
        x=[x for x, _ in places],
        y=[y for _, y in places],
        mode="markers",
        marker={
            "symbol": "circle",
            "size": 6,
            "color": _MEANT,
            "line": {"color": "#fff", "width": 1},
            "opacity": 1,  # a click on a cell does not fade it
        },
        hoverinfo="skip",
        showlegend=False,
    )


def _add_line(
    figure: go.Figure, x: list[float], y: list[float], *, name: str, dash: str = "solid"
) -> None:
    figure.add_scatter(
        x=x, y=y, mode="lines", line={"color": "#888", "dash": dash}, name=name, hoverinfo="skip"
    )


def _lay_out(figure: go.Figure) -> None:
    figure.update_layout(
        height=400,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        clickmode="event+select",
        hovermode="closest",
        legend={"orientation": "h", "y": -0.2, "yanchor": "top"},
    )
