"""What the heatmap of a discovery says: layers × targets, and baselines beside the layers."""

from collections.abc import Callable
from textwrap import wrap
from typing import Literal

import numpy as np

from dashboard.figures.style import escape, known_interval, significance
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


def cell_text(cell: Cell, name: str) -> str:
    """Return what is known of a cell as the text of a point of a Plotly figure."""
    first, *others = cell_words(cell, name)
    wrapped = [escape(line) for one in others for line in wrap(one, _HOVER)]
    return "<br>".join([f"<b>{escape(first)}</b>", *wrapped])


def cell_words(cell: Cell, name: str) -> list[str]:
    """Return what is known of a cell, line by line: the target, the layer, scores, remarks."""
    layer = f"layer {cell.layer}" if name == str(cell.layer) else f"layer {cell.layer} ({name})"
    lines = [title_of(cell.target), layer]
    if cell.r2 is None:
        return [*lines, "R² undefined"]
    lines.append(f"R² {cell.r2:.3f}{known_interval(cell)}")
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
        f"R² {two_decimals(score.r2)}{known_interval(score)}",
        f"Spearman {two_decimals(score.spearman)}",
    ]
