"""Paths: recordings that lead evenly from one recording to another, along weighted aspects.

Task: given two recordings, choose a number of others, at most one of each work, that lie near the
straight line between the two, at even distances.

Conventions: every aspect measures a squared Euclidean distance (squared differences of targets, or
one minus a cosine). So weighted sums of them are squared distances D² in one space. Each aspect is
divided by its mean distance from both ends: equal weights weigh equally. For the ends a and b, a
recording t has

* the *position* p = ½ + (D²(a, t) − D²(b, t)) / (2 D²(a, b)): where its foot on the line lies,
  0 at a and 1 at b;
* the distance *aside* e = √(D²(a, t) − p² D²(a, b)) / D(a, b): how far it is from the line.

Examples
--------
>>> on_a_line = np.array([0.0, 1.0, 2.0, 2.1, 3.0])
>>> found = even_path(on_a_line**2, (on_a_line - 3) ** 2, between=9.0, works=list("abccd"), steps=2)
>>> found.rows.tolist(), found.positions.round(2).tolist()
([1, 2], [0.33, 0.67])
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError
from mess.records.evaluation import Method
from mess.search.aspects import aspect_names
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.ranking import Query, Term
from mess.search.terms import By
from mess.search.weights import share_weights

Array = NDArray[np.float64]
STEPS = 8
MOST_STEPS = 100
_EQUAL = 1e-9  # of the mean distance: what is nearer differs by rounding


class Between(NamedTuple):
    """What lies between two ends, in the order of the positions.

    Attributes
    ----------
    rows : ndarray [shape=(steps,), dtype=int]
    positions, aside : ndarray [shape=(steps,)]
    """

    rows: NDArray[np.int64]
    positions: Array
    aside: Array


@dataclass(frozen=True)
class Step:
    """A recording of a path.

    Attributes
    ----------
    track_id : str
    position : float
        0 at the start, 1 at the end.
    aside : float
        The distance from the straight line, as a share of the distance between both ends.
    values : dict of str to float
        Of each target, in its unit, as it is ranked by (`Recommendation.values`).

    Examples
    --------
    >>> Step("Bach_BWV846_p1", position=0.5, aside=0.1).position
    0.5
    """

    track_id: str
    position: float
    aside: float
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Path:
    """A path between two recordings.

    Attributes
    ----------
    steps : list of Step
        Both ends included.
    weights : dict of str to float
        Of each aspect; they sum to 1.
    methods : dict of str to str
        The method by which each aspect measures distances.

    Examples
    --------
    >>> Path([Step("a", 0.0, 0.0), Step("b", 0.4, 0.1), Step("c", 1.0, 0.0)]).evenness.__round__(2)
    0.83
    """

    steps: list[Step]
    weights: dict[str, float] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=dict)

    @property
    def evenness(self) -> float:
        """The even distance between neighbours, divided by the largest one.

        1 / (n · max(pᵢ₊₁ − pᵢ)) for n distances between positions p: 1 if all are equal, near 0 if
        one of them is nearly the whole way.
        """
        positions = [step.position for step in self.steps]
        return 1 / ((len(positions) - 1) * float(np.diff(positions).max()))

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as ``--json`` prints them."""
        return {"evenness": self.evenness, **asdict(self)}


def even_path(
    from_start: Array,
    from_end: Array,
    *,
    between: float,
    works: Sequence[Hashable] | NDArray[Any],
    steps: int = STEPS,
    exclude: NDArray[np.bool_] | None = None,
) -> Between:
    """Choose recordings that lead evenly from one end to the other.

    The way is divided into ``steps + 1`` even distances, so step k belongs at k / (steps + 1).
    Among all choices of different works, the one with the least Σ e² + ((steps + 1) p − k)² is
    returned: to be off by one such distance along the line costs as much as to be aside by the
    whole way. It is an assignment of works to steps, solved exactly. The positions never fall.

    Parameters
    ----------
    from_start, from_end : ndarray [shape=(n,)]
        The squared distance of each track from both ends; NaN where unknown.
    between : float
        The squared distance of the ends; above 0.
    works : sequence, length n
    steps : int
    exclude : ndarray [shape=(n,), dtype=bool], optional
        Tracks that must not be chosen.

    Returns
    -------
    Between
        Fewer steps if fewer works lie between the ends (0 < p < 1).
    """
    with np.errstate(invalid="ignore"):
        position = 0.5 + (from_start - from_end) / (2 * between)
        allowed = (position > 0) & (position < 1)
    if exclude is not None:
        allowed &= ~exclude
    rows = np.flatnonzero(allowed)
    p = position[rows]
    aside = np.maximum(from_start[rows] / between - np.square(p), 0.0)  # squared
    numbers = {work: number for number, work in enumerate(dict.fromkeys(works))}
    work = np.array([numbers[works[row]] for row in rows.tolist()], dtype=np.int64)
    steps = min(steps, len(np.unique(work)))
    if not steps:
        return Between(rows, p, np.sqrt(aside))
    chosen = _assign(p, aside, work, steps=steps)
    chosen = chosen[np.argsort(p[chosen], kind="stable")]
    return Between(rows[chosen], p[chosen], np.sqrt(aside[chosen]))


