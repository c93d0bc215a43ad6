"""Figures of one cell of a discovery: what its probe predicts of tracks that it never saw."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from dashboard.figures.style import PALETTE, escape

if TYPE_CHECKING:
    import pandas as pd

_SYMBOLS = ("circle", "square", "diamond", "cross", "x")
_MANY = 3000  # points; from this number on, the graphics card draws them


def predicted_against_true(
    rows: "pd.DataFrame", *, target: str, unit: str, labels: Mapping[str, str]
) -> go.Figure:
    """Draw out-of-fold predictions of one cell, with the line of equality.

    A point's ``customdata`` is (track, segment).

    Parameters
    ----------
    rows : DataFrame
        Columns track, segment, fold, true, predicted.
    target, unit : str
        For the axes.
    labels : mapping of str to str
        A track's name, by id.
    """
    low = float(min(rows["true"].min(), rows["predicted"].min()))
    high = float(max(rows["true"].max(), rows["predicted"].max()))
    figure = _by_fold(rows, rows["predicted"], labels=labels)
    _add_line(figure, [low, high], [low, high], name="predicted = true")
    suffix = f" ({unit})" if unit else ""
    figure.update_xaxes(title=f"true {target}{suffix}")
    figure.update_yaxes(title=f"predicted{suffix}")
    return figure


def residuals(
    rows: "pd.DataFrame", *, target: str, unit: str, labels: Mapping[str, str]
) -> go.Figure:
    """Draw how far each prediction of one cell lies from the truth, against the prediction.

    Parameters are those of `predicted_against_true`.
    """
    ends = [float(rows["predicted"].min()), float(rows["predicted"].max())]
    figure = _by_fold(rows, rows["true"] - rows["predicted"], labels=labels, x="predicted")
    _add_line(figure, ends, [0.0, 0.0], name="no error")
    suffix = f" ({unit})" if unit else ""
    figure.update_xaxes(title=f"predicted {target}{suffix}")
    figure.update_yaxes(title=f"true − predicted{suffix}")
    return figure


def _by_fold(
    rows: "pd.DataFrame", y: "pd.Series[Any]", *, labels: Mapping[str, str], x: str = "true"
) -> go.Figure:
    """Draw a point for each row. Folds differ in colour and in shape."""
    figure = go.Figure()
    draw = go.Scattergl if len(rows) > _MANY else go.Scatter
    for fold, part in rows.groupby("fold", sort=True, observed=True):
        number = int(str(fold))
        figure.add_trace(
            draw(
                x=part[x].to_numpy(),
                y=y[part.index].to_numpy(),
                mode="markers",
                name=f"fold {number + 1}",
                marker={
                    "color": PALETTE[number % len(PALETTE)],
                    "symbol": _SYMBOLS[number % len(_SYMBOLS)],
                    "size": 8 if len(rows) <= _MANY else 4,
                    "opacity": 0.8,
                },
                customdata=[
                    [str(track), int(segment)]
                    for track, segment in zip(part["track"], part["segment"], strict=True)
                ],
                text=[
                    _point_text(labels.get(str(row.track), str(row.track)), row)
                    for row in part.itertuples()
                ],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    figure.update_layout(
        height=430,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        clickmode="event+select",
        hovermode="closest",
        legend={"orientation": "h", "y": -0.24, "yanchor": "top"},
    )
    return figure


def _point_text(label: str, row: Any) -> str:
    name = escape(label) + (f", segment {row.segment}" if row.segment >= 0 else "")
    return f"{name}<br>true {row.true:.4g}, predicted {row.predicted:.4g}"


def _add_line(figure: go.Figure, x: list[float], y: list[float], *, name: str) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": "#888", "dash": "dot"},
        name=name,
        hoverinfo="skip",
    )
