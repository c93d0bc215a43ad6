"""Search by course: where does a curve go as it goes here?

Task: given a stretch of a curve, find the stretches of other recordings that have the same course,
however high they lie and however wide they swing.

Conventions: curves of all tracks stand one after another, with one value per half second. Two
stretches of the same length are compared by Pearson's correlation: that is the distance of both
after each is shifted to mean 0 and scaled to deviation 1 (d² = 2m (1 − r) for m values). A stretch
that swings less than `LEAST_SCALE` times as wide as the query is left out, or noise in a flat curve
would be found everywhere. Stretches across two tracks, or with undefined values, are left out.

References
----------
A. Mueen, Y. Zhu, M. Yeh et al.: The fastest similarity search algorithm for time series
subsequences under Euclidean distance, 2017. Here stretches are short, so plain sums are faster
than Fourier transforms.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError

LEAST_SCALE = 0.25
_FLAT = 1e-3  # of the deviation of all values


@dataclass(frozen=True)
class CourseMatch:
    """A stretch with the course of the query.

    Attributes
    ----------
    first : int
        The row of its first value.
    r : float
        Pearson's correlation with the query.
    scale : float
        Its deviation over that of the query.
    shift : float
        Its mean less that of the query, in the unit of the curve.
    """

    first: int
    r: float
    scale: float
    shift: float


def find_courses(
    query: NDArray[np.floating[Any]],
    values: NDArray[np.floating[Any]],
    owner: NDArray[np.integer[Any]],
    *,
    count: int,
    allowed: NDArray[np.bool_] | None = None,
    left_out: tuple[int, int] = (0, 0),
    groups: NDArray[np.integer[Any]] | None = None,
    per_group: int | None = 1,
    least_scale: float = LEAST_SCALE,
) -> list[CourseMatch]:
    """Find the stretches whose course is most alike.

    Parameters
    ----------
    query : ndarray [shape=(m,)]
        Finite; three values at least.
    values : ndarray [shape=(n,)]
        The curves of all tracks; NaN where undefined.
    owner : ndarray [shape=(n,), dtype=int]
        The track of each value, from 0, ascending.
    count : int
    allowed : ndarray [shape=(tracks,), dtype=bool], optional
        In which tracks to look.
    left_out : tuple of int
        The first row and the end of a stretch that no match overlaps, such as the query itself.
    groups : ndarray [shape=(tracks,), dtype=int], optional
        Of each track, such as its work; without it, each track is a group of its own.
    per_group : int or None
        The largest number of matches in a group; they never overlap. None for any number.
    least_scale : float

    Returns
    -------
    list of CourseMatch
        The most alike first. Stretches that go the other way (r ≤ 0) are never among them.

    Raises
    ------
    MessError
        If the query is undefined or flat.

    Examples
    --------
    >>> swell = np.array([0.0, 1.0, 3.0, 1.0, 0.0])
    >>> values = np.concatenate([np.zeros(5), 10 + 2 * swell, np.zeros(5)])
    >>> match = find_courses(swell, values, np.zeros(15, dtype=int), count=1)[0]
    >>> match.first, round(match.r, 6), round(match.scale, 6), round(match.shift, 6)
    (5, 1.0, 2.0, 11.0)
    """
    m = len(query)
    known = np.isfinite(values)
    if m < 3 or not np.isfinite(query).all():
        raise MessError("the curve is undefined in this span: choose another span")
    spread = float(values[known].std(dtype=np.float64)) if known.any() else 0.0
    own = np.asarray(query, dtype=np.float64)
    mean, deviation = float(own.mean()), float(own.std())
    if deviation <= _FLAT * spread:
        raise MessError("the curve is flat in this span: choose a span in which it moves")
    if len(values) < m:
        return []
    middle = float(values[known].mean(dtype=np.float64))
    x = np.where(known, values, middle).astype(np.float64) - middle
    sums, squares = _sums(x, m), _sums(x * x, m)
    deviations = np.sqrt(np.maximum(squares / m - np.square(sums / m), 0.0))
    usable = (_sums(known, m) == m) & (owner[m - 1 :] == owner[: len(owner) - m + 1])
    usable &= deviations >= max(least_scale * deviation, _FLAT * spread)
    if allowed is not None:
        usable &= allowed[owner[: len(usable)]]
    if left_out[1] > left_out[0]:
        usable[max(left_out[0] - m + 1, 0) : left_out[1]] = False
    scaled = (own - mean) / deviation
    products = np.correlate(x, scaled, mode="valid")
    r = np.divide(products, m * deviations, out=np.zeros(len(usable)), where=usable)
    return [
        CourseMatch(
            first=place,
            r=round(min(float(r[place]), 1.0), 9),
            scale=float(deviations[place] / deviation),
            shift=float(sums[place] / m + middle - mean),
        )
        for place in _apart(
            r, owner if groups is None else groups[owner], m, count=count, per_group=per_group
        )
    ]


def _sums(values: NDArray[Any], m: int) -> NDArray[Any]:
    """Return the sum of every ``m`` values that follow each other."""
    total = np.concatenate([[0], np.cumsum(values)])
    return total[m:] - total[:-m]


def _apart(
    r: NDArray[np.float64],
    group: NDArray[np.integer[Any]],
    m: int,
    *,
    count: int,
    per_group: int | None,
) -> list[int]:
    """Return the places of the highest r > 0, none less than ``m`` from another."""
    found: list[int] = []
    of_group: dict[int, int] = {}
    for place in _descending(r):
        own = int(group[place])
        if per_group is not None and of_group.get(own, 0) >= per_group:
            continue
        if any(abs(place - other) < m for other in found):
            continue
        found.append(place)
        of_group[own] = of_group.get(own, 0) + 1
        if len(found) == count:
            break
    return found


def _descending(r: NDArray[np.float64]) -> Any:
    """Yield the places of positive values from the highest down, in blocks that grow."""
    positive = np.flatnonzero(r > 0)
    done, block = 0, 4096
    while done < len(positive):
        if len(positive) - done > block:
            split = np.argpartition(-r[positive[done:]], block)
            positive[done:] = positive[done:][split]
        stop = min(done + block, len(positive))
        part = positive[done:stop]
        yield from part[np.lexsort((part, -r[part]))].tolist()
        done, block = stop, 4 * block
