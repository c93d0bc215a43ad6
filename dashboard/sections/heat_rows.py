"""The rows of a heatmap of a discovery: of all targets, or one for each aspect."""

from collections.abc import Mapping, Sequence

import numpy as np

from dashboard.components.heatmap import HOW_TO_CHOOSE
from dashboard.figures.heat import ColourScale, HeatCell, HeatRow, HeatTable
from dashboard.figures.layers import (
    VALUES,
    Value,
    baseline_words,
    baselines,
    cell_words,
    number_in,
    written_as,
)
from dashboard.figures.names import about, family_of, layer_labels
from mess.as_text import as_words, two_decimals, with_interval
from mess.probing.results import Cell, TargetSummary
from mess.probing.statistics import SIGNIFICANT
from mess.records.discovery import DiscoveryRecord
from mess.search.aspects import ASPECTS, HEARD
from mess.targets import title_of, title_with_unit

BEST, WITHIN = "◆", "●"
_WHAT: Mapping[Value, str] = {
    "r2": "R²: 1 is perfect, 0 no better than the mean, below 0 worse.",
    "spearman": "Spearman's rank correlation of predicted and true.",
    "p_family": "−log₁₀ of the family-wise p: 1.3 and more is significant, 3 is one in a thousand.",
}
_MARKS = {BEST: "the best layer", WITHIN: "within one standard error of the best layer"}
_CHANCE = "may be chance"
_SCALE = ColourScale(title="R²", grey=_CHANCE)


def values_of(record: DiscoveryRecord) -> list[Value]:
    """Return the numbers that `target_heat` can show of a discovery; R² is the usual one."""
    return [one for one in VALUES if record.settings.permutations or one in ("r2", "spearman")]


def can_grey(record: DiscoveryRecord, value: Value) -> bool:
    """Tell whether what may be chance can be grey in `target_heat`; usually it is."""
    return bool(record.settings.permutations) and value != "p_family"


def target_caption(value: Value) -> str:
    """Say what stands in the cells of `target_heat`, and what its marks mean."""
    return (
        f"{_WHAT[value]} {BEST} best layer by R², {WITHIN} within one standard error of it; "
        f"neither where no layer tells more than the mean. {HOW_TO_CHOOSE}"
    )


def target_heat(
    record: DiscoveryRecord,
    *,
    value: Value = "r2",
    grey: bool = False,
    targets: Sequence[str] | None = None,
    choosable: bool = True,
) -> HeatTable:
    """Return a row for each target; the columns are layers, then baselines.

    Parameters
    ----------
    record : DiscoveryRecord
    value : str
        The number in each cell, one of `dashboard.figures.layers.VALUES`.
    grey : bool
        Take the colour from cells that are not significant over all cells.
    targets : sequence of str, optional
        These targets only, and layers only.
    choosable : bool
        Let the cell of a layer choose (layer, target).
    """
    beside = baselines(record) if value in ("r2", "spearman") and targets is None else {}
    columns = [*layer_labels(record), *beside]
    by_place = {(cell.target, cell.layer): cell for cell in record.cells}
    summaries = {summary.target: summary for summary in record.summaries}
    numbers = [number_in(cell, value) for cell in record.cells]
    scale = _scale(value, max([1.5, *(n for n in numbers if np.isfinite(n))]), grey=grey)
    rows = []
    for target in record.target_names if targets is None else targets:
        found = [by_place.get((target, layer)) for layer in range(len(record.layer_names))]
        marks = _marks(summaries.get(target))
        cells = []
        for layer, cell in enumerate(found):
            number = float("nan") if cell is None else number_in(cell, value)
            chance = cell is not None and (cell.p_family or 0.0) > SIGNIFICANT
            colour, ink = scale.colours(None if chance and grey else number)
            said = [title_of(target), f"layer {layer}", "not probed"]
            if cell is not None:
                said = cell_words(cell, record.layer_names[layer])
            said += [_CHANCE] * chance
            said += [_MARKS[marks[layer]]] if layer in marks else []
            cells.append(
                HeatCell(
                    choice=(str(layer), target) if choosable else None,
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
            colour, ink = scale.colours(number)
            said = ["nothing is known"]
            if score is not None:
                said = baseline_words(score, target=target, name=name)
            cells.append(
                HeatCell(
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
                strongest=best,
                strongest_said=_best_said(found[best], columns[best]),
            )
        )
    return HeatTable(rows=rows, columns=columns, beside=len(beside), corner="layer", scale=scale)


def aspect_heat(record: DiscoveryRecord, together: Mapping[str, float | None]) -> HeatTable:
    """Return a row for each aspect: of each layer its best target, and all layers together.

    A cell chooses (layer, target).

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
        best = max(of_layer.values(), key=lambda one: one.r2 or 0.0)
        cells = [
            _aspect_cell(of_layer.get(layer), aspect, layer=layer, best=best)
            for layer in range(len(record.layer_names))
        ]
        cells.append(_together(together.get(aspect), aspect, best))
        rows.append(
            HeatRow(
                label=as_words(aspect),
                about=f"{HEARD[aspect].capitalize()}; measured as "
                + ", ".join(title_with_unit(name) for name in targets),
                cells=cells,
                strongest=best.layer,
                strongest_said=f"all layers: R² {two_decimals(together.get(aspect))} · "
                f"best layer {best.layer}: {two_decimals(best.r2)}",
            )
        )
    columns = [*(str(number) for number in range(len(record.layer_names))), "all"]
    return HeatTable(rows=rows, columns=columns, beside=1, corner="layer", scale=_SCALE)


def _scale(value: Value, top: float, *, grey: bool) -> ColourScale:
    """Return the scale of a number; a significance goes from 0 to ``top``."""
    unknown = f"{_CHANCE}, or not known" if grey else "not known"
    if value == "p_family":
        return ColourScale(title=VALUES[value], low=0.0, high=top, reach=top, grey=unknown)
    return ColourScale(title=VALUES[value], grey=unknown)


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
    chance = f", {_CHANCE}" if (cell.p_family or 0.0) > SIGNIFICANT else ""
    return f"best layer {layer}: R² {with_interval(cell.r2, cell.low, cell.high)}{chance}"


def _aspect_cell(cell: Cell | None, aspect: str, *, layer: int, best: Cell) -> HeatCell:
    if cell is None:
        colour, ink = _SCALE.colours(None)
        said = f"{as_words(aspect)}, layer {layer}: R² undefined"
        return HeatCell(colour=colour, ink=ink, said=said)
    chance = (cell.p_family or 0.0) > SIGNIFICANT
    colour, ink = _SCALE.colours(None if chance else cell.r2 or 0.0)
    return HeatCell(
        choice=(str(cell.layer), cell.target),
        colour=colour,
        ink=ink,
        mark=BEST if cell is best and not chance and (cell.r2 or 0.0) > 0 else "",
        said=f"{as_words(aspect)}, layer {cell.layer}: R² {two_decimals(cell.r2)}"
        + (f", {_CHANCE}" if chance else ""),
    )


def _together(r2: float | None, aspect: str, best: Cell) -> HeatCell:
    colour, ink = _SCALE.colours(r2)
    return HeatCell(
        choice=(str(best.layer), best.target),
        colour=colour,
        ink=ink,
        text=two_decimals(r2),
        said=f"{as_words(aspect)}, all layers: R² {two_decimals(r2)}",
    )
