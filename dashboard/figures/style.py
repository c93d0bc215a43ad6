"""What all figures share: colours, and numbers and names as text."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

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
