"""Figures and tables of what a reading is made of: erasure, codelength, confounds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.figures.heat import (
    ColourScale,
    HeatCell,
    HeatRow,
    HeatTable,
    furthest,
    number_heat,
)
from mess.as_text import interval, two_decimals, with_interval
from mess.probing.erasure import Loss
from mess.probing.statistics import SIGNIFICANT
from mess.records.untangled import CodelengthRecord, ConfoundsRecord, ErasureRecord
from mess.targets import title_of

if TYPE_CHECKING:
    import pandas as pd

_RANDOM = "a random direction"


def erasure_heat(record: ErasureRecord, *, left: bool) -> HeatTable:
    """Return what every target loses, or what is left of it, when another one is erased.

    A cell chooses (erased, target); the row of random directions chooses nothing.

    Parameters
    ----------
    record : ErasureRecord
    left : bool
        Show the R² that is left instead of the R² that is lost.
    """
    names = record.names
    scale = ColourScale(title="R² left" if left else "R² lost")
    rows = []
    for erased in names:
        losses = [record.loss(erased, target) for target in names]
        numbers = [_number(one, left) for one in losses]
        cells = [_cell(number, one, scale) for number, one in zip(numbers, losses, strict=True)]
        rows.append(_row(title_of(erased), numbers, cells, names, own=names.index(erased)))
    chance = [random_loss(record, target, np.mean, left=left) for target in names]
    cells = [
        replace(
            _cell(number, None, scale),
            said=f"{title_of(target)} when a random direction is erased: {scale.title} "
            f"{two_decimals(number)} on average",
        )
        for number, target in zip(chance, names, strict=True)
    ]
    rows.append(_row(_RANDOM, chance, cells, names))
    return HeatTable(
        rows=rows, columns=[title_of(name) for name in names], corner="erased", scale=scale
    )


def _cell(number: float | None, one: Loss | None, scale: ColourScale) -> HeatCell:
    colour, ink = scale.colours(number)
    return HeatCell(
        choice=None if one is None else (one.erased, one.target),
        colour=colour,
        ink=ink,
        text=two_decimals(number),
        said="This pair could not be probed." if one is None else loss_text(one),
    )


def _row(
    label: str,
    numbers: Sequence[float | None],
    cells: Sequence[HeatCell],
    names: Sequence[str],
    *,
    own: int = -1,
) -> HeatRow:
    """Return a row; its strongest cell is that of another target than the erased one."""
    others = [None if place == own else number for place, number in enumerate(numbers)]
    place = furthest(others)
    return HeatRow(
        label=label,
        cells=cells,
        strongest=place,
        strongest_said=f"{title_of(names[place])}: {cells[place].text}",
    )


def _number(one: Loss | None, left: bool) -> float | None:
    if one is None:
        return None
    return one.after if left else one.before - one.after


def loss_text(one: Loss) -> str:
    """Say in words what a cell of the matrix holds."""
    return (
        f"{title_of(one.target)} when {title_of(one.erased)} is erased from layer {one.layer}: R² "
        f"{two_decimals(one.before)} → {two_decimals(one.after)}, change, 95 % "
        f"{interval(one.low, one.high)}"
    )


def describe_erasure(record: ErasureRecord) -> str:
    """Say in words what the matrix shows."""
    others = [one for one in record.losses if one.erased != one.target]
    if not others:
        return f"{len(record.names)} targets were erased; there is no other to lose."
    most = max(others, key=lambda one: one.before - one.after)
    sure = sum(one.p is not None and one.p <= SIGNIFICANT for one in others)
    return (
        f"Matrix of {len(record.names)} erased targets. The largest loss of another target is that "
        f"of {title_of(most.target)} when {title_of(most.erased)} is erased: R² "
        f"{two_decimals(most.before)} → {two_decimals(most.after)}. "
        f"{sure} of {len(others)} losses are told from 0."
    )


def random_loss(
    record: ErasureRecord, target: str, of: Callable[[list[float]], Any], *, left: bool = False
) -> float | None:
    """Return the mean, least or largest loss by random directions of a target's own layer."""
    own = record.loss(target, target)
    for one in record.control:
        if own is not None and (one.layer, one.target) == (own.layer, target):
            return float(of(one.after if left else [one.before - after for after in one.after]))
    return None


def unseen_table(record: ErasureRecord) -> "pd.DataFrame":
    """Return what is left of each erased target, for probes of the same works and of others."""
    import pandas as pd

    rows = []
    for one in record.unseen:
        own = record.loss(one.target, one.target)
        rows.append(
            {
                "target": title_of(one.target),
                "layer": one.layer,
                "R²": two_decimals(own.before if own else None),
                "left, same works": two_decimals(own.after if own else None),
                "R², half of the works": two_decimals(one.before),
                "left, works that the eraser never saw": two_decimals(one.after),
            }
        )
    return pd.DataFrame(rows)


def codelength_heat(record: CodelengthRecord) -> HeatTable:
    """Return the bits a value that each layer saves against the mean of the works told before."""
    saved = {
        title_of(one.target): {
            str(layer): (one.mean - bits) / one.n for layer, bits in enumerate(one.bits)
        }
        for one in record.codes
    }
    most = max((abs(value) for row in saved.values() for value in row.values()), default=1.0)
    return number_heat(
        saved,
        columns=[str(layer) for layer in range(len(record.layer_names))],
        name=lambda layer: record.layer_names[int(layer)],
        scale=ColourScale(title="bits a value", low=-most, high=most, reach=most),
        corner="layer",
    )


def codelength_table(record: CodelengthRecord) -> "pd.DataFrame":
    """Return the bits a value of each target, by the uniform model, the mean and the best layer."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "target": title_of(one.target),
                "n": one.n,
                "uniform": two_decimals(one.uniform / one.n),
                "mean": two_decimals(one.mean / one.n),
                "best layer, named": two_decimals(one.shortest / one.n),
                "layer": one.best,
                "saves, over the orders": (
                    f"{two_decimals(one.saved_least[one.best] / one.n)} to "
                    f"{two_decimals(one.saved_most[one.best] / one.n)}"
                ),
            }
            for one in record.codes
        ]
    )


def confounds_matrix(record: ConfoundsRecord) -> dict[str, dict[str, float | None]]:
    """Return the rows of a heatmap: R² as usual, then with each confound held apart, and partial.

    Targets that cannot be probed are left out.
    """
    first = next(iter(record.levels), "")
    usual = {one.target: one.usual for one in record.rows if one.confound == first}
    for one in record.rows:  # the target that is itself the first confound
        usual.setdefault(one.target, one.usual)
    probed = [name for name in record.names if usual.get(name) is not None]
    found: dict[str, dict[str, float | None]] = {"folds by work": {n: usual[n] for n in probed}}
    for name in record.levels:
        of = {one.target: one for one in record.rows if one.confound == name}
        found[f"{name} apart"] = {n: of[n].apart if n in of else None for n in probed}
        found[f"{name} given (partial)"] = {n: of[n].partial if n in of else None for n in probed}
    return found


def confounds_table(record: ConfoundsRecord, confound: str) -> "pd.DataFrame":
    """Return the scores of every target with one confound, with their intervals."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "target": title_of(one.target),
                "R²": two_decimals(one.usual),
                "apart": with_interval(one.apart, one.apart_low, one.apart_high),
                "partial": with_interval(one.partial, one.partial_low, one.partial_high),
                f"{confound} alone": two_decimals(one.alone),
            }
            for one in record.rows
            if one.confound == confound and one.usual is not None
        ]
    )
