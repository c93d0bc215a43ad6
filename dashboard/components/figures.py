"""Figures of a discovery and of recommendations, as Plotly objects."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from mess.probing.statistics import SIGNIFICANT
from mess.targets import ALL_TARGETS

GREY = "#e4e4e2"  # of cells that may be chance
SCALE = "RdBu"  # diverging, and told apart by the colour-blind
PALETTE = (  # Okabe and Ito's, for categories
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#999999",
    "#332288",
    "#882255",
)


def heatmap(record: Mapping[str, Any], *, grey: bool = False) -> go.Figure:
    """Draw R² of every layer × target on a scale around 0, with the value in each cell.

    A layer of invisible markers over the cells takes the clicks, which Streamlit does not report
    for a heatmap: a click's ``customdata`` is (layer, target).

    Parameters
    ----------
    record : mapping
        A discovery as `Store.read_discovery` returns it.
    grey : bool
        Take the colour from cells that are not significant over all cells.
    """
    names, targets = record["layer_names"], record["target_names"]
    r2 = np.full((len(targets), len(names)), np.nan)
    shown, hover = r2.copy(), np.full(r2.shape, "", dtype=object)
    for cell in record["cells"]:
        place = targets.index(cell["target"]), cell["layer"]
        hover[place] = _cell_text(cell, names[cell["layer"]])
        if cell["r2"] is not None:
            r2[place] = cell["r2"]
            chance = (cell.get("p_family") or 0.0) > SIGNIFICANT
            shown[place] = np.nan if grey and chance else cell["r2"]
    columns, rows = np.meshgrid(np.arange(len(names)), np.arange(len(targets)))
    figure = go.Figure(
        [
            go.Heatmap(
                z=shown,
                zmin=-1,
                zmax=1,
                zmid=0,
                colorscale=SCALE,
                xgap=1,
                ygap=1,
                colorbar={"title": "R²", "thickness": 12},
                hoverinfo="skip",
                hoverongaps=False,
            ),
            go.Scatter(
                x=columns.ravel(),
                y=rows.ravel(),
                mode="markers",
                marker={"symbol": "square", "size": 22, "opacity": 0},
                customdata=[
                    (int(layer), targets[target])
                    for layer, target in zip(columns.ravel(), rows.ravel(), strict=True)
                ],
                text=hover.ravel(),
                hovertemplate="%{text}<extra></extra>",
                showlegend=False,
            ),
        ]
    )
    labels = [str(number) if name == str(number) else name for number, name in enumerate(names)]
    figure.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(names))),
        ticktext=labels,
        title="layer",
        showgrid=False,
        zeroline=False,
        range=[-0.5, len(names) - 0.5],
    )
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(targets))),
        ticktext=targets,
        showgrid=False,
        zeroline=False,
        range=[len(targets) - 0.5, -0.5],
    )
    for boundary in _family_boundaries(targets):
        figure.add_hline(y=boundary - 0.5, line={"color": "#444", "width": 1.5})
    figure.update_layout(
        height=90 + 30 * len(targets),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        clickmode="event+select",
        dragmode=False,
        plot_bgcolor=GREY,
        annotations=[  # a heatmap itself writes nothing into a gap
            {
                "x": column,
                "y": row,
                "text": two_decimals(value),
                "showarrow": False,
                "font": {"size": 11, "color": _ink(float(shown[row, column]))},
            }
            for (row, column), value in np.ndenumerate(r2)
        ],
    )
    return figure


def _ink(value: float) -> str:
    """Return the colour of a number that is read on its cell's colour."""
    if np.isnan(value):
        return "#666"
    return "#fff" if abs(value) > 0.6 else "#222"


def _cell_text(cell: Mapping[str, Any], name: str) -> str:
    """Return what a cell says when the pointer rests on it."""
    lines = [cell["target"], f"layer {cell['layer']} ({escape(name)})"]
    if cell["r2"] is None:
        return "<br>".join([*lines, "R² undefined"])
    lines.append(f"R² {cell['r2']:.3f}, 95 % {interval(cell)}")
    if cell.get("p_family") is not None:
        lines.append(f"p {cell['p']:.3g}, family-wise {cell['p_family']:.3g}, q {cell['q']:.3g}")
        lines.append(f"selectivity {cell['selectivity']:.3f}")
    return "<br>".join(lines)


