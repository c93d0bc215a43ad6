"""What all figures share, and the bar of a recommendation's score, as Plotly objects."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

GREY = "#e4e4e2"  # of cells that may be chance
SCALE = "RdBu"  # diverging, and told apart by the colour-blind
PALETTE = (  # Okabe and Ito's and two more, seen on light and on dark, for categories
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#999999",
    "#6F63C9",
    "#B5446E",
)


def interval(cell: Mapping[str, Any]) -> str:
    """Return the 95 % interval of a cell or a combined probe as text."""
    return f"[{two_decimals(cell.get('low'))}, {two_decimals(cell.get('high'))}]"


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
