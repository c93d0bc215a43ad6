"""The heatmap of a discovery: layers × targets, with the baselines beside the layers."""

from collections.abc import Callable, Mapping, Sequence
from textwrap import wrap
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures.grid import Grid, add_cells, label_axes, lay_out, layer_labels
from dashboard.figures.style import GREY, SCALE, cell_interval, escape, significance
from mess.as_text import two_decimals
from mess.probing.remarks import remarks
from mess.probing.results import BaselineScore, Cell, Combined
from mess.probing.statistics import SIGNIFICANT
from mess.records.discovery import DiscoveryRecord
from mess.targets import title_of

# The numbers of a cell that a heatmap can show, and their names.
Value = Literal["r2", "spearman", "p_family"]
VALUES: dict[Value, str] = {
    "r2": "R²",
    "spearman": "Spearman",
    "p_family": "significance",
}
_HOVER = 60  # letters in a line of the text beside the pointer


def baselines(record: DiscoveryRecord) -> dict[str, dict[str, Combined | BaselineScore]]:
    """Return the baselines beside the layers: name → target → R², Spearman and interval.

    The layer chosen inside the folds and the mixture of layers come first, then the controls, then
    what the layers tell beyond baselines (differences of R²).
    """
    columns: dict[str, dict[str, Combined | BaselineScore]] = {}
    for summary in record.summaries:
        columns.setdefault("best, nested", {})[summary.target] = summary.nested
        columns.setdefault("all, weighted", {})[summary.target] = summary.weighted
    for control in record.controls or []:
        columns.setdefault(control.name, {})[control.target] = control
    for one in record.beyond or []:
        added = BaselineScore(
            name=f"beyond {one.baseline}",
            target=one.target,
            r2=one.difference,
            low=one.low,
            high=one.high,
        )
        columns.setdefault(added.name, {})[added.target] = added
    return columns


def heatmap(
    record: DiscoveryRecord,
    *,
    value: Value = "r2",
    grey: bool = False,
    small: Sequence[str] | None = None,
) -> go.Figure:
    """Draw a number of every layer × target and of the baselines, with the number in each cell.

    A diamond marks the best layer of a target by R². A dot marks every layer within one standard
    error of it. Invisible markers over the cells have the texts beside the pointer.

    Parameters
    ----------
    record : DiscoveryRecord
    value : str
        One of `VALUES`.
    grey : bool
        Take the colour from cells that are not significant over all cells.
    small : sequence of str, optional
        Draw these targets only, without numbers, layer names and baselines: for a narrow place.
    """
    names = record.layer_names
    targets = list(record.target_names if small is None else small)
    beside = baselines(record) if value in ("r2", "spearman") and small is None else {}
    grid = lay_out(targets, layers=len(names), beside=len(beside))
    columns = [*(layer_labels(record) if small is None else map(str, range(len(names)))), *beside]
    shape = len(targets), len(columns)
    numbers, chance = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    hover = np.full(shape, "", dtype=object)
    row_of = {target: row for row, target in enumerate(targets)}
    for cell in record.cells:
        if cell.target not in row_of:
            continue
        at = row_of[cell.target], cell.layer
        hover[at] = cell_text(cell, names[cell.layer])
        numbers[at] = number_in(cell, value)
        chance[at] = (cell.p_family or 0.0) > SIGNIFICANT
    for column, (name, by_target) in enumerate(beside.items(), start=len(names)):
        for target, score in by_target.items():
            if target in row_of:
                at = row_of[target], column
                hover[at] = _baseline_text(score, target=target, name=name)
                numbers[at] = number_in(score, value)
    pale = np.isnan(numbers) | (chance & grey)
    written = np.vectorize(written_as(value), otypes=[object])(numbers)
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
    _add_texts(figure, grid, hover)
    label_axes(figure, grid, columns=columns, targets=targets)
    return figure


def describe_heatmap(record: DiscoveryRecord, *, value: Value = "r2") -> str:
    """Say in words what the heatmap shows."""
    known = [cell for cell in record.cells if not np.isnan(number_in(cell, value))]
    shape = f"{len(record.layer_names)} layers and {len(record.target_names)} targets"
    if not known:
        return f"Heatmap of {VALUES[value]} for {shape}: nothing is defined."
    best = max(known, key=lambda cell: number_in(cell, value))
    text = (
        f"Heatmap of {VALUES[value]} for {shape}. The highest is "
        f"{two_decimals(number_in(best, value))}, of {title_of(best.target)} in layer {best.layer}."
    )
    tested = [cell.p_family for cell in record.cells if cell.p_family is not None]
    if tested:
        sure = sum(p <= SIGNIFICANT for p in tested)
        text += f" {sure} of {len(tested)} cells are significant over all cells."
    return text


