"""A ladder: a few recordings from the least to the most of an aspect, as the layers predict it.

Task: let a person hear within seconds what a slider means. The recordings stand at even shares of
the ranking, from the tail with the least to the tail with the most; each is of another work.

Examples
--------
>>> import numpy as np
>>> even_steps(np.arange(100.0), np.arange(100), steps=5)
[2, 26, 49, 73, 97]
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError, UnknownName
from mess.search.aspects import LOWER_IS_MORE, Aspect
from mess.search.coordinate_index import CoordinateIndex
from mess.search.layer_based_recommender import LayerBasedRecommender

RUNGS = 5
_TAIL = 0.02  # share of the recordings beyond the first and the last rung


@dataclass(frozen=True)
class Rung:
    """One recording of a ladder.

    Attributes
    ----------
    track_id : str
    values : dict of str to float
        The predicted targets of the aspect, in their units.
    """

    track_id: str
    values: dict[str, float] = field(default_factory=dict)


def positions(coordinates: CoordinateIndex, aspect: Aspect) -> NDArray[np.float64]:
    """Return how much of an aspect the layers predict of every track [n]; NaN where unknown.

    It is the mean of the aspect's standardised targets, with the sign that makes more of the aspect
    larger.
    """
    columns = [column for name in aspect.steered for column in coordinates.find(name, "probe")]
    if not columns:
        return np.full(coordinates.n, np.nan)
    values = coordinates.everything.values[columns].astype(np.float64).mean(axis=0)
    return -values if aspect.name in LOWER_IS_MORE else values


def even_steps(
    values: NDArray[np.floating[Any]], works: NDArray[Any] | Sequence[str], *, steps: int = RUNGS
) -> list[int]:
    """Return the rows at even shares of a ranking, ascending; no two are of one work.

    Parameters
    ----------
    values : ndarray [shape=(n,)]
        NaN where unknown; such a row is left out.
    works : array_like [shape=(n,)]
    steps : int
        Fewer are returned if there are fewer works.
    """
    order = np.argsort(values, kind="stable")[: int(np.isfinite(values).sum())]
    work_of = np.asarray(works)[order]
    free = np.ones(len(order), dtype=bool)
    chosen: list[int] = []
    for share in np.linspace(_TAIL, 1 - _TAIL, steps):
        left = np.flatnonzero(free)
        if len(left):
            place = int(left[np.argmin(np.abs(left - share * (len(order) - 1)))])
            free &= work_of != work_of[place]
            chosen.append(place)
    return [int(order[place]) for place in sorted(chosen)]


def climb(recommender: LayerBasedRecommender, aspect: str, *, steps: int = RUNGS) -> list[Rung]:
    """Return recordings from the least to the most of an aspect.

    Parameters
    ----------
    recommender : LayerBasedRecommender
    aspect : str
    steps : int

    Raises
    ------
    UnknownName
        If there is no such aspect.
    MessError
        If it is not validated, or nothing predicts it.

    Examples
    --------
    >>> from mess import LayerBasedRecommender
    >>> recommender = LayerBasedRecommender("demo", "spectral")
    >>> ladder = climb(recommender, recommender.get_available_aspects()[0])
    >>> len(ladder), len({rung.track_id for rung in ladder})
    (5, 5)
    """
    if aspect not in recommender.aspects:
        raise UnknownName("aspect", aspect, recommender.aspects)
    own = recommender.aspects[aspect]
    if not own.validated or not own.steered:
        raise MessError(f"{aspect!r} has no ladder: {own.doubt or 'nothing predicts it'}")
    coordinates = recommender.terms.coordinates
    rows = even_steps(positions(coordinates, own), recommender.works, steps=steps)
    columns = [coordinates.find(name, "probe")[0] for name in own.steered]
    values = coordinates.values(np.array(rows), columns).tolist()
    return [
        Rung(recommender.track_ids[row], dict(zip(own.steered, of_row, strict=True)))
        for row, of_row in zip(rows, values, strict=True)
    ]
