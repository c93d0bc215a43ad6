"""Ranking: the score of every track for a query, and the contribution of each term to it.

A *term* is one aspect of a query with its weight: columns of coordinates, or a layer. A *point* is
a track with a signed share: the magnitudes of all shares sum to 1, and disliked tracks have a
negative one. A score is Σ weight · share · similarity (`mess.search.similarity`). Weights sum to 1
in magnitude, too. So a score of 1 is equal in all that is liked and least alike in all that is not;
0 is chance; and no score leaves [−1, 1].
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError
from mess.search.coordinate_index import Block, ColumnWeights, CoordinateIndex, Point
from mess.search.interpolation import Scales
from mess.search.layer_index import Layer, LayerIndex
from mess.search.similarity import Scale, fit_scales, references_of

Array = NDArray[np.float64]
TIE = 1e-5  # of the overall distance, which is at most 2
_EVERY = slice(None)
_AT_ONCE = 1 << 16  # similarities that are computed together: more do not stay in the cache


@dataclass(frozen=True)
class Term:
    """One aspect of a query.

    Attributes
    ----------
    name : str
    weight : float
    column_weights : ColumnWeights or None
        The columns of coordinates along which it ranks, if it does.
    layer : int, str or None
        The layer over which it ranks, or the name of the learned head, if it does.
    shown : tuple of int
        The columns whose values explain its contribution.
    method : str
        The method by which it ranks.
    """

    name: str
    weight: float
    column_weights: ColumnWeights | None
    layer: Layer | None
    shown: tuple[int, ...]
    method: str = ""


@dataclass(frozen=True)
class Query:
    """A query: its terms, its points, and how far it is moved along each aspect."""

    terms: Sequence[Term]
    points: Sequence[tuple[int | Point, float]]
    moves: Mapping[str, float] = field(default_factory=dict)


def point_shares(liked: int, disliked: int) -> list[float]:
    """Return the share of each liked point, then of each disliked one.

    >>> point_shares(1, 0), point_shares(2, 1)
    ([1.0], [0.25, 0.25, -0.5])
    """
    half = 0.5 if disliked else 1.0
    return [half / liked] * liked + [-half / disliked for _ in range(disliked)]


class Part(NamedTuple):
    """One term at one point.

    Attributes
    ----------
    term : Term
    at : int or Point
        The row of the point, or the point itself.
    point : Point or None
        Its coordinates; None if there are none.
    weight : float
        Signed.
    move : float
        In standard deviations.
    scale : Scale
        That of its similarities.
    """

    term: Term
    at: int | Point
    point: Point | None
    weight: float
    move: float
    scale: Scale


def similarities(parts: Sequence[Part], block: Block) -> Array:
    """Return the similarities of tracks along coordinates, from −1 to 1 [parts, tracks]."""
    return Scales([part.scale for part in parts]).similarities(_distances(parts, block, _EVERY))


def total_scores(
    parts: Sequence[Part], block: Block, *, rows: NDArray[np.int64] | slice = _EVERY
) -> Array:
    """Return the scores of some tracks by the parts along coordinates [rows]."""
    count = len(rows) if not isinstance(rows, slice) else block.values.shape[1]
    total = np.zeros(count if block.values.size else len(block.overall[rows]))
    if not parts:
        return total
    scales = Scales([part.scale for part in parts])
    weights = np.array([part.weight for part in parts])[:, None]
    size = max(_AT_ONCE // len(parts), 1)
    for first in range(0, len(total), size):
        own = slice(first, min(first + size, len(total)))
        some = own if isinstance(rows, slice) else rows[own]
        similar = scales.similarities(_distances(parts, block, some))
        similar *= weights
        # Not a matrix product: its rounding depends on the row, and would break ties.
        np.add.reduce(similar, axis=0, out=total[own])
    return total


def _distances(
    parts: Sequence[Part], block: Block, rows: NDArray[np.int64] | slice
) -> NDArray[np.float32]:
    asked = []
    for part in parts:
        if part.term.column_weights is None or part.point is None:
            raise MessError(f"{part.term.name!r} has no coordinates here")
        asked.append((part.term.column_weights, part.point, part.move))
    return block.distances_of(asked, rows=rows)


def tie_break(parts: Sequence[Part], block: Block) -> Array:
    """Return a difference that decides between tracks that are equally unlike [tracks].

    It is that of the overall likeness to the first liked point, and 0 if nothing is to be unlike.
    """
    liked = next((part.point for part in parts if part.point is not None), None)
    if liked is None or not block.overall.shape[1] or not any(part.weight < 0 for part in parts):
        return np.zeros(1)
    return -TIE * (1 - block.overall @ liked.overall.astype(np.float32)).astype(np.float64)


@dataclass(frozen=True)
class SearchSpace:
    """The space that is searched: the coordinates (if any) and the layers of the same tracks."""

    coordinates: CoordinateIndex | None
    layers: LayerIndex | None
    n: int

    def parts(self, query: Query) -> list[Part]:
        """Return every term at every point, each with its scale."""
        points = [
            None if self.coordinates is None else self.coordinates.point(at)
            for at, _ in query.points
        ]
        asked: list[tuple[ColumnWeights, Point, float]] = []
        of_layers: dict[int, NDArray[np.float32]] = {}
        parts: list[tuple[Term, int | Point, Point | None, float, float]] = []
        for term in query.terms:
            move = query.moves.get(term.name, 0.0)
            for (at, sign), point in zip(query.points, points, strict=True):
                if term.layer is not None:
                    apart = 1 - self.cosines(at, term.layer)[references_of(self.n)]
                    of_layers[len(parts)] = apart
                elif term.column_weights is None or point is None:
                    raise MessError(f"nothing is known of {term.name!r} here")
                else:
                    asked.append((term.column_weights, point, move))
                parts.append((term, at, point, sign * term.weight, move))
        distances = np.empty((len(parts), len(references_of(self.n))), dtype=np.float32)
        if asked and self.coordinates is not None:
            along = [number for number in range(len(parts)) if number not in of_layers]
            distances[along] = self.coordinates.references.distances_of(asked)
        for number, apart in of_layers.items():
            distances[number] = apart
        scales = fit_scales(distances)
        return [Part(*part, scale) for part, scale in zip(parts, scales, strict=True)]

    def scores(self, query: Query, *, parts: Sequence[Part] | None = None) -> NDArray[np.float32]:
        """Return the score of every track [n]; ``parts`` are the query's, where they are known.

        Many tracks are as unlike as can be. Among these, the tracks that are most alike overall
        come first, by a difference that is too small for any other.
        """
        parts = self.parts(query) if parts is None else parts
        along = [part for part in parts if part.term.layer is None]
        scores = np.zeros(self.n)
        if self.coordinates is not None:
            scores = total_scores(along, self.coordinates.everything)
            scores += tie_break(parts, self.coordinates.everything)
        for part in parts:
            if part.term.layer is not None:
                scores += part.weight * self._of_layer(part, part.term.layer, _EVERY)
        return scores.astype(np.float32)

    def _of_layer(self, part: Part, layer: Layer, rows: NDArray[np.int64] | slice) -> Array:
        """Return the similarities of the tracks in ``rows`` over a layer."""
        return part.scale.similarity(1 - self.cosines(part.at, layer)[rows])

    def cosines(self, at: int | Point, layer: Layer) -> NDArray[np.float32]:
        """Return the cosine of every track with a point over a layer or a head, [n]."""
        if self.layers is None:
            raise MessError("passages are not compared by whole layers: use another method")
        if not isinstance(at, Point):
            return self.layers.cosines(at, layer)
        if isinstance(layer, str):
            if layer not in at.heads:
                raise MessError(f"the head {layer!r} of this recording is not known: leave it out")
            return self.layers.cosines_to(at.heads[layer], layer)
        if at.layers is None:
            raise MessError("whole layers of this recording are not known: use another method")
        return self.layers.cosines_to(at.layers[layer], layer)

    def distances(self, term: Term, at: int | Point) -> Array:
        """Return the distance of every track from a point in one aspect [n]; NaN if unknown."""
        if term.layer is not None:
            return 1 - self.cosines(at, term.layer).astype(np.float64)
        if term.column_weights is None or self.coordinates is None:
            raise MessError(f"nothing is known of {term.name!r} here")
        point = self.coordinates.point(at)
        found = self.coordinates.everything.distances(term.column_weights, point)
        return found.astype(np.float64)

    def shares(
        self, query: Query, rows: NDArray[np.int64], *, parts: Sequence[Part] | None = None
    ) -> Array:
        """Return the contribution of each term to the scores of some tracks [terms, rows]."""
        parts = self.parts(query) if parts is None else parts
        of_parts = np.empty((len(parts), len(rows)))
        along = [number for number, part in enumerate(parts) if part.term.layer is None]
        if along and self.coordinates is not None:
            own = [parts[number] for number in along]
            of_parts[along] = similarities(own, self.coordinates.block(rows))
        for number, part in enumerate(parts):
            if part.term.layer is not None:
                of_parts[number] = self._of_layer(part, part.term.layer, rows)
        of_parts *= np.array([part.weight for part in parts])[:, None]
        return of_parts.reshape(len(query.terms), len(query.points), len(rows)).sum(axis=1)

    def compare(self, rows: Sequence[int], terms: Sequence[Term]) -> tuple[Array, Array]:
        """Return the similarities of some tracks to each other, and of all others to them.

        Both are [pairs, terms], as `mess.search.fitting.fit_weights` takes them.
        """
        everyone = np.arange(self.n)
        others = np.setdiff1d(everyone, rows)
        alike, rest = [], []
        for row in rows:
            similar = self.shares(Query(terms, [(row, 1.0)]), everyone)
            alike += [similar[:, other] for other in rows if other != row]
            rest += list(similar[:, others].T)
        return np.array(alike), np.array(rest).reshape(-1, len(terms))

    def values(self, query: Query, rows: NDArray[np.int64]) -> list[dict[str, dict[str, float]]]:
        """Return the values that explain each score: those of the track and of the first query."""
        columns = list(dict.fromkeys(column for term in query.terms for column in term.shown))
        if not columns or self.coordinates is None:
            return [{} for _ in rows]
        names = self._names(columns)
        own = self.coordinates.point_values(query.points[0][0], columns).tolist()
        return [
            {
                name: {"query": before, "track": after}
                for name, before, after in zip(names, own, theirs, strict=True)
                if isfinite(after)
            }
            for theirs in self.coordinates.values(rows, columns).tolist()
        ]

    def _names(self, shown: Sequence[int]) -> list[str]:
        """Return the names of the targets, marked as measured where both values are shown."""
        if self.coordinates is None:
            return []
        columns = [self.coordinates.columns[number] for number in shown]
        counts = Counter(column.name for column in columns)
        return [
            f"{one.name}:measured" if one.kind == "direct" and counts[one.name] > 1 else one.name
            for one in columns
        ]
