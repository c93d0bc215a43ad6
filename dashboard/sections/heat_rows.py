"""The rows of a heatmap of a discovery: of all targets, or one for each aspect."""

from collections.abc import Callable, Mapping

import numpy as np

from dashboard.components.heatmap import HeatCell, HeatRow
from dashboard.figures.grid import family_of, layer_labels
from dashboard.figures.layers import (
    Value,
    baseline_words,
    baselines,
    cell_words,
    number_in,
    written_as,
)
from dashboard.figures.style import GREY, cell_colours, cell_interval
from mess.as_text import as_words, two_decimals
from mess.probing.results import Cell, TargetSummary
from mess.probing.statistics import SIGNIFICANT
from mess.records.discovery import DiscoveryRecord
from mess.search.aspects import ASPECTS, HEARD
from mess.targets import ALL_TARGETS, title_of, title_with_unit

BEST, WITHIN = "◆", "●"
_MARKS = {BEST: "the best layer", WITHIN: "within one standard error of the best layer"}
_CHANCE = (GREY, "#4a4a4a")


def target_rows(
    record: DiscoveryRecord, *, value: Value, grey: bool
) -> tuple[list[HeatRow], list[str]]:
    """Return a row for each target, and the names of the columns: layers, then baselines.

    Parameters
    ----------
    record : DiscoveryRecord
    value : str
        The number in each cell, one of `dashboard.figures.layers.VALUES`.
    grey : bool
        Take the colour from cells that are not significant over all cells.
    """
    beside = baselines(record) if value in ("r2", "spearman") else {}
    columns = [*layer_labels(record), *beside]
    by_place = {(cell.target, cell.layer): cell for cell in record.cells}
    summaries = {summary.target: summary for summary in record.summaries}
    numbers = [number_in(cell, value) for cell in record.cells]
    colours = _colours(value, max([1.5, *(n for n in numbers if np.isfinite(n))]))
    rows = []
    for target in record.target_names:
        found = [by_place.get((target, layer)) for layer in range(len(record.layer_names))]
        marks = _marks(summaries.get(target))
        cells = []
        for layer, cell in enumerate(found):
            number = float("nan") if cell is None else number_in(cell, value)
            chance = cell is not None and (cell.p_family or 0.0) > SIGNIFICANT
            colour, ink = _CHANCE if chance and grey else colours(number)
            said = [title_of(target), f"layer {layer}", "not probed"]
            if cell is not None:
                said = cell_words(cell, record.layer_names[layer])
            said += ["may be chance"] * chance
            said += [_MARKS[marks[layer]]] if layer in marks else []
            cells.append(
                HeatCell(
                    layer=layer,
                    target=target,
                    colour=colour,
                    ink=ink,
                    text=written_as(value)(number),
                    mark=marks.get(layer, ""),
                    said=", ".join(said),
                )
            )
        for name, scores in beside.items():
            score = scores.get(target)
            number = float("nan") if score is None else number_in(score, value)
            colour, ink = colours(number)
            said = ["nothing is known"]
            if score is not None:
                said = baseline_words(score, target=target, name=name)
            cells.append(
                HeatCell(
                    layer=None,
                    target=target,
                    colour=colour,
                    ink=ink,
                    text=written_as(value)(number) if score else "",
                    said=", ".join(said),
                )
            )
        best = _best_layer(summaries.get(target), found)
        rows.append(
            HeatRow(
                label=title_of(target),
                about=about(target),
                family=family_of(target),
                cells=cells,
                best=best,
                best_said=_best_said(found[best], columns[best]),
            )
        )
    return rows, columns


def about(target: str) -> str:
    """Return one plain sentence about a target, with its unit."""
    known = ALL_TARGETS.get(target)
    if known is None:
        return "This version does not know it."
    return f"{known.description} Unit: {known.unit}." if known.unit else known.description


def aspect_rows(record: DiscoveryRecord, together: Mapping[str, float | None]) -> list[HeatRow]:
    """Return a row for each aspect: of each layer its best target, and all layers together.

    Parameters
    ----------
    record : DiscoveryRecord
    together : mapping of str to float or None
        The R² of each aspect by all layers, as a recommender knows it.
    """
    by_target: dict[str, list[Cell]] = {}
    for cell in record.cells:
        if cell.r2 is not None:
            by_target.setdefault(cell.target, []).append(cell)
    rows = []
    for aspect, targets in ASPECTS.items():
        known = [cell for target in targets for cell in by_target.get(target, [])]
        of_layer: dict[int, Cell] = {}
        for cell in sorted(known, key=lambda one: one.r2 or 0.0):
            of_layer[cell.layer] = cell
        if not of_layer:
            continue
        layers = sorted(of_layer)
        best = max(of_layer.values(), key=lambda one: one.r2 or 0.0)
        cells = [_aspect_cell(of_layer[layer], aspect, best) for layer in layers]
        cells.append(_together(together.get(aspect), aspect, best))
        rows.append(
            HeatRow(
                label=as_words(aspect),
                about=f"{HEARD[aspect].capitalize()}; measured as "
                + ", ".join(title_with_unit(name) for name in targets),
                cells=cells,
                best=layers.index(best.layer),
                best_said=f"all layers: R² {two_decimals(together.get(aspect))} · "
                f"best layer {best.layer}: {two_decimals(best.r2)}",
            )
        )
    return rows


Colours = Callable[[float], tuple[str, str]]


def _colours(value: Value, top: float) -> Colours:
    """Return the colours of a number and of text on it: of a significance from 0 to ``top``."""
    scale = top if value == "p_family" else 1.0
    return lambda number: _CHANCE if np.isnan(number) else cell_colours(number / scale)


def _marks(summary: TargetSummary | None) -> Mapping[int, str]:
    """Return the layers that may be a target's best; none where no layer tells more than a mean."""
    if summary is None or not summary.beyond_mean:
        return {}
    return dict.fromkeys(summary.within, WITHIN) | {summary.best: BEST}


def _best_layer(summary: TargetSummary | None, cells: list[Cell | None]) -> int:
    if summary is not None:
        return summary.best
    known = [-np.inf if one is None or one.r2 is None else one.r2 for one in cells]
    return int(np.argmax(known))


def _best_said(cell: Cell | None, layer: str) -> str:
    if cell is None or cell.r2 is None:
        return "R² undefined"
    chance = ", may be chance" if (cell.p_family or 0.0) > SIGNIFICANT else ""
    return f"best layer {layer}: R² {two_decimals(cell.r2)} {cell_interval(cell)}{chance}"


def _aspect_cell(cell: Cell, aspect: str, best: Cell) -> HeatCell:
    chance = (cell.p_family or 0.0) > SIGNIFICANT
    colour, ink = _CHANCE if chance else cell_colours(cell.r2 or 0.0)
    return HeatCell(
        layer=cell.layer,
        target=cell.target,
        colour=colour,
        ink=ink,
        mark=BEST if cell is best and not chance and (cell.r2 or 0.0) > 0 else "",
        said=f"{as_words(aspect)}, layer {cell.layer}: R² {two_decimals(cell.r2)}"
        + (", may be chance" if chance else ""),
    )


def _together(r2: float | None, aspect: str, best: Cell) -> HeatCell:
    colour, ink = _CHANCE if r2 is None else cell_colours(r2)
    return HeatCell(
        layer=best.layer,
        target=best.target,
        colour=colour,
        ink=ink,
        text=two_decimals(r2),
        said=f"{as_words(aspect)}, all layers: R² {two_decimals(r2)}",
    )
