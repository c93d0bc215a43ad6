"""The scores of encoders as a heatmap; `encoder_tables` says the same as text."""

import numpy as np

from dashboard.figures.heat import ColourScale, HeatCell, HeatRow, HeatTable
from dashboard.figures.names import about, family_of
from mess.as_text import interval, two_decimals
from mess.probing.remarks import NOTHING
from mess.records.comparison import ComparisonRecord, EncoderScores, TargetScore
from mess.targets import title_of

CONTROL, _CONTROL_WORDS = "○", "a network with random weights"
_SCORES = ColourScale(title="R²")


def score_heat(record: ComparisonRecord) -> HeatTable:
    """Return R² by target (rows) and encoder (columns); a cell chooses (encoder, target).

    The first row is the mean over the targets. A ring marks controls.

    Parameters
    ----------
    record : ComparisonRecord
    """
    encoders = record.encoders
    means = [row.mean_r2 for row in encoders]
    names = [row.name for row in encoders]
    cells = [_score_cell(row, None) for row in encoders]
    rows = [_heat_row("mean of all targets", cells, means, names=names)]
    for target in record.targets:
        scores = [row.r2.get(target) for row in encoders]
        numbers = [None if score is None else score.r2 for score in scores]
        cells = [_score_cell(row, target) for row in encoders]
        rows.append(_heat_row(title_of(target), cells, numbers, names=names, target=target))
    return HeatTable(
        rows=rows, columns=[row.name for row in encoders], corner="encoder", scale=_SCORES
    )


def _score_cell(row: EncoderScores, target: str | None) -> HeatCell:
    """Return the cell of an encoder and a target; of the mean, where there is no target."""
    score = None if target is None else row.r2.get(target)
    number = row.mean_r2 if target is None else None if score is None else score.r2
    colour, ink = _SCORES.colours(number)
    said = [f"{'mean' if target is None else title_of(target)}, {row.name}"]
    said += [f"R² {two_decimals(number)}"]
    if score is not None:
        said[-1] += f" {interval(score.low, score.high)}"
        said += [best_layers(score)]
    said += [_CONTROL_WORDS] * (row.control_of is not None)
    return HeatCell(
        choice=None if target is None else (row.name, target),
        colour=colour,
        ink=ink,
        text=two_decimals(number),
        mark=CONTROL * (row.control_of is not None),
        said=", ".join(said),
    )


def best_layers(score: TargetScore) -> str:
    """Say which layers may be the best of a target."""
    if not score.beyond_mean:
        return NOTHING
    return f"best layers {', '.join(map(str, score.layers))}"


def _heat_row(
    label: str,
    cells: list[HeatCell],
    numbers: list[float | None],
    *,
    names: list[str],
    target: str = "",
) -> HeatRow:
    known = [-np.inf if one is None else one for one in numbers]
    place = int(np.argmax(known))
    return HeatRow(
        label=label,
        about=about(target) if target else "",
        family=family_of(target) if target else "",
        cells=cells,
        strongest=place,
        strongest_said=f"{names[place]}: R² {cells[place].text}",
    )
