"""The map of a dataset: a point for each track or segment, drawn by the graphics card."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures.style import PALETTE, escape

_REST = "#999999"
_COLOURS = [colour for colour in PALETTE if colour != _REST]  # grey means "none of these"
_NAMED = len(_COLOURS)
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")
_SHAPED = 3000  # points; up to this number, categories also differ in shape


def map_figure(
    points: NDArray[np.float32],
    names: Sequence[str],
    colours: Sequence[str] | NDArray[np.float64],
    *,
    title: str,
    mouse: str = "lasso",
) -> go.Figure:
    """Draw points in the colours of categories or of a number.

    Each of the nine largest categories has a colour. All others, and unknown values, are grey. The
    ``customdata`` of a point is its row.

    Parameters
    ----------
    points : ndarray [shape=(n, 2)]
    names : sequence of str, length n
        What a point says when the pointer rests on it.
    colours : sequence of str, or ndarray of float, length n
        Categories, or numbers (NaN where unknown).
    title : str
        What the colours mean.
    mouse : {"lasso", "select", "pan"}
        What dragging does. Streamlit reports clicks on points with "pan" only.
    """
    figure = go.Figure()
    size = 8 if len(points) <= 1000 else 5 if len(points) <= 10_000 else 3
    shown = np.array([escape(name) for name in names], dtype=object)
    if isinstance(colours, np.ndarray):
        known = np.isfinite(colours)
        marker: dict[str, Any] = {
            "color": colours[known].astype(np.float32),
            "colorscale": "Viridis",
            "colorbar": {"title": {"text": escape(title), "side": "right"}, "thickness": 12}
            | {"y": 0.46, "len": 0.92},
        }
        lacking = np.flatnonzero(~known)
        if len(lacking):
            _add(figure, points, shown, lacking, name="unknown", size=size, color=_REST)
        _add(figure, points, shown, np.flatnonzero(known), name=title, size=size, **marker)
        figure.update_layout(showlegend=False)
    else:
        for number, (name, rows) in enumerate(categories(colours).items()):
            colour = _COLOURS[number] if number < _NAMED else _REST
            shape = _SYMBOLS[number % len(_SYMBOLS)] if len(points) <= _SHAPED else "circle"
            _add(figure, points, shown, rows, name=name, size=size, color=colour, symbol=shape)
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(showgrid=False, zeroline=False, showticklabels=False, ticks="", title="")
    figure.update_yaxes(scaleanchor="x", scaleratio=1)
    figure.update_layout(
        height=560,
        margin={"l": 0, "r": 0, "t": 10, "b": 0},
        dragmode=mouse,
        hovermode="closest",
        clickmode="event+select",
        legend={"orientation": "h", "y": -0.02, "yanchor": "top", "itemsizing": "constant"},
        uirevision="map",  # another colour keeps the part of the map that is in view
    )
    return figure


def categories(values: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Return the rows of the largest categories, by size, and of all others together."""
    counts = Counter(values)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    if len(ranked) <= _NAMED + 1:
        named, rest = ranked, []
    else:
        named, rest = ranked[:_NAMED], ranked[_NAMED:]
    rows = np.array(values, dtype=object)
    found = {name or "unknown": np.flatnonzero(rows == name) for name in named}
    if rest:
        found[f"{len(rest)} others"] = np.flatnonzero(np.isin(rows.astype(str), rest))
    return found


def _add(
    figure: go.Figure,
    points: NDArray[np.float32],
    shown: NDArray[Any],
    rows: NDArray[np.int64],
    *,
    name: str,
    size: int,
    **marker: Any,
) -> None:
    figure.add_scattergl(
        x=points[rows, 0],
        y=points[rows, 1],
        mode="markers",
        name=escape(name),
        customdata=rows.astype(np.int32),
        text=shown[rows],
        hovertemplate="%{text}<extra></extra>",
        marker={"size": size, "opacity": 0.8, **marker},
        unselected={"marker": {"opacity": 0.15}},
    )
