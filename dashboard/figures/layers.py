"""The heatmap of a discovery: layers × targets, with what stands beside the layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from textwrap import wrap
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures.style import GREY, SCALE, escape, interval, two_decimals
from mess.probing.remarks import remarks
from mess.probing.statistics import SIGNIFICANT
from mess.targets import ALL_TARGETS

# What a heatmap can show of a cell, and how it is called.
VALUES = {
    "r2": "R²",
    "spearman": "Spearman",
    "p_family": "significance",
}
BESIDE = -1  # the layer of a column that is no layer
_HOVER = 60  # letters of a line beside the pointer
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


def layer_labels(record: Mapping[str, Any]) -> list[str]:
    """Return the number of each layer, with its name where it has one."""
    return [
        str(number) if str(name) == str(number) else f"{number} {name}"
        for number, name in enumerate(record["layer_names"])
    ]


def family_of(target: str) -> str:
    """Return the family of a target, "other" if this version does not know it."""
    return ALL_TARGETS[target].family if target in ALL_TARGETS else "other"


def baselines(record: Mapping[str, Any]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Return what stands beside the layers: name → target → R², Spearman and interval.

    The layer chosen, or mixed, inside the folds comes first, then the controls.
    """
    columns: dict[str, dict[str, Mapping[str, Any]]] = {}
    for summary in record.get("summaries", []):
        for kind, name in (("nested", "best, nested"), ("weighted", "all, weighted")):
            columns.setdefault(name, {})[summary["target"]] = summary[kind]
    for control in record.get("controls", []):
        columns.setdefault(control["name"], {})[control["target"]] = control
    return columns


def heatmap(
    record: Mapping[str, Any],
    *,
    value: str = "r2",
    grey: bool = False,
    small: Sequence[str] | None = None,
) -> go.Figure:
    """Draw a number of every layer × target and of the baselines, with the number in each cell.

    A diamond marks the best layer of a target by R², a dot every layer within one standard error
    of it. Invisible markers over the cells take the clicks, which Streamlit does not report for a
    heatmap: a click's ``customdata`` is (layer, target, column), with `BESIDE` for the layer of a
    baseline.

    Parameters
    ----------
    record : mapping
        A discovery as `Store.read_discovery` returns it.
    value : str
        One of `VALUES`.
    grey : bool
        Take the colour from cells that are not significant over all cells.
    small : sequence of str, optional
        Draw these targets only, without numbers, layer names and baselines: for a narrow place.
    """
    names = record["layer_names"]
    targets = list(record["target_names"] if small is None else small)
    beside = baselines(record) if value in ("r2", "spearman") and small is None else {}
    grid = lay_out(targets, layers=len(names), beside=len(beside))
    columns = [*(layer_labels(record) if small is None else map(str, range(len(names)))), *beside]
    shape = len(targets), len(columns)
    numbers, chance = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    hover = np.full(shape, "", dtype=object)
    row_of = {target: row for row, target in enumerate(targets)}
    for cell in record["cells"]:
        if cell["target"] not in row_of:
            continue
        place = row_of[cell["target"]], cell["layer"]
        hover[place] = cell_text(cell, names[cell["layer"]])
        numbers[place] = _number(cell, value)
        chance[place] = (cell.get("p_family") or 0.0) > SIGNIFICANT
    for column, (name, by_target) in enumerate(beside.items(), start=len(names)):
        for target, one in by_target.items():
            if target in row_of:
                place = row_of[target], column
                hover[place] = _baseline_text(one, target=target, name=name)
                numbers[place] = _number(one, value)
    pale = np.isnan(numbers) | (chance & grey)
    written = np.vectorize(_written(value), otypes=[object])(numbers)
    if small is not None:
        written[:] = ""
    figure = go.Figure()
    add_cells(figure, grid, np.where(pale, np.nan, numbers), written, **_scale(value, numbers))
    add_cells(
        figure,
        grid,
        np.where(pale & (hover != ""), 0.0, np.nan),
        written,
        colorscale=[[0, GREY], [1, GREY]],
        showscale=False,
        textfont={"color": "#5a5a5a"},
    )
    _add_marks(figure, record, grid, row_of)
    _add_clicks(figure, grid, hover, columns=columns, targets=targets, layers=len(names))
    label_axes(figure, grid, columns=columns, targets=targets)
    return figure


