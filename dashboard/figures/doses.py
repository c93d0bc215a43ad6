"""Figures of an experiment with doses: the matrix of edits and targets, and one cell of it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import plotly.graph_objects as go

from dashboard.figures.heat import ColourScale, HeatCell, HeatRow, HeatTable, furthest
from dashboard.figures.names import about, family_of
from dashboard.figures.style import PALETTE, escape
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
MEANT, SIDE = "●", "!"
_NONE: dict[Value, str] = {
    "slope": "the edit hardly moves it",
    "predicted": "not known",
    "measured": "not known",
}


def dose_heat(
    cells: Mapping[tuple[str, str], DoseCell],
    *,
    edits: Sequence[DoseEdit],
    targets: Sequence[str],
    value: Value,
) -> HeatTable:
    """Return a row for each target and a column for each edit; a cell chooses (edit, target).

    A dot marks what an edit is meant to move, an exclamation mark a side effect.

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
    scale = ColourScale(title=VALUES[value], grey=_NONE[value])
    if value != "slope":
        scale = ColourScale(title=VALUES[value], low=0.0, high=1.5, reach=1.5, grey=_NONE[value])
    rows = []
    for target in targets:
        found = [cells.get((edit.name, target)) for edit in edits]
        numbers = [None if one is None else _number(one, value) for one in found]
        place = furthest(
            [None if one is None else n or 0.0 for one, n in zip(found, numbers, strict=True)]
        )
        rows.append(
            HeatRow(
                label=title_of(target),
                about=about(target),
                family=family_of(target),
                cells=[
                    _cell(one, edit, target=target, value=value, scale=scale)
                    for one, edit in zip(found, edits, strict=True)
                ],
                strongest=place,
                strongest_said=f"{edits[place].name}: {two_decimals(numbers[place])}",
            )
        )
    return HeatTable(rows=rows, columns=[edit.name for edit in edits], corner="edit", scale=scale)


def _cell(
    cell: DoseCell | None, edit: DoseEdit, *, target: str, value: Value, scale: ColourScale
) -> HeatCell:
    if cell is None:
        colour, ink = scale.colours(None)
        unknown = f"{title_of(target)} under {edit.name}: not known"
        return HeatCell(colour=colour, ink=ink, said=unknown)
    number = _number(cell, value)
    colour, ink = scale.colours(number)
    meant = target in edit.moves
    side = value == "predicted" and is_side_effect(cell)
    response = cell.response
    said = [
        f"{title_of(target)} under {edit.name}",
        *[f"{VALUES[value]} {two_decimals(number)}"] * (value != "slope"),
        f"slope {slope_text(cell)}",
        f"moved: predicted {response.predicted:.2f}, measured {response.measured:.2f}",
        f"{cell.reading}, layer {cell.layer}",
        *["the edit is meant to move it"] * meant,
        *["a side effect"] * side,
    ]
    return HeatCell(
        choice=(edit.name, target),
        colour=colour,
        ink=ink,
        text=two_decimals(number) + SIDE * side,
        mark=MEANT * meant,
        said=", ".join(said),
    )


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
    figure.update_xaxes(title="measured change (deviations)")
    figure.update_yaxes(title="predicted change (deviations)")
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
