"""A discovery target by target: how R² changes from layer to layer."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.figures.grid import layer_labels
from dashboard.figures.layers import cell_text
from dashboard.figures.style import PALETTE, escape
from mess.records.discovery import DiscoveryRecord
from mess.targets import title_of

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_LOWEST = -0.6  # R² below this is cut off


def layer_lines(record: DiscoveryRecord, targets: Sequence[str]) -> go.Figure:
    """Draw R² of some targets from layer to layer, each within its 95 % interval.

    Parameters
    ----------
    record : DiscoveryRecord
    targets : sequence of str
        Which to draw.
    """
    names, labels = record.layer_names, layer_labels(record)
    figure = go.Figure()
    lowest = 0.0
    for number, target in enumerate(targets):
        colour = PALETTE[number % len(PALETTE)]
        cells = sorted(
            (cell for cell in record.cells if cell.target == target and cell.r2 is not None),
            key=lambda cell: cell.layer,
        )
        layers = [cell.layer for cell in cells]
        lowest = min([lowest, *(cell.low or cell.r2 or 0.0 for cell in cells)])
        if cells and all(cell.low is not None for cell in cells):
            figure.add_scatter(
                x=[*layers, *reversed(layers)],
                y=[cell.high for cell in cells] + [cell.low for cell in reversed(cells)],
                fill="toself",
                fillcolor=_faint(colour),
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
                legendgroup=target,
            )
        figure.add_scatter(
            x=layers,
            y=[cell.r2 for cell in cells],
            mode="lines+markers",
            name=escape(title_of(target)),
            legendgroup=target,
            line={"color": colour, "dash": _DASHES[number % len(_DASHES)]},
            marker={"symbol": number, "size": 7},
            text=[cell_text(cell, names[cell.layer]) for cell in cells],
            hovertemplate="%{text}<extra></extra>",
        )
    figure.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(labels))),
        ticktext=[escape(name) for name in labels],
        title="layer",
        ticklabeloverflow="allow",
    )
    figure.update_yaxes(title="R²", range=[max(lowest - 0.05, _LOWEST), 1.0], zeroline=True)
    figure.update_layout(
        height=420,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        hovermode="closest",
    )
    return figure


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.12)"
