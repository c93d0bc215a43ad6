"""The sections of a report about what readings are made of: erasure, codelength, confounds."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from mess.as_text import interval, two_decimals
from mess.records.untangled import CodelengthRecord, ConfoundsRecord, ErasureRecord, Untangled
from mess.targets import title_of

Table = Callable[[str, Sequence[str], Sequence[Sequence[str]]], str]
Matrix = Callable[[str, Mapping[str, Mapping[str, float | None]], Sequence[str]], str]


def sections(record: Untangled, *, table: Table, matrix: Matrix) -> Iterator[str]:
    """Yield the tables of a record as HTML.

    Parameters
    ----------
    record : Untangled
    table : callable
        From caption, heads and rows to HTML.
    matrix : callable
        From caption, columns (name → target → number) and targets to HTML.
    """
    if isinstance(record, ErasureRecord):
        yield from _erasure(record, table=table, matrix=matrix)
    elif isinstance(record, CodelengthRecord):
        yield from _codelength(record, table=table, matrix=matrix)
    else:
        yield from _confounds(record, table=table)


def _erasure(record: ErasureRecord, *, table: Table, matrix: Matrix) -> Iterator[str]:
    if not record.names:
        return
    columns: dict[str, dict[str, float | None]] = {
        title_of(name): {
            target: one.before - one.after if (one := record.loss(name, target)) else None
            for target in record.names
        }
        for name in record.names
    }
    own = {name: record.loss(name, name) for name in record.names}
    columns["a random direction (mean)"] = {
        one.target: float(np.mean([one.before - after for after in one.after]))
        for one in record.control
        if (cell := own.get(one.target)) is not None and cell.layer == one.layer
    }
    yield matrix("Erasure (LEACE): R² lost (rows) when a target (column) is erased from its best "
                 "layer", columns, record.names)  # fmt: skip
    rows = [
        [
            title_of(one.target),
            str(one.layer),
            two_decimals(cell.before if (cell := own.get(one.target)) else None),
            two_decimals(cell.after if cell else None),
            two_decimals(one.before),
            two_decimals(one.after),
        ]
        for one in record.unseen
    ]
    heads = ["target", "layer", "R²", "left", "R², half of the works"]
    heads.append("left, works that the eraser never saw")
    yield table("What is left of an erased target", heads, rows)


def _codelength(record: CodelengthRecord, *, table: Table, matrix: Matrix) -> Iterator[str]:
    columns: dict[str, dict[str, float | None]] = {
        f"layer {name}": {one.target: (one.mean - one.bits[layer]) / one.n for one in record.codes}
        for layer, name in enumerate(record.layer_names)
    }
    names = [one.target for one in record.codes]
    yield matrix("Codelength: bits a value saved against the mean", columns, names)
    rows = [
        [
            title_of(one.target),
            str(one.n),
            two_decimals(one.uniform / one.n),
            two_decimals(one.mean / one.n),
            two_decimals(one.shortest / one.n),
            str(one.best),
        ]
        for one in record.codes
    ]
    heads = ["target", "n", "uniform", "mean", "best layer, named", "layer"]
    yield table(f"Bits a value ({record.settings.orders} orders of the works)", heads, rows)


def _confounds(record: ConfoundsRecord, *, table: Table) -> Iterator[str]:
    for name, levels in record.levels.items():
        rows = [
            [
                title_of(one.target),
                two_decimals(one.usual),
                f"{two_decimals(one.apart)} {interval(one.apart_low, one.apart_high)}",
                f"{two_decimals(one.partial)} {interval(one.partial_low, one.partial_high)}",
                two_decimals(one.alone),
            ]
            for one in record.rows
            if one.confound == name and one.usual is not None
        ]
        heads = ["target", "R²", "apart [95 %]", "partial [95 %]", f"{name} alone"]
        yield table(f"{name} held apart ({levels} levels)", heads, rows)
    if record.left_out:
        rows = [[name, why] for name, why in record.left_out.items()]
        yield table("Not held apart", ["confound", "why"], rows)