def number_in(score: Cell | Combined | BaselineScore, value: Value) -> float:
    """Return the number of a cell that a heatmap shows; NaN if it is not known."""
    if value == "p_family":
        p = score.p_family if isinstance(score, Cell) else None
        return float("nan") if p is None else float(-np.log10(p))
    number = score.r2 if value == "r2" else score.spearman
    return float("nan") if number is None else number


def written_as(value: Value) -> Callable[[float], str]:
    """Return how the numbers of a heatmap are written."""
    if value == "p_family":
        return lambda number: "–" if np.isnan(number) else f"{abs(number):.1f}"
    return two_decimals


def _scale(value: Value, numbers: NDArray[np.float64]) -> dict[str, Any]:
    bar = {"orientation": "h", "thickness": 8, "len": 0.4, "x": 0, "xanchor": "left"}
    bar |= {"y": 0, "yanchor": "top", "ypad": 4}
    if value == "p_family":
        known = numbers[np.isfinite(numbers)]
        top = float(known.max()) if known.size else 1.0
        return {"zmin": 0, "zmax": max(top, 1.5), "colorscale": "Cividis", "colorbar": bar}
    return {"zmin": -1, "zmax": 1, "zmid": 0, "colorscale": SCALE, "colorbar": bar}


def _add_marks(
    figure: go.Figure, record: DiscoveryRecord, grid: Grid, row_of: Mapping[str, int]
) -> None:
    """Mark, in the lower right of their cells, the layers that may be a target's best."""
    x, y, symbols = [], [], []
    for summary in record.summaries:
        if summary.target not in row_of or not summary.beyond_mean:
            continue
        row = grid.rows[row_of[summary.target]]
        for layer in sorted({summary.best, *summary.within}):
            x.append(layer + 0.37)
            y.append(row + 0.28)
            symbols.append("diamond" if layer == summary.best else "circle")
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


def _add_texts(figure: go.Figure, grid: Grid, hover: NDArray[Any]) -> None:
    cells = [(row, column) for row, column in np.ndindex(hover.shape) if hover[row, column]]
    figure.add_scatter(
        x=[float(grid.columns[column]) for _, column in cells],
        y=[float(grid.rows[row]) for row, _ in cells],
        mode="markers",
        marker={"symbol": "square", "size": 20, "opacity": 0},
        text=[hover[cell] for cell in cells],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )


def cell_text(cell: Cell, name: str) -> str:
    """Return the text of a cell beside the pointer."""
    first, *others = cell_words(cell, name)
    wrapped = [escape(line) for one in others for line in wrap(one, _HOVER)]
    return "<br>".join([f"<b>{escape(first)}</b>", *wrapped])


def cell_words(cell: Cell, name: str) -> list[str]:
    """Return what is known of a cell, line by line: the target, the layer, scores, remarks."""
    layer = f"layer {cell.layer}" if name == str(cell.layer) else f"layer {cell.layer} ({name})"
    lines = [title_of(cell.target), layer]
    if cell.r2 is None:
        return [*lines, "R² undefined"]
    lines.append(f"R² {cell.r2:.3f}, 95 % {cell_interval(cell)}")
    if cell.spearman is not None:
        lines.append(f"Spearman {cell.spearman:.3f}")
    if words := significance(cell):
        lines.append(words)
    return [*lines, *remarks(cell)]


def baseline_words(score: Combined | BaselineScore, *, target: str, name: str) -> list[str]:
    """Return what is known of a baseline, line by line."""
    return [
        title_of(target),
        name,
        f"R² {two_decimals(score.r2)}, 95 % {cell_interval(score)}",
        f"Spearman {two_decimals(score.spearman)}",
    ]


def _baseline_text(score: Combined | BaselineScore, *, target: str, name: str) -> str:
    first, *others = baseline_words(score, target=target, name=name)
    return "<br>".join([f"<b>{escape(first)}</b>", *map(escape, others)])
