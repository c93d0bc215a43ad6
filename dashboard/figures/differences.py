"""Two discoveries compared: where one predicts a target better than the other."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures.grid import add_cells, label_axes, lay_out, layer_labels
from dashboard.figures.style import GREY, SCALE, cell_interval, escape
from mess.as_text import signed, two_decimals
from mess.probing.results import Cell, Combined
from mess.records.discovery import DiscoveryRecord
from mess.targets import title_of

_NESTED, _WEIGHTED = "best, nested", "all, weighted"
_BESIDE = 3  # columns that any two encoders have: the best layer, and these two


@dataclass(frozen=True)
class _Score:
    """R² with its 95 % interval, where it has one."""

    r2: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, score: Cell | Combined) -> "_Score":
        return cls(score.r2, score.low, score.high)


Columns = dict[str, dict[str, _Score]]  # column → target


def compared_columns(record_a: DiscoveryRecord, record_b: DiscoveryRecord) -> str:
    """Return how the layers of two discoveries are paired.

    Returns
    -------
    str
        "layer" where both have the same layers; "depth" where both are networks of different
        depth; "none" where the layers of one are no steps of a network and have no counterpart.
    """
    if record_a.layer_names == record_b.layer_names:
        return "layer"
    return "depth" if _has_depth(record_a) and _has_depth(record_b) else "none"


def difference_heatmap(record_a: DiscoveryRecord, record_b: DiscoveryRecord) -> go.Figure:
    """Draw R² of the first discovery minus R² of the second, for the targets of both.

    If both discoveries have the same layers, they are compared one by one. If both encoders are
    networks, layers are compared by relative depth: 0 is the first layer, 1 the last, and R² is
    interpolated between layers. Otherwise layers are not compared. Three more columns hold the best
    layer, the layer chosen inside the folds and the mixture of all layers. A dot marks cells whose
    95 % intervals do not overlap.

    Parameters
    ----------
    record_a, record_b : DiscoveryRecord
    """
    targets = [name for name in record_a.target_names if name in record_b.target_names]
    kind = compared_columns(record_a, record_b)
    sides = [_columns(record, kind, record_a, record_b) for record in (record_a, record_b)]
    names = list(sides[0])
    layers = len(names) - _BESIDE
    grid = lay_out(targets, layers=layers, beside=_BESIDE)
    if layers == 0:  # no layers: no gap before the other columns
        grid = lay_out(targets, layers=len(names))
    shape = len(targets), len(names)
    change, hover = np.full(shape, np.nan), np.full(shape, "", dtype=object)
    apart: list[tuple[int, int]] = []
    for row, column in np.ndindex(shape):
        a, b = (side[names[column]].get(targets[row], _Score()) for side in sides)
        change[row, column] = _r2(a) - _r2(b)
        hover[row, column] = _text(targets[row], names[column], a, b)
        if _apart(a, b):
            apart.append((row, column))
    reach = float(np.nanmax(np.abs(change))) if np.isfinite(change).any() else 1.0
    figure = go.Figure()
    written = np.array([[signed(value) for value in row] for row in change.tolist()], dtype=object)
    limit = min(max(reach, 0.1), 1.0)
    bar = {"orientation": "h", "thickness": 8, "len": 0.4, "x": 0, "xanchor": "left"}
    bar |= {"y": 0, "yanchor": "top", "ypad": 4}
    add_cells(
        figure, grid, change, written, zmin=-limit, zmax=limit, colorscale=SCALE, colorbar=bar
    )
    add_cells(
        figure,
        grid,
        np.where(np.isnan(change), 0.0, np.nan),
        written,
        colorscale=[[0, GREY], [1, GREY]],
        showscale=False,
        textfont={"color": "#5a5a5a"},
    )
    figure.add_scatter(
        x=[float(grid.columns[column]) + 0.37 for _, column in apart],
        y=[float(grid.rows[row]) + 0.28 for row, _ in apart],
        mode="markers",
        marker={"size": 6, "color": "#111", "line": {"color": "#fff", "width": 1}},
        hoverinfo="skip",
        showlegend=False,
    )
    rows, columns = np.meshgrid(grid.rows, grid.columns, indexing="ij")
    figure.add_scatter(
        x=columns.ravel(),
        y=rows.ravel(),
        mode="markers",
        marker={"symbol": "square", "size": 20, "opacity": 0},
        text=hover.ravel(),
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    label_axes(figure, grid, columns=names, targets=targets)
    return figure


def describe_difference(record_a: DiscoveryRecord, record_b: DiscoveryRecord) -> str:
    """Say in words how the two differ, by the layers chosen inside the folds."""
    a, b = (
        {summary.target: _Score.of(summary.nested) for summary in record.summaries}
        for record in (record_a, record_b)
    )
    pairs = {name: _r2(a[name]) - _r2(b[name]) for name in a if name in b}
    pairs = {name: value for name, value in pairs.items() if np.isfinite(value)}
    if not pairs:
        return "No target is defined in both."
    better = sum(value > 0 for value in pairs.values())
    widest = max(pairs, key=lambda name: abs(pairs[name]))
    return (
        f"Nested R² is higher in the first for {better} of {len(pairs)} targets; they differ most "
        f"in {title_of(widest)} ({signed(pairs[widest])})."
    )


def _has_depth(record: DiscoveryRecord) -> bool:
    names = record.layer_names
    return len(names) > 1 and names == [str(number) for number in range(len(names))]


def _columns(
    record: DiscoveryRecord, kind: str, record_a: DiscoveryRecord, record_b: DiscoveryRecord
) -> Columns:
    """Return the R² of each column and target, with its interval where there is one."""
    by_target: dict[str, dict[int, _Score]] = {}
    for cell in record.cells:
        by_target.setdefault(cell.target, {})[cell.layer] = _Score.of(cell)
    columns: Columns = {}
    if kind == "layer":
        for layer, label in enumerate(layer_labels(record)):
            columns[label] = {
                target: cells[layer] for target, cells in by_target.items() if layer in cells
            }
    elif kind == "depth":
        count = min(len(record_a.layer_names), len(record_b.layer_names))
        for depth in np.linspace(0, 1, count):
            layer = depth * (len(record.layer_names) - 1)
            columns[f"depth {depth:.2f}"] = {
                target: _Score(_between(cells, layer)) for target, cells in by_target.items()
            }
    columns["best layer"] = {
        target: max(cells.values(), key=lambda score: -np.inf if score.r2 is None else score.r2)
        for target, cells in by_target.items()
    }
    columns[_NESTED] = {row.target: _Score.of(row.nested) for row in record.summaries}
    columns[_WEIGHTED] = {row.target: _Score.of(row.weighted) for row in record.summaries}
    return columns


def _between(cells: Mapping[int, _Score], layer: float) -> float | None:
    """Return R² at a layer that may lie between two layers, by linear interpolation."""
    layers = np.array(sorted(cells))
    values: NDArray[np.float64] = np.array([_r2(cells[number]) for number in layers])
    r2 = float(np.interp(layer, layers, values))
    return r2 if np.isfinite(r2) else None


def _r2(score: _Score) -> float:
    return float("nan") if score.r2 is None else score.r2


def _apart(a: _Score, b: _Score) -> bool:
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return False
    return a.low > b.high or b.low > a.high


def _text(target: str, column: str, a: _Score, b: _Score) -> str:
    lines = [f"<b>{escape(title_of(target))}</b>", escape(column)]
    for name, score in (("first", a), ("second", b)):
        known = f", 95 % {cell_interval(score)}" if score.low is not None else ""
        lines.append(f"{name}: R² {two_decimals(score.r2)}{known}")
    return "<br>".join(lines)