def _assign(p: Array, aside: Array, work: NDArray[np.int64], *, steps: int) -> NDArray[np.int64]:
    """Return the track of each step."""
    from scipy.optimize import linear_sum_assignment

    order = np.argsort(work, kind="stable")
    first = np.flatnonzero(np.diff(work[order], prepend=-1))
    best = np.empty((steps, len(first)), dtype=np.int64)
    costs = np.empty((steps, len(first)))
    for step in range(steps):
        off = (steps + 1) * p - (step + 1)  # in distances between neighbours
        cost = aside + np.square(off)
        cost = cost[order]
        costs[step] = np.minimum.reduceat(cost, first)
        # Of equal tracks of a work, the first one.
        ranked = np.lexsort((np.arange(len(cost)), cost, work[order]))
        best[step] = order[ranked[first]]
    step_of, work_of = linear_sum_assignment(costs)
    return best[step_of, work_of]


def path_between(
    recommender: LayerBasedRecommender,
    start: str,
    end: str,
    weights: Mapping[str, float],
    *,
    steps: int = STEPS,
    method: Method | None = None,
    by: By = "better",
) -> Path:
    """Return a path of recordings that leads evenly from one to another in weighted aspects.

    The module says what position and evenness are, and `even_path` how the steps are chosen.

    Parameters
    ----------
    recommender : LayerBasedRecommender
    start, end : str
        The ids of both ends. No other recording of their works is a step.
    weights : mapping of str to float
        Of each aspect, above 0; only the ratios matter.
    steps : int
        How many recordings lie between the ends.
    method, by
        As in `LayerBasedRecommender.multi_aspect_recommendation`.

    Raises
    ------
    UnknownName
        If there is no such track or aspect.
    MessError
        If a weight is not above 0, an aspect is not validated, both ends are equal in the aspects,
        or nothing lies between them.

    Examples
    --------
    >>> recommender = LayerBasedRecommender(dataset="demo", encoder="spectral")
    >>> first, last = recommender.track_ids[0], recommender.track_ids[-1]
    >>> aspect = recommender.get_available_aspects()[0]
    >>> path = path_between(recommender, first, last, {aspect: 1.0}, steps=2)
    >>> path.steps[0].track_id == first, path.steps[-1].track_id == last
    (True, True)
    """
    ends = recommender.row(start), recommender.row(end)
    if not 1 <= steps <= MOST_STEPS:
        raise MessError(f"a path has from 1 to {MOST_STEPS} steps, not {steps}")
    shares = share_weights(weights, [*aspect_names(), *recommender.heads])
    for name, share in shares.items():
        if share < 0:
            raise MessError(f"a path goes along aspects: give {name!r} a weight above 0")
    terms = [
        recommender.terms.make(name, share, method=method, by=by, rows=list(ends))
        for name, share in shares.items()
    ]
    from_start, from_end = _squared_distances(recommender, terms, ends)
    between = float(from_start[ends[1]] + from_end[ends[0]]) / 2
    if not between > _EQUAL:
        raise MessError(
            f"{start!r} and {end!r} are equal in these aspects, so nothing lies between: name "
            "other recordings or aspects"
        )
    works = recommender.works
    found = even_path(
        from_start,
        from_end,
        between=between,
        works=works,
        steps=steps,
        exclude=np.isin(works, works[list(ends)]),
    )
    if not len(found.rows):
        raise MessError(f"no recording lies between {start!r} and {end!r} in these aspects")
    rows = np.array([ends[0], *found.rows, ends[1]], dtype=np.int64)
    values = recommender.space.values(Query(terms, [(ends[0], 1.0)]), rows)
    return Path(
        steps=[
            Step(
                recommender.track_ids[row],
                position,
                aside,
                {target: sides["track"] for target, sides in own.items()},
            )
            for row, position, aside, own in zip(
                rows,
                [0.0, *found.positions.tolist(), 1.0],
                [0.0, *found.aside.tolist(), 0.0],
                values,
                strict=True,
            )
        ],
        weights=shares,
        methods={term.name: term.method for term in terms},
    )


def _squared_distances(
    recommender: LayerBasedRecommender, terms: Sequence[Term], ends: tuple[int, int]
) -> Array:
    """Return the weighted squared distance of every track from both ends [2, n]; NaN if unknown."""
    total = np.zeros((2, len(recommender.track_ids)))
    for term in terms:
        apart = np.stack([recommender.space.distances(term, end) for end in ends])
        mean = float(np.nanmean(apart))
        if mean > 0:
            total += term.weight * apart / mean
    return total