def interval(cell: Mapping[str, Any]) -> str:
    """Return the 95 % interval of a cell or a combined probe as text."""
    return f"[{two_decimals(cell.get('low'))}, {two_decimals(cell.get('high'))}]"


def _family_boundaries(targets: Sequence[str]) -> list[int]:
    """Return the positions at which a new family of targets begins."""
    families = [ALL_TARGETS[target].family if target in ALL_TARGETS else "" for target in targets]
    sizes = [len(list(group)) for _, group in groupby(families)]
    return np.cumsum(sizes)[:-1].tolist()


def predicted_against_true(
    rows: pd.DataFrame, *, target: str, unit: str, labels: Mapping[str, str]
) -> go.Figure:
    """Draw out-of-fold predictions of one cell, coloured by fold, with the line of equality.

    Parameters
    ----------
    rows : DataFrame
        Columns track, segment, fold, true, predicted.
    target, unit : str
        For the axes.
    labels : mapping of str to str
        A track's name, by id.
    """
    figure = go.Figure()
    for fold, part in rows.groupby("fold", sort=True, observed=True):
        number = int(str(fold))
        figure.add_scatter(
            x=part["true"],
            y=part["predicted"],
            mode="markers",
            name=f"fold {number + 1}",
            marker={"color": PALETTE[number % len(PALETTE)], "size": 8, "opacity": 0.8},
            customdata=part["track"].astype(str),
            text=[
                escape(labels.get(track, track)) + (f", segment {segment}" if segment >= 0 else "")
                for track, segment in zip(part["track"], part["segment"], strict=True)
            ],
            hovertemplate="%{text}<br>true %{x:.4g}<br>predicted %{y:.4g}<extra></extra>",
        )
    low = float(min(rows["true"].min(), rows["predicted"].min()))
    high = float(max(rows["true"].max(), rows["predicted"].max()))
    figure.add_scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        line={"color": "#888", "dash": "dot"},
        name="predicted = true",
        hoverinfo="skip",
    )
    suffix = f" ({unit})" if unit else ""
    figure.update_xaxes(title=f"true {target}{suffix}")
    figure.update_yaxes(title=f"predicted{suffix}, by a probe that never saw the work")
    figure.update_layout(height=430, margin={"l": 10, "r": 10, "t": 10, "b": 10})
    return figure


def score_shares(contributions: Mapping[str, float], *, colours: Mapping[str, str]) -> go.Figure:
    """Draw how much each aspect adds to a score, as one stacked bar.

    Parameters
    ----------
    contributions : mapping of str to float
        Parts that add up to the score.
    colours : mapping of str to str
        One for each aspect, the same in every bar.
    """
    figure = go.Figure()
    for aspect, part in contributions.items():
        figure.add_bar(
            x=[part],
            y=[""],
            orientation="h",
            name=aspect,
            marker_color=colours[aspect],
            hovertemplate=f"{aspect}: %{{x:.3f}}<extra></extra>",
        )
    reach = max(1.0, sum(abs(part) for part in contributions.values()))
    figure.update_xaxes(
        range=[-reach, reach], zeroline=True, zerolinecolor="#888", showticklabels=False, ticks=""
    )
    figure.update_yaxes(visible=False)
    figure.update_layout(
        barmode="relative",
        height=36,
        margin={"l": 4, "r": 4, "t": 2, "b": 2},
        showlegend=False,
    )
    return figure


def aspect_colours(aspects: Sequence[str]) -> dict[str, str]:
    """Give every aspect a colour of its own."""
    return {name: PALETTE[number % len(PALETTE)] for number, name in enumerate(aspects)}


def two_decimals(value: float | None) -> str:
    """Return a number with two decimals, a dash where it is undefined, and never "-0.00"."""
    if value is None or np.isnan(value):
        return "–"
    return f"{round(value, 2) + 0.0:.2f}"


def escape(text: str) -> str:
    """Return a name as plain text for a Plotly label, which would read tags in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
