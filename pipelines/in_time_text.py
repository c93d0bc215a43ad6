"""What `mess probe` says of an experiment in time: a table of readings, and one of curves."""

from collections.abc import Iterator

import numpy as np

from mess.as_text import interval, two_decimals
from mess.curves.phrases import READ as PHRASING
from mess.curves.registry import CURVES
from mess.experiments.in_time import EXTREMES, MEAN, TIME
from mess.probing.statistics import SIGNIFICANT
from mess.records.in_time import InTimeRecord
from mess.search.aspects import THRESHOLD
from mess.targets import MIDI_TARGETS

_COLUMNS = (MEAN, EXTREMES, TIME)


def in_time_lines(found: InTimeRecord) -> Iterator[str]:
    """Yield the lines of both tables.

    Parameters
    ----------
    found : InTimeRecord
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
    control = found.control or {}
    for target in found.readings:
        cells = [
            two_decimals(target.by[name].r2) if name in target.by else "–" for name in _COLUMNS
        ]
        cells += [two_decimals(target.r2), two_decimals(target.mixed_r2)]
        cells.append(two_decimals(control.get(target.target)))
        usual = target.usual
        share = target.by[usual].share if usual else 1.0
        yield (
            f"{target.target:<21}"
            + "".join(
                f"{cell:>{width}}" for cell, width in zip(cells, (8, 10, 8, 8, 8, 8), strict=True)
            )
            + f"  {usual}"
            + (f" ({share:.0%})" if share < 1 else "")
        )
    told = {target.target: target.r2 for target in found.readings if target.r2 is not None}
    yield f"mean of {len(told)} targets{two_decimals(found.mean_r2):>35}"
    yield from _by_source(told)
    yield from _weak_phrasing(told)
    yield from _tempo_lines(found)
    if found.why:
        yield f"no curves: {found.why}"
        return
    yield ""
    yield from _curve_lines(found)


def _by_source(told: dict[str, float]) -> Iterator[str]:
    """Say how well targets on audio are told, and how well those on MIDI."""
    for source, some in (
        ("audio", [r2 for name, r2 in told.items() if name not in MIDI_TARGETS]),
        ("MIDI", [r2 for name, r2 in told.items() if name in MIDI_TARGETS]),
    ):
        if some:
            words = f"  {len(some)} measured on {source}"
            yield f"{words:<45}{two_decimals(float(np.mean(some))):>8}"


def _weak_phrasing(told: dict[str, float]) -> Iterator[str]:
    weak = [name for name in PHRASING if name in told and told[name] < THRESHOLD]
    if weak:
        yield (
            f"phrasing is not read well here ({', '.join(weak)} under {THRESHOLD}): short "
            "recordings hold few phrases; whole movements tell more"
        )


def _tempo_lines(found: InTimeRecord) -> Iterator[str]:
    if found.tempo is None:
        yield f"no tempo through time: {found.no_frames or 'no recording has one'}"
        return
    yield ""
    yield (
        f"tempo through time, against the measured tempo of {found.tempo.recordings} recordings; "
        "accuracy 2 allows octaves"
    )
    for name, one in (("", found.tempo), (", random weights", found.control_tempo)):
        if one is not None:
            layers = [f"{layer} ({share:.0%})" for layer, share in enumerate(one.layers) if share]
            yield (
                f"accuracy 1 {one.accuracy_1:.2f}, accuracy 2 {one.accuracy_2:.2f}, onset strength "
                f"R² {two_decimals(one.strength_r2)}, layer {', '.join(layers)}{name}"
            )


def _curve_lines(found: InTimeRecord) -> Iterator[str]:
    yield "curves, a value each half second; nested: the layer chosen by each training fold"
    yield (
        f"{'curve':<17}{'unit':<9}{'nested R²':>10}{'in tracks':>10}{'r':>6}"
        f"{'best layer':>12}{'R²':>7} {'95 %':>14}"
    )
    for curve in found.summaries:
        cells = [cell for cell in found.cells if cell.curve == curve.curve]
        best = max(cells, key=lambda cell: -9.0 if cell.r2 is None else cell.r2)
        sure = best.p_family is not None and best.p_family <= SIGNIFICANT
        yield (
            f"{curve.curve:<17}{CURVES[curve.curve].unit:<9}{two_decimals(curve.r2):>10}"
            f"{two_decimals(curve.within):>10}{two_decimals(curve.correlation):>6}{best.layer:>12}"
            f"{two_decimals(best.r2):>7}{'*' if sure else ' '}"
            f"{interval(best.low, best.high):>14}"
        )
    if any(cell.p_family is not None for cell in found.cells):
        yield f"* family-wise p ≤ {SIGNIFICANT} over all layers and curves, by shuffled works"
