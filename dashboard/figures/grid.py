"""A heatmap as a figure that can be saved: where its cells lie, how they are drawn and named."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures.heat import ColourScale, HeatTable
from dashboard.figures.style import escape

_ROW, _HEAD, _GAP = 22, 0.8, 0.4  # pixels, rows, columns


@dataclass(frozen=True)
class Grid:
    """Where rows and columns of a heatmap lie: rows below their family's name.

    Attributes
    ----------
    rows, columns : ndarray [shape=(n,)]
        The middle of each row and of each column.
    row_edges, column_edges : list of float
        Borders of all cells, the empty ones under a family's name and before what stands apart
        too.
    row_cells, column_cells : list of int
        Which of the cells between the borders are rows and columns.
    families : list of (str, float)
        A family's name and its place.
    """

    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    row_edges: list[float]
    column_edges: list[float]
    row_cells: list[int]
    column_cells: list[int]
    families: list[tuple[str, float]]

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Put values [rows, columns] into all cells; what has none is NaN."""
        shape = len(self.row_edges) - 1, len(self.column_edges) - 1
        filled = np.full(shape, np.nan if values.dtype.kind == "f" else "", dtype=values.dtype)
        filled[np.ix_(self.row_cells, self.column_cells)] = values
        return filled


def lay_out(families: Sequence[str], *, columns: int, beside: int = 0) -> Grid:
    """Return where the cells of a heatmap lie.

    Parameters
    ----------
    families : sequence of str
        That of each row; rows of one family follow each other.
    columns, beside : int
        How many columns there are, and how many of the last ones stand apart.
    """
    row_edges, row_cells, named = [0.0], [], []
    for family, members in groupby(families):
        if family:
            named.append((family, row_edges[-1] + _HEAD / 2))
            row_edges.append(row_edges[-1] + _HEAD)
        for _ in members:
            row_cells.append(len(row_edges) - 1)
            row_edges.append(row_edges[-1] + 1)
    column_edges = [number - 0.5 for number in range(columns - beside + 1)]
    column_cells = list(range(columns - beside))
    if beside:
        column_edges.append(column_edges[-1] + _GAP)
        for _ in range(beside):
            column_cells.append(len(column_edges) - 1)
            column_edges.append(column_edges[-1] + 1)
    middle_rows = np.array([(row_edges[i] + row_edges[i + 1]) / 2 for i in row_cells])
    middle_columns = np.array([(column_edges[i] + column_edges[i + 1]) / 2 for i in column_cells])
    return Grid(
        middle_rows, middle_columns, row_edges, column_edges, row_cells, column_cells, named
    )


def heat_figure(table: HeatTable) -> go.Figure:
    """Draw a heatmap as a figure: the colours, numbers and marks of its cells, and its scale."""
    grid = lay_out(
        [row.family for row in table.rows], columns=len(table.columns), beside=table.beside
    )
    cells = [list(row.cells) for row in table.rows]
    palette = list(dict.fromkeys(cell.colour for row in cells for cell in row))
    figure = go.Figure()
    for ink in dict.fromkeys(cell.ink for row in cells for cell in row):
        own = [[cell.ink == ink for cell in row] for row in cells]
        codes = [[palette.index(cell.colour) + 0.5 for cell in row] for row in cells]
        _add_cells(
            figure,
            grid,
            np.where(own, np.array(codes), np.nan),
            np.array([[cell.text for cell in row] for row in cells], dtype=object),
            palette=palette,
            ink=ink,
        )
    _add_marks(figure, grid, table)
    _add_scale(figure, table.scale)
    _label_axes(figure, grid, columns=table.columns, rows=[row.label for row in table.rows])
    return figure


def _add_cells(
    figure: go.Figure,
    grid: Grid,
    codes: NDArray[np.float64],
    text: NDArray[Any],
    *,
    palette: Sequence[str],
    ink: str,
) -> None:
    """Draw the cells whose code is known; a code is the place of a colour in the palette."""
    count = len(palette)
    steps = [[(n + end) / count, colour] for n, colour in enumerate(palette) for end in (0, 1)]
    figure.add_heatmap(
        x=grid.column_edges,
        y=grid.row_edges,
        z=grid.spread(codes),
        zmin=0,
        zmax=count,
        colorscale=steps,
        showscale=False,
        text=grid.spread(np.where(np.isnan(codes), "", text)),
        texttemplate="%{text}",
        textfont={"color": ink},
        xgap=1,
        ygap=1,
        hoverinfo="skip",
        hoverongaps=False,
    )


def _add_marks(figure: go.Figure, grid: Grid, table: HeatTable) -> None:
    """Write the marks in the lower right of their cells."""
    marked = [
        (float(grid.columns[column]) + 0.37, float(grid.rows[row]) + 0.28, cell)
        for row, of in enumerate(table.rows)
        for column, cell in enumerate(of.cells)
        if cell.mark
    ]
    figure.add_scatter(
        x=[x for x, _, _ in marked],
        y=[y for _, y, _ in marked],
        mode="text",
        text=[cell.mark for _, _, cell in marked],
        textfont={"size": 9, "color": [cell.ink for _, _, cell in marked]},
        hoverinfo="skip",
        showlegend=False,
    )


def _add_scale(figure: go.Figure, scale: ColourScale) -> None:
    """Draw the legend of the colours, by a point that is not seen."""
    steps = scale.steps()
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        marker={
            "color": [scale.middle],
            "cmin": scale.low,
            "cmax": scale.high,
            "colorscale": [[n / (len(steps) - 1), colour] for n, colour in enumerate(steps)],
            "showscale": True,
            "colorbar": {
                "orientation": "h",
                "thickness": 8,
                "len": 0.4,
                "x": 0,
                "xanchor": "left",
                "y": 0,
                "yanchor": "top",
                "ypad": 4,
            },
        },
        hoverinfo="skip",
        showlegend=False,
    )


def _label_axes(
    figure: go.Figure, grid: Grid, *, columns: Sequence[str], rows: Sequence[str]
) -> None:
    """Name rows, columns and families, and give the figure the height that they need."""
    figure.update_xaxes(
        tickmode="array",
        tickvals=grid.columns.tolist(),
        ticktext=[escape(name) for name in columns],
        tickangle=-40 if any(len(name) > 3 for name in columns) else 0,
        side="top",
        ticklabeloverflow="allow",
        showgrid=False,
        zeroline=False,
        range=[grid.column_edges[0], grid.column_edges[-1]],
        fixedrange=True,
    )
    figure.update_yaxes(
        tickmode="array",
        tickvals=grid.rows.tolist(),
        ticktext=[escape(name) for name in rows],
        showgrid=False,
        zeroline=False,
        range=[grid.row_edges[-1], grid.row_edges[0]],
        fixedrange=True,
    )
    longest = max((len(name) for name in columns), default=0)
    above, below = 30 + 4 * min(longest, 24), 40
    right = 10 + 4 * min(len(columns[-1]), 24) if columns else 10
    figure.update_layout(
        height=round(above + below + _ROW * grid.row_edges[-1]),
        margin={"l": 10, "r": right, "t": above, "b": below},
        dragmode=False,
        annotations=[
            {
                "xref": "paper",
                "x": 0,
                "xanchor": "left",
                "y": place,
                "text": f"<b>{escape(family)}</b>",
                "showarrow": False,
                "font": {"size": 11},
            }
            for family, place in grid.families
        ],
    )
