"""Remarks: the qualifications that are shown beside the score of a cell.

Examples
--------
>>> from dataclasses import replace
>>> from mess.probing.results import Cell
>>> cell = Cell(4, "tempo", r2=0.4, spearman=0.6, rmse=9.0, fold_r2=[], alpha=[], n=90, works=45)
>>> cell = replace(cell, low=-0.1, high=0.6, p_family=0.01)
>>> [remark.split(":")[0] for remark in remarks(cell)]
['significant, but the interval holds 0']
"""

from mess.probing.results import Cell
from mess.probing.statistics import FEWEST_WORKS, SIGNIFICANT

NOTHING = "nothing beyond the mean"
ONLY_MEAN = f"{NOTHING}: the probe predicts the mean of its training rows, so ranks say nothing"
NO_BETTER = f"{NOTHING}: the mean of the training rows predicts as well, or better"
HOLDS_ZERO = (
    "significant, but the interval holds 0: shuffled works hardly ever score so high, so the layer "
    "tells something of these works; but a few works carry the score, and other works may not"
)
NO_INTERVAL = f"no interval: fewer than {FEWEST_WORKS} works say too little of works to come"


def remarks(cell: Cell) -> list[str]:
    """Return the remarks on a cell of a discovery."""
    if cell.r2 is None:
        return []
    found = []
    if cell.only_mean:
        found.append(ONLY_MEAN)
    elif cell.r2 <= 0:
        found.append(NO_BETTER)
    if cell.low is None and cell.works < FEWEST_WORKS:
        found.append(NO_INTERVAL)
    if holds_zero(cell):
        found.append(HOLDS_ZERO)
    return found


def holds_zero(cell: Cell) -> bool:
    """Tell whether a cell is significant though its interval holds 0."""
    if cell.p_family is None or cell.low is None or cell.high is None:
        return False
    return cell.p_family <= SIGNIFICANT and cell.low <= 0 <= cell.high
