"""Two discoveries compared: where one predicts a target better than the other."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures.grid import add_cells, label_axes, lay_out, layer_labels
from dashboard.figures.style import GREY, SCALE, cell_interval, escape
from mess.as_text import signed, two_decimals

Record = Mapping[str, Any]
_COMBINED = {"nested": "best, nested", "weighted": "all, weighted"}


def compared_columns(record_a: Record, record_b: Record) -> str:
    """Say by what the layers of two discoveries are lined up.

    Returns
    -------
    str
        "layer" where both have the same layers; "depth" where both are networks of different
        depth; "none" where the layers of one are no steps of a network and have no counterpart.
    """
    if list(record_a["layer_names"]) == list(record_b["layer_names"]):
        return "layer"
    return "depth" if _has_depth(record_a) and _has_depth(record_b) else "none"


def difference_heatmap(record_a: Record, record_b: Record) -> go.Figure:
    """Draw R² of the first discovery minus R² of the second, for the targets of both.

    Layers are compared one by one where both discoveries have the same, by relative depth (the
    first layer 0, the last 1, in between by linear interpolation) where both are networks, and not
    at all otherwise. Beside them stand the best layer, the layer chosen inside the folds and the
    mixture of all layers, which any two encoders have. A dot marks cells whose 95 % intervals do
    not overlap.

    Parameters
    ----------
    record_a, record_b : mapping
        Discoveries as `DiscoveryFiles.read` returns them.
    """
    targets = [name for name in record_a["target_names"] if name in record_b["target_names"]]
    kind = compared_columns(record_a, record_b)
    sides = [_columns(record, kind, record_a, record_b) for record in (record_a, record_b)]
    names = list(sides[0])
    layers = len(names) - 1 - len(_COMBINED)
    grid = lay_out(targets, layers=layers, beside=1 + len(_COMBINED))
    if layers == 0:  # nothing to stand apart from
        grid = lay_out(targets, layers=len(names))
    shape = len(targets), len(names)
    change, hover = np.full(shape, np.nan), np.full(shape, "", dtype=object)
    apart: list[tuple[int, int]] = []
    for row, column in np.ndindex(shape):
        a, b = (side[names[column]].get(targets[row], {}) for side in sides)
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


def describe_difference(record_a: Record, record_b: Record) -> str:
    """Say in words what the difference shows: of the layers chosen inside the folds."""
    a, b = (_combined(record, "nested") for record in (record_a, record_b))
    pairs = {name: _r2(a[name]) - _r2(b[name]) for name in a if name in b}
    pairs = {name: value for name, value in pairs.items() if np.isfinite(value)}
    if not pairs:
        return "No target is defined in both."
    better = sum(value > 0 for value in pairs.values())
    widest = max(pairs, key=lambda name: abs(pairs[name]))
    return (
        f"Nested R² is higher in the first for {better} of {len(pairs)} targets; they differ most "
        f"in {widest} ({signed(pairs[widest])})."
    )


def _has_depth(record: Record) -> bool:
    names = [str(name) for name in record["layer_names"]]
    return len(names) > 1 and names == [str(number) for number in range(len(names))]


def _columns(
    record: Record, kind: str, record_a: Record, record_b: Record
) -> dict[str, dict[str, Record]]:
    """Return column → target → what is known of it."""
    by_target: dict[str, dict[int, Record]] = {}
    for cell in record["cells"]:
        by_target.setdefault(cell["target"], {})[cell["layer"]] = cell
    columns: dict[str, dict[str, Record]] = {}
    if kind == "layer":
        for layer, label in enumerate(layer_labels(record)):
            columns[label] = {
                target: cells[layer] for target, cells in by_target.items() if layer in cells
            }
    elif kind == "depth":
        count = min(len(record_a["layer_names"]), len(record_b["layer_names"]))
        for depth in np.linspace(0, 1, count):
            place = depth * (len(record["layer_names"]) - 1)
            columns[f"depth {depth:.2f}"] = {
                target: {"r2": _between(cells, place)} for target, cells in by_target.items()
            }
    columns["best layer"] = {
        target: max(cells.values(), key=lambda cell: -np.inf if cell["r2"] is None else cell["r2"])
        for target, cells in by_target.items()
    }
    for key, name in _COMBINED.items():
        columns[name] = _combined(record, key)
    return columns


def _between(cells: Mapping[int, Record], place: float) -> float | None:
    """Return R² between two layers."""
    layers = np.array(sorted(cells))
    values: NDArray[np.float64] = np.array([_r2(cells[layer]) for layer in layers])
    found = float(np.interp(place, layers, values))
    return found if np.isfinite(found) else None


def _combined(record: Record, key: str) -> dict[str, Record]:
    return {summary["target"]: summary[key] for summary in record.get("summaries", [])}


def _r2(one: Record) -> float:
    value = one.get("r2")
    return float("nan") if value is None else float(value)


def _apart(a: Record, b: Record) -> bool:
    ends = [one.get(end) for one in (a, b) for end in ("low", "high")]
    if any(end is None for end in ends):
        return False
    return bool(a["low"] > b["high"] or b["low"] > a["high"])


def _text(target: str, column: str, a: Record, b: Record) -> str:
    lines = [f"<b>{escape(target)}</b>", escape(column)]
    for name, one in (("first", a), ("second", b)):
        known = f", 95 % {cell_interval(one)}" if one.get("low") is not None else ""
        lines.append(f"{name}: R² {two_decimals(one.get('r2'))}{known}")
    return "<br>".join(lines)
