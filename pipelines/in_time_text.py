"""What `mess probe` says of an experiment in time: a table of readings, and one of curves."""

from collections.abc import Iterator, Mapping
from typing import Any

from mess.curves.registry import CURVES
from mess.experiments.in_time import EXTREMES, MEAN, TIME, mean_of_readings
from mess.probing.statistics import SIGNIFICANT

_COLUMNS = (MEAN, EXTREMES, TIME)


def in_time_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of both tables.

    Parameters
    ----------
    found : mapping
        From `mess.experiments.in_time.find_in_time`; ``control``, where it was made, has the R² by
        target of the same network with random weights.
    """
    yield ""
    yield (
        "nested R² by reading: from the mean over time, from mean and extremes over segments, "
        "through time;"
    )
    yield (
        "chosen: layer, reading and smoothing by each training fold; mixed: all of these, weighed "
        "by each training fold; random: chosen, of the untrained network"
    )
    yield (
        f"{'target':<21}{'mean':>8}{'extremes':>10}{'time':>8}{'chosen':>8}{'mixed':>8}{'random':>8}"
        "  reading"
    )
    control = found.get("control", {})
    for one in found["readings"]:
        by = one["by"]
        cells = [_number(by[name]["r2"]) if name in by else "–" for name in _COLUMNS]
        cells += [_number(one["r2"]), _number(one["mixed_r2"])]
        cells.append(_number(control.get(one["target"])))
        often = max(by, key=lambda name: by[name].get("share", 0.0), default="")
        share = f" ({by[often]['share']:.0%})" if by and by[often].get("share", 0) < 1 else ""
        yield (
            f"{one['target']:<21}"
            + "".join(
                f"{cell:>{width}}" for cell, width in zip(cells, (8, 10, 8, 8, 8, 8), strict=True)
            )
            + f"  {often}{share}"
        )
    mean = mean_of_readings(found["readings"])
    told = [one for one in found["readings"] if one["r2"] is not None]
    yield f"mean of {len(told)} targets{_number(mean):>35}"
    if found["why"]:
        yield f"no curves: {found['why']}"
        return
    yield ""
    yield from _curve_lines(found)


def _curve_lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield "curves, a value each half second; nested: the layer chosen by each training fold"
    yield (
        f"{'curve':<17}{'unit':<9}{'nested R²':>10}{'in tracks':>10}{'r':>6}"
        f"{'best layer':>12}{'R²':>7} {'95 %':>14}"
    )
    for one in found["summaries"]:
        cells = [cell for cell in found["cells"] if cell["curve"] == one["curve"]]
        best = max(cells, key=lambda cell: -9.0 if cell["r2"] is None else cell["r2"])
        sure = best["p_family"] is not None and best["p_family"] <= SIGNIFICANT
        yield (
            f"{one['curve']:<17}{CURVES[one['curve']].unit:<9}{_number(one['r2']):>10}"
            f"{_number(one['within']):>10}{_number(one['correlation']):>6}{best['layer']:>12}"
            f"{_number(best['r2']):>7}{'*' if sure else ' '}"
            f"{'[' + _number(best['low']) + ', ' + _number(best['high']) + ']':>14}"
        )
    if any(cell["p_family"] is not None for cell in found["cells"]):
        yield f"* family-wise p ≤ {SIGNIFICANT} over all layers and curves, by shuffled works"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{round(value, 2) + 0.0:.2f}"
