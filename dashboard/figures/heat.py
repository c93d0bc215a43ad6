"""Heatmaps as data: what stands in each cell, and what its colour means.

Pages draw them with `dashboard.components.heatmap`; `dashboard.figures.grid` makes a figure of the
same cells, to be saved.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dashboard.figures.style import GREY, cell_colours
from mess.as_text import two_decimals

_ON_GREY = "#4a4a4a"
_STEPS = 9  # colours of a legend
Choice = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class ColourScale:
    """What the colours of a heatmap mean: blue is above the middle, red below, white at it.

    Attributes
    ----------
    title : str
        What the numbers are.
    low, high : float
        The ends of the legend.
    middle : float
        The number that is white.
    reach : float
        How far from the middle a colour is full.
    grey : str
        What grey cells are; "" where there are none.
    """

    title: str
    low: float = -1.0
    high: float = 1.0
    middle: float = 0.0
    reach: float = 1.0
    grey: str = "not known"

    def colours(self, number: float | None) -> tuple[str, str]:
        """Return the CSS colours of a cell and of its text; grey for None and NaN."""
        if number is None or np.isnan(number):
            return GREY, _ON_GREY
        return cell_colours((number - self.middle) / self.reach)

    def steps(self) -> list[str]:
        """Return the colours of the legend, from the low end to the high one."""
        return [self.colours(one)[0] for one in np.linspace(self.low, self.high, _STEPS)]

    def ends(self) -> tuple[str, str]:
        """Return the numbers at the ends of the legend."""
        return f"{self.low:.3g}".replace("-", "−"), f"{self.high:.3g}"


@dataclass(frozen=True, kw_only=True)
class HeatCell:
    """One cell.

    Attributes
    ----------
    choice : (str, str) or None
        What a click chooses; None where the cell can be read, and not be chosen.
    colour, ink : str
        CSS colours of the cell and of its text.
    text : str
        The number that stands in it.
    mark : str
        A sign that stands in its corner.
    said : str
        What a person reads at the pointer, or hears: row, column and value.
    """

    choice: Choice | None = None
    colour: str
    ink: str
    text: str = ""
    mark: str = ""
    said: str


@dataclass(frozen=True, kw_only=True)
class HeatRow:
    """A row.

    Attributes
    ----------
    label, about : str
        Its name, and one plain sentence about it.
    family : str
        Rows of one family stand below its name; "" for none.
    cells : sequence of HeatCell
        One for each column.
    strongest : int
        The column that a narrow screen shows and chooses.
    strongest_said : str
        What a narrow screen says of that column.
    """

    label: str
    about: str = ""
    family: str = ""
    cells: Sequence[HeatCell]
    strongest: int
    strongest_said: str


@dataclass(frozen=True, kw_only=True)
class HeatTable:
    """A heatmap.

    Attributes
    ----------
    rows : sequence of HeatRow
    columns : sequence of str
        Their names.
    beside : int
        How many of the last columns stand apart.
    corner : str
        The heading of the names of the rows.
    scale : ColourScale
    """

    rows: Sequence[HeatRow]
    columns: Sequence[str]
    beside: int = 0
    corner: str = ""
    scale: ColourScale = field(default_factory=lambda: ColourScale(title="R²"))


def number_heat(
    matrix: Mapping[str, Mapping[str, float | None]],
    *,
    columns: Sequence[str],
    scale: ColourScale,
    name: Callable[[str], str] = str,
    corner: str = "",
    written: Callable[[float | None], str] = two_decimals,
) -> HeatTable:
    """Return a heatmap of numbers that can be read, and not be chosen.

    Parameters
    ----------
    matrix : mapping
        Name of a row → column → number.
    columns : sequence of str
    scale : ColourScale
    name : callable
        How a column is named on the page.
    corner : str
    written : callable
        How a number is written.
    """
    rows = []
    names = [name(one) for one in columns]
    for label, values in matrix.items():
        cells = []
        for column in columns:
            number = values.get(column)
            colour, ink = scale.colours(number)
            said = f"{label}, {name(column)}: {scale.title} {written(number)}"
            cells.append(HeatCell(colour=colour, ink=ink, text=written(number), said=said))
        numbers = [values.get(column) for column in columns]
        rows.append(number_row(label, cells, numbers=numbers, columns=names, middle=scale.middle))
    return HeatTable(rows=rows, columns=names, corner=corner, scale=scale)


def number_row(
    label: str,
    cells: Sequence[HeatCell],
    *,
    numbers: Sequence[float | None],
    columns: Sequence[str],
    middle: float,
) -> HeatRow:
    """Return a row whose number furthest from the middle of the scale is what a phone shows.

    Parameters
    ----------
    label : str
    cells : sequence of HeatCell
    numbers : sequence of float or None
        Of the cells.
    columns : sequence of str
        Their names.
    middle : float
    """
    place = furthest(numbers, middle=middle)
    said = f"{columns[place]}: {cells[place].text}" if cells else ""
    return HeatRow(label=label, cells=cells, strongest=place, strongest_said=said)


def furthest(numbers: Sequence[float | None], *, middle: float = 0.0) -> int:
    """Return the place of the number that is furthest from the middle of a scale.

    >>> furthest([None, 0.2, -0.5])
    2
    """
    known = [-1.0 if one is None or np.isnan(one) else abs(one - middle) for one in numbers]
    return int(np.argmax(known)) if known else 0
