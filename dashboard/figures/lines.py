"""A discovery target by target: how R² changes from layer to layer."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.figures.layers import cell_text
from dashboard.figures.names import layer_labels
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
    labels = layer_labels(record)
    figure = go.Figure()
    lowest = [
        _add_line(figure, record, target, number=number, name=title_of(target))
        for number, target in enumerate(targets)
    ]
    figure.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(labels))),
        ticktext=[escape(name) for name in labels],
        title="layer",
        ticklabeloverflow="allow",
    )
    _lay_out(figure, lowest=min([0.0, *lowest]), height=420)
    return figure


def two_lines(
    record_a: DiscoveryRecord, record_b: DiscoveryRecord, target: str, *, names: tuple[str, str]
) -> go.Figure:
    """Draw R² of a target in two discoveries, from the first layer (0) to the last (1) of each.

    Parameters
    ----------
    record_a, record_b : DiscoveryRecord
    target : str
    names : (str, str)
        Of the discoveries.
    """
    figure = go.Figure()
    lowest = [
        _add_line(
            figure, one, target, number=number, name=name, last=max(len(one.layer_names) - 1, 1)
        )
        for number, (one, name) in enumerate(zip((record_a, record_b), names, strict=True))
    ]
    figure.update_xaxes(title="relative depth")
    _lay_out(figure, lowest=min([0.0, *lowest]), height=300)
    return figure


def _add_line(
    figure: go.Figure,
    record: DiscoveryRecord,
    target: str,
    *,
    number: int,
    name: str,
    last: int = 1,
) -> float:
    """Add R² of a target by layer, or by layer as a share of the last; return its lowest bound."""
    colour = PALETTE[number % len(PALETTE)]
    cells = sorted(
        (cell for cell in record.cells if cell.target == target and cell.r2 is not None),
        key=lambda cell: cell.layer,
    )
    layers = [cell.layer / last for cell in cells]
    group = f"{number}"
    if cells and all(cell.low is not None for cell in cells):
        figure.add_scatter(
            x=[*layers, *reversed(layers)],
            y=[cell.high for cell in cells] + [cell.low for cell in reversed(cells)],
            mode="lines",
            fill="toself",
            fillcolor=_faint(colour),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
            legendgroup=group,
        )
    figure.add_scatter(
        x=layers,
        y=[cell.r2 for cell in cells],
        mode="lines+markers",
        name=escape(name),
        legendgroup=group,
        line={"color": colour, "dash": _DASHES[number % len(_DASHES)]},
        marker={"symbol": number, "size": 7},
        text=[cell_text(cell, record.layer_names[cell.layer]) for cell in cells],
        hovertemplate="%{text}<extra></extra>",
    )
    return min((cell.low or cell.r2 or 0.0 for cell in cells), default=0.0)


def _lay_out(figure: go.Figure, *, lowest: float, height: int) -> None:
    figure.update_yaxes(title="R²", range=[max(lowest - 0.05, _LOWEST), 1.0], zeroline=True)
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        hovermode="closest",
    )


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.12)"
