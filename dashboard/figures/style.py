"""What all figures share: colours, and numbers and names as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from mess.as_text import interval

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


def cell_interval(cell: Mapping[str, Any]) -> str:
    """Return the 95 % interval of a cell or a combined probe as text."""
    return interval(cell.get("low"), cell.get("high"))


def aspect_colours(aspects: Sequence[str]) -> dict[str, str]:
    """Give every aspect a colour of its own."""
    return {name: PALETTE[number % len(PALETTE)] for number, name in enumerate(aspects)}


def escape(text: str) -> str:
    """Return a name as plain text for a Plotly label, which would read tags in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
