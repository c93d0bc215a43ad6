"""The cells of a heatmap of targets by layers: where they lie, how they are drawn and named."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures.style import escape
from mess.records.discovery import DiscoveryRecord
from mess.targets import ALL_TARGETS, title_of

_ROW, _HEAD, _GAP = 22, 0.8, 0.4  # pixels, rows, columns


@dataclass(frozen=True)
class Grid:
    """Where rows and columns of a heatmap lie: targets below their family's name.

    Attributes
    ----------
    rows, columns : ndarray [shape=(n,)]
        The middle of each target and of each column.
    row_edges, column_edges : list of float
        Borders of all cells, the empty ones under a family's name and beside the layers too.
    row_cells, column_cells : list of int
        Which of the cells between the borders are targets and columns.
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
        """Put values [targets, columns] into all cells; what has none is NaN."""
        shape = len(self.row_edges) - 1, len(self.column_edges) - 1
        filled = np.full(shape, np.nan if values.dtype.kind == "f" else "", dtype=values.dtype)
        filled[np.ix_(self.row_cells, self.column_cells)] = values
        return filled


def lay_out(targets: Sequence[str], *, layers: int, beside: int = 0) -> Grid:
    """Return where the cells of a heatmap lie.

    Parameters
    ----------
    targets : sequence of str
        In the order of their families.
    layers, beside : int
        How many columns are layers, and how many stand apart from them.
    """
    row_edges, row_cells, families = [0.0], [], []
    for family, members in groupby(targets, key=family_of):
        families.append((family, row_edges[-1] + _HEAD / 2))
        row_edges.append(row_edges[-1] + _HEAD)
        for _ in members:
            row_cells.append(len(row_edges) - 1)
            row_edges.append(row_edges[-1] + 1)
    column_edges = [number - 0.5 for number in range(layers + 1)]
    column_cells = list(range(layers))
    if beside:
        column_edges.append(column_edges[-1] + _GAP)
        for _ in range(beside):
            column_cells.append(len(column_edges) - 1)
            column_edges.append(column_edges[-1] + 1)
    middle_rows = np.array([(row_edges[i] + row_edges[i + 1]) / 2 for i in row_cells])
    middle_columns = np.array([(column_edges[i] + column_edges[i + 1]) / 2 for i in column_cells])
    return Grid(
        middle_rows, middle_columns, row_edges, column_edges, row_cells, column_cells, families
    )


def family_of(target: str) -> str:
    """Return the family of a target, "other" if this version does not know it."""
    return ALL_TARGETS[target].family if target in ALL_TARGETS else "other"


def layer_labels(record: DiscoveryRecord) -> list[str]:
    """Return the number of each layer, with its name where it has one."""
    return [
        name if name == str(number) else f"{number} {name}"
        for number, name in enumerate(record.layer_names)
    ]


def add_cells(
    figure: go.Figure, grid: Grid, z: NDArray[Any], text: NDArray[Any], **style: Any
) -> None:
    """Draw the cells [targets, columns] that are not NaN, each with its text."""
    shown = np.where(np.isnan(z), "", text)
    figure.add_heatmap(
        x=grid.column_edges,
        y=grid.row_edges,
        z=grid.spread(z),
        text=grid.spread(shown),
        texttemplate="%{text}",
        xgap=1,
        ygap=1,
        hoverinfo="skip",
        hoverongaps=False,
        **({"zmin": 0, "zmax": 1} | style),
    )


def label_axes(
    figure: go.Figure, grid: Grid, *, columns: Sequence[str], targets: Sequence[str]
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
        ticktext=[escape(title_of(name)) for name in targets],
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
        clickmode="event+select",
        hovermode="closest",
        hoverdistance=60,  # pixels: everywhere in a wide cell, not only at its middle
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
