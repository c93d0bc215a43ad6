"""Remarks: the qualifications that are shown beside the score of a cell.

Examples
--------
>>> cell = {"r2": 0.4, "low": -0.1, "high": 0.6, "p_family": 0.01, "works": 45}
>>> [remark.split(":")[0] for remark in remarks(cell)]
['significant, but the interval holds 0']
"""

from collections.abc import Mapping
from typing import Any

from mess.probing.statistics import FEWEST_WORKS, SIGNIFICANT

NOTHING = "nothing beyond the mean"
ONLY_MEAN = f"{NOTHING}: the probe predicts the mean of its training rows, so ranks say nothing"
HOLDS_ZERO = (
    "significant, but the interval holds 0: shuffled works hardly ever score so high, so the layer "
    "tells something of these works; but a few works carry the score, and other works may not"
)
NO_INTERVAL = f"no interval: fewer than {FEWEST_WORKS} works say too little of works to come"


def remarks(cell: Mapping[str, Any]) -> list[str]:
    """Return the remarks on a cell of a discovery."""
    if cell["r2"] is None:
        return []
    found = []
    if cell.get("only_mean"):
        found.append(ONLY_MEAN)
    if cell.get("low") is None and cell.get("works", FEWEST_WORKS) < FEWEST_WORKS:
        found.append(NO_INTERVAL)
    if holds_zero(cell):
        found.append(HOLDS_ZERO)
    return found


def holds_zero(cell: Mapping[str, Any]) -> bool:
    """Tell whether a cell is significant though its interval holds 0."""
    p, low, high = cell.get("p_family"), cell.get("low"), cell.get("high")
    if p is None or low is None or high is None:
        return False
    return bool(p <= SIGNIFICANT and low <= 0 <= high)
