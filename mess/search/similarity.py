"""Bounded similarity: where a distance stands among the distances of a query to all tracks.

Task: put the distances of every aspect on one scale, so that equal weights weigh equally, whatever
an aspect is measured by (targets, whole layers, `overall`).

Conventions: the similarity is 1 at no distance, 0 at the median distance of *this* query, and −1
from the distance on that only a tenth of the tracks exceed. So 0 is as unlike as chance, half of
the tracks lie on either side, and no similarity leaves [−1, 1]. What is far enough is far enough:
without the last rule, the few most extreme tracks would be the answer to every query with a
negative weight. Distances are compared by rank, so their unit and their spread do not matter.

The shares are estimated on reference tracks, which are evenly spaced in the index.

Examples
--------
>>> import numpy as np
>>> scale = fit_scale(np.arange(1.0, 101.0))
>>> scale.similarity(np.array([0.0, 25.0, 70.0, 95.0, 1e9])).round(1).tolist()
[1.0, 0.5, -0.5, -1.0, -1.0]
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LEAST_ALIKE = 0.1  # share of the tracks that count as unlike as can be
REFERENCES = 1024
_KNOTS = 65
_EQUAL = 1e-6  # of the median distance: what is nearer differs by rounding


class Scale(NamedTuple):
    """The scale of one query in one aspect.

    Attributes
    ----------
    distances, values : ndarray [shape=(knots,)]
        The similarity at some distances, ascending; in between it is linear.
    """

    distances: Array
    values: Array

    def similarity(self, distances: NDArray[np.floating[Any]]) -> Array:
        """Return similarities from −1 to 1; 0 (chance) where a distance is unknown (NaN)."""
        found = np.interp(distances, self.distances, self.values)
        unknown = np.isnan(distances)
        if unknown.any():
            found[unknown] = 0.0
        return found


def fit_scale(distances: NDArray[np.floating[Any]]) -> Scale:
    """Fit the scale of a query in one aspect.

    Parameters
    ----------
    distances : ndarray [shape=(references,)]
        To the reference tracks, or any rising function of the distances; NaN where unknown.
    """
    return fit_scales(np.asarray(distances)[None])[0]


def fit_scales(distances: NDArray[np.floating[Any]]) -> list[Scale]:
    """Fit the scales of several aspects at once.

    Parameters
    ----------
    distances : ndarray [shape=(aspects, references)]
        As in `fit_scale`.
    """
    known = np.sort(distances, axis=1)  # NaN comes last
    if known.size and (known[:, -1] > 0).all():
        return _fit_sorted(known)
    sizes = known.shape[1] - np.isnan(known).sum(axis=1)
    found = [Scale(np.zeros(1), np.ones(1)) for _ in known]
    for row, size in enumerate(sizes.tolist()):
        if size and known[row, size - 1] > 0:
            found[row] = _fit_sorted(known[row : row + 1, :size])[0]
    return found


def _fit_sorted(known: NDArray[np.floating[Any]]) -> list[Scale]:
    """Fit scales to ascending distances without NaN [aspects, size]; the last is above 0."""
    size = known.shape[1]
    rank, values, least = _knots(size)
    knots = known[:, rank].astype(np.float64)
    middle = known[:, size // 2].astype(np.float64)
    nearest = knots[:, :1]
    nearest[:, 0] = _EQUAL * np.where(middle > 0, middle, known[:, -1])
    kept = np.ones(knots.shape, dtype=np.bool_)
    # Of equal distances, the likeness of the first counts.
    np.greater(knots[:, 1:], np.maximum(knots[:, :-1], nearest), out=kept[:, 1:])
    # Beyond the first distance that is as unlike as can be, nothing changes.
    kept[:, least + 1 :] &= ~kept[:, least : least + 1]
    return [Scale(row[own], values[own]) for row, own in zip(knots, kept, strict=True)]


@lru_cache(maxsize=64)
def _knots(size: int) -> tuple[NDArray[np.int64], Array, int]:
    """Return the ranks of the knots among sorted distances, and the similarity at each.

    The first knot stands for no distance; what is nearer than it is equal, too. The last value is
    the number of the first knot that is as unlike as can be.
    """
    rank = np.unique(np.linspace(0, size - 1, min(_KNOTS, size)).round().astype(np.int64))
    share = (rank + 1) / size
    values = np.where(
        share < 0.5, 1 - 2 * share, -np.minimum((share - 0.5) / (0.5 - LEAST_ALIKE), 1.0)
    )
    values = np.append(1.0, values)
    return np.append(0, rank), values, int(np.argmin(values))


@lru_cache(maxsize=8)
def references_of(n: int) -> NDArray[np.int64]:
    """Return the rows of the reference tracks among n."""
    rows = np.unique(np.linspace(0, n - 1, min(n, REFERENCES)).round()).astype(np.int64)
    rows.flags.writeable = False
    return rows
