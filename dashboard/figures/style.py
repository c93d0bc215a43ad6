"""Colours and texts of all figures."""

from collections.abc import Sequence
from typing import Protocol

from mess.as_text import interval
from mess.probing.results import Cell

GREY = "#e4e4e2"  # the colour of cells that are not significant
PALETTE = (  # colours of categories: Okabe and Ito's and two more, visible on light and on dark
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


class Bounded(Protocol):
    """What has a 95 % interval."""

    @property
    def low(self) -> float | None:
        """Its lower bound."""

    @property
    def high(self) -> float | None:
        """Its upper bound."""


def cell_interval(one: Bounded) -> str:
    """Return the 95 % interval of a score as text."""
    return interval(one.low, one.high)


def known_interval(one: Bounded) -> str:
    """Return what follows a score where its interval is known."""
    return "" if one.low is None else f", 95 % {cell_interval(one)}"


def significance(cell: Cell) -> str:
    """Return the significance of a cell as text, empty where works were not shuffled."""
    if cell.p is None or cell.p_family is None or cell.q is None:
        return ""
    return f"p {cell.p:.3g}, family-wise {cell.p_family:.3g}, q {cell.q:.3g}"


def aspect_colours(aspects: Sequence[str]) -> dict[str, str]:
    """Give every aspect a colour of its own."""
    return {name: PALETTE[number % len(PALETTE)] for number, name in enumerate(aspects)}


_MIDDLE, _GOOD, _BAD = (247, 247, 247), (33, 102, 172), (178, 24, 43)
_WHITE, _BLACK = "#ffffff", "#000000"


def cell_colours(r2: float) -> tuple[str, str]:
    """Return the colours of a cell and of text in it, for CSS: blue is good, red is below 0.

    Of black and white, the text has the colour with the larger contrast (WCAG 2.2, 1.4.3).

    >>> cell_colours(0.0), cell_colours(1.0)
    (('#f7f7f7', '#000000'), ('#2166ac', '#ffffff'))
    """
    share = min(abs(r2), 1.0)
    end = _GOOD if r2 >= 0 else _BAD
    mixed = [round(a + share * (b - a)) for a, b in zip(_MIDDLE, end, strict=True)]
    light = _luminance(mixed) + 0.05
    ink = _WHITE if 1.05 / light > light / 0.05 else _BLACK
    return "#" + "".join(f"{one:02x}" for one in mixed), ink


def _luminance(rgb: Sequence[int]) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    shares = [one / 255 for one in rgb]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def escape(text: str) -> str:
    """Return a name as plain text for a Plotly label, which would read tags in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