def describe_heatmap(record: Mapping[str, Any], *, value: str = "r2") -> str:
    """Say in words what the heatmap shows."""
    known = [cell for cell in record["cells"] if not np.isnan(_number(cell, value))]
    shape = f"{len(record['layer_names'])} layers and {len(record['target_names'])} targets"
    if not known:
        return f"Heatmap of {VALUES[value]} for {shape}: nothing is defined."
    best = max(known, key=lambda cell: _number(cell, value))
    text = (
        f"Heatmap of {VALUES[value]} for {shape}. The highest is "
        f"{two_decimals(_number(best, value))}, of {best['target']} in layer {best['layer']}."
    )
    tested = [cell for cell in record["cells"] if cell.get("p_family") is not None]
    if tested:
        sure = sum(cell["p_family"] <= SIGNIFICANT for cell in tested)
        text += f" {sure} of {len(tested)} cells are significant over all cells."
    return text


def _number(cell: Mapping[str, Any], value: str) -> float:
    found = cell.get(value)
    if found is None:
        return float("nan")
    return float(-np.log10(found)) if value == "p_family" else float(found)


def _written(value: str) -> Any:
    if value == "p_family":
        return lambda number: "–" if np.isnan(number) else f"{abs(number):.1f}"
    return two_decimals


def _scale(value: str, numbers: NDArray[np.float64]) -> dict[str, Any]:
    bar = {"orientation": "h", "thickness": 8, "len": 0.4, "x": 0, "xanchor": "left"}
    bar |= {"y": 0, "yanchor": "top", "ypad": 4}
    if value == "p_family":
        known = numbers[np.isfinite(numbers)]
        top = float(known.max()) if known.size else 1.0
        return {"zmin": 0, "zmax": max(top, 1.5), "colorscale": "Cividis", "colorbar": bar}
    return {"zmin": -1, "zmax": 1, "zmid": 0, "colorscale": SCALE, "colorbar": bar}


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


def _add_marks(
    figure: go.Figure, record: Mapping[str, Any], grid: Grid, row_of: Mapping[str, int]
) -> None:
    """Mark, in the lower right of their cells, the layers that may be a target's best."""
    x, y, symbols = [], [], []
    for summary in record.get("summaries", []):
        if summary["target"] not in row_of or not summary.get("beyond_mean", True):
            continue
        row = grid.rows[row_of[summary["target"]]]
        for layer in sorted({summary["best"], *summary["within"]}):
            x.append(layer + 0.37)
            y.append(row + 0.28)
            symbols.append("diamond" if layer == summary["best"] else "circle")
    figure.add_scatter(
        x=x,
        y=y,
        mode="markers",
        marker={
            "symbol": symbols,
            "size": [8 if symbol == "diamond" else 5 for symbol in symbols],
            "color": "#111",
            "line": {"color": "#fff", "width": 1},
            "opacity": 1,
        },
        hoverinfo="skip",
        showlegend=False,
    )


def _add_clicks(
    figure: go.Figure,
    grid: Grid,
    hover: NDArray[Any],
    *,
    columns: Sequence[str],
    targets: Sequence[str],
    layers: int,
) -> None:
    places = [(row, column) for row, column in np.ndindex(hover.shape) if hover[row, column]]
    figure.add_scatter(
        x=[float(grid.columns[column]) for _, column in places],
        y=[float(grid.rows[row]) for row, _ in places],
        mode="markers",
        marker={"symbol": "square", "size": 20, "opacity": 0},
        customdata=[
            [column if column < layers else BESIDE, targets[row], columns[column]]
            for row, column in places
        ],
        text=[hover[place] for place in places],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
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
        ticktext=[escape(name) for name in targets],
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


def cell_text(cell: Mapping[str, Any], name: str) -> str:
    """Return what a cell says when the pointer rests on it."""
    lines = [f"<b>{escape(cell['target'])}</b>", f"layer {cell['layer']} ({escape(name)})"]
    if cell["r2"] is None:
        return "<br>".join([*lines, "R² undefined"])
    lines.append(f"R² {cell['r2']:.3f}, 95 % {interval(cell)}")
    if cell.get("spearman") is not None:
        lines.append(f"Spearman {cell['spearman']:.3f}")
    if cell.get("p_family") is not None:
        lines.append(f"p {cell['p']:.3g}, family-wise {cell['p_family']:.3g}, q {cell['q']:.3g}")
    lines += [escape(line) for remark in remarks(cell) for line in wrap(remark, _HOVER)]
    return "<br>".join(lines)


def _baseline_text(one: Mapping[str, Any], *, target: str, name: str) -> str:
    lines = [f"<b>{escape(target)}</b>", escape(name)]
    lines.append(f"R² {two_decimals(one.get('r2'))}, 95 % {interval(one)}")
    lines.append(f"Spearman {two_decimals(one.get('spearman'))}")
    return "<br>".join(lines)
