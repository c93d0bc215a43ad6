"""Interpolation on several scales at once: what `Scale.similarity` gives, without its searches.

`numpy.interp` looks for the two knots around each distance by bisection, and a processor cannot
foresee where that goes. Here the distances up to the last knot are divided into cells. A table
tells how many knots lie before each cell, so the knots around a distance are at hand after one
look, and one comparison for each knot within the cell. The cells have equal widths of the root of
the distance, which is a mean square: so no cell has many knots.

The results are those of `Scale.similarity` but for rounding.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mess.search.similarity import Scale

Array = NDArray[np.float64]
_CELLS = 128
_CROWDED = 8  # knots in a cell: with more, bisection is faster
_LEAST = np.float32(1e-30)
_FEW = 6000  # distances: for fewer, no table is made


class _Table(NamedTuple):
    """The knots of all scales in one row, and how many of them lie before each cell."""

    least: NDArray[np.float32]  # [scales, 1]
    most: NDArray[np.float32]
    per_cell: NDArray[np.float32]
    before: NDArray[np.int64]  # [scales · (cells + 1)]
    knots: NDArray[np.float32]  # [scales · width]
    intercepts: Array  # [1 + scales · width], of the line that begins at the knot before
    slopes: Array
    crowd: int
    crowded: list[int]


class Scales:
    """The scales of several aspects.

    Parameters
    ----------
    scales : sequence of Scale

    Examples
    --------
    >>> from mess.search.similarity import fit_scale
    >>> scales = Scales([fit_scale(np.arange(1.0, 101.0)), fit_scale(np.arange(0.1, 10.0, 0.1))])
    >>> scales.similarities(np.array([[0.0, 25.0, 95.0], [0.0, 2.5, np.nan]])).round(1).tolist()
    [[1.0, 0.5, -1.0], [1.0, 0.5, 0.0]]
    """

    def __init__(self, scales: Sequence[Scale]) -> None:
        self._scales = list(scales)
        self._table: _Table | None = None

    def similarities(self, distances: NDArray[np.floating[Any]]) -> Array:
        """Return similarities from −1 to 1; 0 (chance) where a distance is unknown (NaN).

        Parameters
        ----------
        distances : ndarray [shape=(aspects, n)]
            One row for each scale.
        """
        if self._table is None and distances.size < _FEW:
            found = np.empty(distances.shape)
            for row, scale in enumerate(self._scales):
                found[row] = scale.similarity(distances[row])
            return found
        if self._table is None:
            self._table = _tabulate(self._scales)
        table = self._table
        asked = np.maximum(distances, table.least, dtype=np.float32)
        np.minimum(asked, table.most, out=asked)
        unknown = np.isnan(asked) if np.isnan(asked.min()) else None
        if unknown is not None:
            asked[unknown] = 0.0
        cells = np.sqrt(asked)
        cells *= table.per_cell
        place = cells.astype(np.intp)
        place += (_CELLS + 1) * np.arange(len(place))[:, None]
        # How many knots lie at or below each distance, counted over the knots of all aspects.
        place = table.before.take(place)
        for _ in range(table.crowd):
            place += asked >= table.knots.take(place)
        found = table.slopes.take(place)
        found *= asked
        found += table.intercepts.take(place)
        for row in table.crowded:
            found[row] = self._scales[row].similarity(distances[row])
        if unknown is not None:
            found[unknown] = 0.0
        return found


def _tabulate(scales: Sequence[Scale]) -> _Table:
    sizes = np.array([len(scale.distances) for scale in scales])
    shape = (len(sizes), int(sizes.max()) + 1)
    used = np.arange(shape[1]) < sizes[:, None]
    knots, values = np.full(shape, np.inf, dtype=np.float32), np.zeros(shape)
    knots[used] = np.concatenate([scale.distances for scale in scales])
    values[used] = np.concatenate([scale.values for scale in scales])
    rows = np.arange(len(sizes))
    most = knots[rows, sizes - 1][:, None]
    # A place is one more than the number of the last knot at or below a distance.
    lines = np.zeros((2, 1 + knots.size))
    intercepts, slopes = (line[1:].reshape(shape) for line in lines)
    # After the last knot, and between knots that are equal in float32, no distance is looked up.
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = knots.astype(np.float64)
        slopes[:, :-1] = (values[:, 1:] - values[:, :-1]) / (exact[:, 1:] - exact[:, :-1])
        np.subtract(values, slopes * exact, out=intercepts)
    per_cell = np.float32(_CELLS - 1) / np.sqrt(np.maximum(most, _LEAST))
    cells = np.minimum(np.sqrt(knots) * per_cell, np.float32(_CELLS)).astype(np.intp)
    cells += (_CELLS + 1) * rows[:, None]
    count = np.bincount(cells.ravel(), minlength=(_CELLS + 1) * len(sizes))
    before = np.cumsum(count) - count  # the unused knots of a row lie in its last cell
    crowds = count.reshape(-1, _CELLS + 1)[:, :_CELLS].max(axis=1)
    calm = crowds[crowds <= _CROWDED]
    return _Table(
        knots[:, :1],
        most,
        per_cell,
        before,
        knots.ravel(),
        lines[0],
        lines[1],
        int(calm.max()) if calm.size else 0,
        np.flatnonzero(crowds > _CROWDED).tolist(),
    )
