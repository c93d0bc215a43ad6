"""Erasures, codelengths and confounds as the text that a command prints."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mess.as_text import interval, two_decimals
from mess.probing.statistics import SIGNIFICANT
from mess.records.untangled import CodelengthRecord, ConfoundsRecord, ErasureRecord, Untangled

_NAME = 21


def untangled_lines(record: Untangled) -> Iterator[str]:
    """Yield a record as text."""
    settings = record.settings
    about = f"{record.dataset} by {record.encoder}: {record.n} tracks of {record.works} works"
    if isinstance(record, ErasureRecord):
        yield f"erasure, {about}, {settings.folds} folds by work"
        yield from _erasure(record)
    elif isinstance(record, CodelengthRecord):
        yield f"codelength, {about}, {settings.orders} orders of the works"
        yield from _codelength(record)
    else:
        yield f"confounds, {about}"
        yield from _confounds(record)


def _erasure(record: ErasureRecord) -> Iterator[str]:
    if record.unread:
        yield f"not erased, as no layer tells them surely: {', '.join(record.unread)}"
    if not record.names:
        return
    yield "R² of the target itself: before; left for probes of the same works (0 by definition);"
    yield "then for probes of works that the eraser never saw, half of the works each: before, left"
    yield f"{'erased':<{_NAME}}{'layer':>5}{'before':>8}{'left':>7}{'before':>9}{'left':>7}"
    unseen = {one.target: one for one in record.unseen}
    for name in record.names:
        own, harder = record.loss(name, name), unseen[name]
        if own is not None:
            yield (
                f"{name:<{_NAME}}{own.layer:>5}{two_decimals(own.before):>8}"
                f"{two_decimals(own.after):>7}{two_decimals(harder.before):>9}"
                f"{two_decimals(harder.after):>7}"
            )
    yield ""
    yield "R² that every target (column) loses when a target (row) is erased from its layer;"
    yield f"* told from 0: p ≤ {SIGNIFICANT} after Holm's correction over the row"
    numbers = range(1, len(record.names) + 1)
    yield f"{'erased':<{_NAME + 3}}" + "".join(f"{f'{number} ':>7}" for number in numbers)
    for number, name in zip(numbers, record.names, strict=True):
        yield f"{number:>2} {name:<{_NAME}}" + "".join(
            f"{_lost(record, name, target):>7}" for target in record.names
        )
    for label, of in (("mean", np.mean), ("most", np.max)):
        yield f"{f'a random direction, {label}':<{_NAME + 3}}" + "".join(
            f"{two_decimals(_random(record, target, of)):>6} " for target in record.names
        )
    yield f"({record.settings.draws} random directions of the layer of the target in the column)"


def _lost(record: ErasureRecord, erased: str, target: str) -> str:
    one = record.loss(erased, target)
    if one is None:
        return "– "
    sure = one.p is not None and one.p <= SIGNIFICANT
    return two_decimals(one.before - one.after) + ("*" if sure else " ")


def _random(record: ErasureRecord, target: str, of: Callable[[list[float]], Any]) -> float | None:
    """Return the mean or the largest loss by random directions of a target's own layer."""
    own = record.loss(target, target)
    for one in record.control:
        if own is not None and (one.layer, one.target) == (own.layer, target):
            return float(of([one.before - after for after in one.after]))
    return None


def _codelength(record: CodelengthRecord) -> Iterator[str]:
    yield "bits a value, told work after work: by a uniform model, by the mean, by the best layer"
    yield "(the bits that name the layer included); then what each layer saves against the mean"
    layers = range(len(record.layer_names))
    yield (
        f"{'target':<{_NAME}}{'n':>5}{'uniform':>9}{'mean':>7}{'best':>7}{'layer':>7}"
        f"{'saves':>15}  " + "".join(f"{layer:>7}" for layer in layers)
    )
    for one in record.codes:
        best = one.best
        spread = f"{one.saved_least[best] / one.n:.2f} to {one.saved_most[best] / one.n:.2f}"
        yield (
            f"{one.target:<{_NAME}}{one.n:>5}{one.uniform / one.n:>9.2f}{one.mean / one.n:>7.2f}"
            f"{one.shortest / one.n:>7.2f}{best:>7}{spread:>15}  "
            + "".join(f"{two_decimals((one.mean - bits) / one.n):>7}" for bits in one.bits)
        )
    yield "saves: the best layer, least and most over the orders; below 0 the mean is shorter"


def _confounds(record: ConfoundsRecord) -> Iterator[str]:
    for name, why in record.left_out.items():
        yield f"{name} is not held apart: {why}"
    for name, levels in record.levels.items():
        yield f"\n{name}: {levels} levels"
        yield (
            f"{'target':<{_NAME}}{'R²':>6}{'apart':>8} {'95 %':<15}{'partial':>8} {'95 %':<15}"
            f"{name[:12] + ' alone':>19}"
        )
        for target in record.names:
            row = record.row(target, name)
            if row is not None and row.usual is not None:
                yield (
                    f"{target:<{_NAME}}{two_decimals(row.usual):>6}{two_decimals(row.apart):>8} "
                    f"{interval(row.apart_low, row.apart_high):<15}"
                    f"{two_decimals(row.partial):>8} "
                    f"{interval(row.partial_low, row.partial_high):<15}"
                    f"{two_decimals(row.alone):>19}"
                )
    if record.levels:
        yield "R²: folds by work; apart: levels that training never saw; partial: of what the"
        yield "confound leaves untold; alone: the confound without the layer"
