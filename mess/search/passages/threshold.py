"""Search by few aspects among many segments: rows in the order of a column, until it is sure.

A row far from the query in the heaviest aspect has lost more there than it can win elsewhere. So
only rows near the query in one column are scored. The k-th best score of these tells how far from
the query a better row may lie; if that is farther than was read, as much as that is read. The
result is exact, unless more rows would have to be read than are allowed.

References
----------
R. Fagin, A. Lotem, M. Naor: Optimal aggregation algorithms for middleware. Journal of Computer and
System Sciences 66, 2003 (the threshold algorithm).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mess.search.coordinate_index import Block
from mess.search.ranking import Part, total_scores

_FIRST = 4096  # rows that are read at once

Rows = NDArray[np.int64]
Drop = Callable[[Rows, NDArray[np.float64]], None]


class _Guide(NamedTuple):
    """The column along which rows are read: the part, the column, and its share of the part."""

    part: Part
    column: int
    share: float
    at: float


class SortedColumns:
    """The rows in the order of each column; a column is sorted when it is first needed.

    Parameters
    ----------
    block : Block
        The values of all rows.
    """

    def __init__(self, block: Block) -> None:
        self._block = block
        self._sorted: dict[int, tuple[NDArray[np.int32], NDArray[np.float32]]] = {}

    def search(
        self, parts: Sequence[Part], *, k: int, most: int, drop: Drop
    ) -> tuple[Rows, NDArray[np.float64]] | None:
        """Return rows of the block among which the ``k`` best are, and their scores.

        Parameters
        ----------
        parts : sequence of Part
            Along columns.
        k : int
        most : int
            The largest number of rows that are read.
        drop : callable
            Gets rows and scores, and lowers the scores of what is left out.

        Returns
        -------
        (rows, scores) or None
            In no order. None if nothing is liked, and more than one thing is not.
        """
        guide = _guide(parts)
        if guide is None:
            return self._far(parts, drop)
        order, values = self._column(guide.column)
        attainable = sum(abs(part.weight) for part in parts)
        reach = _reach_of(values, guide.at, min(_FIRST, most))
        while True:
            first, last = _within(values, guide.at, reach)
            places = order[first:last].astype(np.int64)
            scores = total_scores(parts, self._block, rows=places)
            drop(places, scores)
            least = float(np.partition(scores, -k)[-k]) if len(scores) >= k else -np.inf
            needed = _reach_for(guide, attainable - least)
            first, last = _within(values, guide.at, needed)
            if last - first > most:
                needed = _reach_of(values, guide.at, most)
            if needed <= reach:
                return places, scores
            reach = needed

    def _far(self, parts: Sequence[Part], drop: Drop) -> tuple[Rows, NDArray[np.float64]] | None:
        """Return rows that are as unlike as can be in the only column of a query.

        There are many. They are drawn evenly, so that other queries do not get the same few.
        """
        guides = list(_columns(parts))
        if len(guides) != 1:
            return None
        own = guides[0]
        order, values = self._column(own.column)
        reach = float(np.sqrt(own.part.scale.distances[-1] / own.share))
        first, last = _within(values, own.at, reach)
        far = np.append(order[:first], order[last:]).astype(np.int64)
        places = far[np.unique(np.linspace(0, len(far) - 1, min(_FIRST, len(far))).astype(int))]
        scores = total_scores(parts, self._block, rows=places)
        drop(places, scores)
        return places, scores

    def _column(self, column: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        if column not in self._sorted:
            values = self._block.values[column]
            order = np.argsort(values).astype(np.int32)
            self._sorted[column] = order, values[order]
        return self._sorted[column]


def _columns(parts: Sequence[Part]) -> Iterator[_Guide]:
    for part in parts:
        own = part.term.column_weights
        if own is not None and part.point is not None:
            for column, share in zip(own.columns.tolist(), own.shares.tolist(), strict=True):
                yield _Guide(part, column, share, part.point.x.item(column) + part.move)


def _guide(parts: Sequence[Part]) -> _Guide | None:
    """Return the liked column in which a distance costs most."""
    liked = [one for one in _columns(parts) if one.part.weight > 0]
    return max(liked, key=lambda one: one.part.weight * one.share, default=None)


def _within(values: NDArray[np.float32], at: float, reach: float) -> tuple[int, int]:
    """Return the first and the last (excluded) place within a distance."""
    first = int(np.searchsorted(values, at - reach))
    return first, int(np.searchsorted(values, at + reach, side="right"))


def _reach_of(values: NDArray[np.float32], at: float, count: int) -> float:
    """Return a distance within which about ``count`` rows lie, and never more."""
    centre, n = int(np.searchsorted(values, at)), len(values)
    before, after = centre - count // 2, centre + count // 2
    below = at - values.item(before) if before >= 0 else np.inf
    above = values.item(after) - at if after < n else np.inf
    return min(below, above)


def _reach_for(guide: _Guide, loss: float) -> float:
    """Return from where on a row has lost more in the guiding aspect than ``loss``."""
    scale = guide.part.scale
    alike = 1 - loss / guide.part.weight
    if alike < scale.values.item(-1):
        return np.inf
    apart = float(np.interp(-alike, -scale.values, scale.distances))
    return float(np.sqrt(apart / guide.share))
