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

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError
from mess.search.coordinate_index import Block, ColumnWeights, CoordinateIndex, Point
from mess.search.layer_index import LayerIndex, best_rows
from mess.search.similarity import Scale, fit_scale, references_of

Array = NDArray[np.float64]
TIE = 1e-5  # of the overall distance, which is at most 2
_EVERY = slice(None)
_NOTHING = Block(np.empty((0, 0), dtype=np.float32), np.empty((0, 0), dtype=np.float32))


@dataclass(frozen=True)
class Term:
    """One aspect of a query.

    Attributes
    ----------
    name : str
    weight : float
    column_weights : ColumnWeights or None
        The columns of coordinates along which it ranks, if it does.
    layer : int or None
        The layer over which it ranks, if it does.
    shown : tuple of int
        The columns whose values explain its contribution.
    method : str
        The method by which it ranks.
    """

    name: str
    weight: float
    column_weights: ColumnWeights | None
    layer: int | None
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


@dataclass(frozen=True)
class Part:
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

    def similarity(
        self, block: Block, *, rows: NDArray[np.int64] | slice = _EVERY
    ) -> NDArray[np.float64]:
        """Return the similarities of some tracks along coordinates, from −1 to 1."""
        own = self.term.column_weights
        if own is None or self.point is None:
            raise MessError(f"{self.term.name!r} has no coordinates here")
        return self.scale.similarity(block.distances(own, self.point, move=self.move, rows=rows))


def tie_break(
    parts: Sequence[Part], block: Block, *, rows: NDArray[np.int64] | slice = _EVERY
) -> Array:
    """Return a difference that decides between tracks that are equally unlike [rows].

    It is that of the overall likeness to the first liked point, and 0 if nothing is to be unlike.
    """
    liked = next((part.point for part in parts if part.point is not None), None)
    if liked is None or not block.overall.shape[1] or not any(part.weight < 0 for part in parts):
        return np.zeros(1)
    return -TIE * (1 - block.overall[rows] @ liked.overall.astype(np.float32)).astype(np.float64)


@dataclass(frozen=True)
class SearchSpace:
    """The space that is searched: the coordinates (if any) and the layers of the same tracks."""

    coordinates: CoordinateIndex | None
    layers: LayerIndex | None
    n: int

    def parts(self, query: Query) -> list[Part]:
        """Return every term at every point, each with its scale."""
        found = []
        points = [
            None if self.coordinates is None else self.coordinates.point(at)
            for at, _ in query.points
        ]
        for term in query.terms:
            for (at, sign), point in zip(query.points, points, strict=True):
                move = query.moves.get(term.name, 0.0)
                if term.layer is not None:
                    apart = 1 - self.cosines(at, term.layer)[references_of(self.n)]
                elif term.column_weights is None or self.coordinates is None or point is None:
                    raise MessError(f"nothing is known of {term.name!r} here")
                else:
                    apart = self.coordinates.references.distances(
                        term.column_weights, point, move=move
                    )
                scale = fit_scale(apart)
                found.append(Part(term, at, point, sign * term.weight, move, scale))
        return found

    def scores(self, query: Query, *, parts: Sequence[Part] | None = None) -> NDArray[np.float32]:
        """Return the score of every track [n]; ``parts`` are the query's, where they are known.

        Many tracks are as unlike as can be. Among these, the tracks that are most alike overall
        come first, by a difference that is too small for any other.
        """
        scores = np.zeros(self.n)
        parts = self.parts(query) if parts is None else parts
        for part in parts:
            scores += part.weight * self._similarity(
                part, self.coordinates.everything if self.coordinates else _NOTHING, _EVERY
            )
        if self.coordinates is not None:
            scores += tie_break(parts, self.coordinates.everything)
        return scores.astype(np.float32)

    def _similarity(self, part: Part, block: Block, rows: NDArray[np.int64] | slice) -> Array:
        """Return the similarities of the tracks in ``rows``, whose coordinates are ``block``."""
        if part.term.layer is None:
            return part.similarity(block)
        return part.scale.similarity(1 - self.cosines(part.at, part.term.layer)[rows])

    def cosines(self, at: int | Point, layer: int) -> NDArray[np.float32]:
        """Return the cosine of every track with a point over one layer, [n]."""
        if self.layers is None:
            raise MessError("passages are not compared by whole layers: use another method")
        if not isinstance(at, Point):
            return self.layers.cosines(at, layer)
        if at.layers is None:
            raise MessError("whole layers of this recording are not known: use another method")
        return self.layers.cosines_to(at.layers[layer], layer)

    def shares(
        self, query: Query, rows: NDArray[np.int64], *, parts: Sequence[Part] | None = None
    ) -> Array:
        """Return the contribution of each term to the scores of some tracks [terms, rows]."""
        parts = self.parts(query) if parts is None else parts
        block = self.coordinates.block(rows) if self.coordinates else _NOTHING
        shares = np.zeros((len(query.terms), len(rows)))
        of_term = len(query.points)
        for number, part in enumerate(parts):
            shares[number // of_term] += part.weight * self._similarity(part, block, rows)
        return shares

    def values(self, query: Query, rows: NDArray[np.int64]) -> list[dict[str, dict[str, float]]]:
        """Return the values that explain each score: those of the track and of the first query."""
        columns = list(dict.fromkeys(column for term in query.terms for column in term.shown))
        if not columns or self.coordinates is None:
            return [{} for _ in rows]
        names = [self._name(column, columns) for column in columns]
        own = self.coordinates.point_values(query.points[0][0], columns).tolist()
        return [
            {
                name: {"query": before, "track": after}
                for name, before, after in zip(names, own, theirs, strict=True)
                if np.isfinite(after)
            }
            for theirs in self.coordinates.values(rows, columns).tolist()
        ]

    def _name(self, column: int, shown: Sequence[int]) -> str:
        """Return the name of the target, marked as measured if both its values are shown."""
        if self.coordinates is None:
            return ""
        columns = self.coordinates.columns
        own = columns[column]
        kinds = [columns[number].kind for number in shown if columns[number].name == own.name]
        return f"{own.name}:measured" if own.kind == "direct" and len(kinds) > 1 else own.name


@dataclass(frozen=True)
class Cap:
    """A limit of ``most`` results with the same label; the label "" has no limit."""

    labels: Sequence[object]
    most: int


def capped_rows(
    scores: NDArray[np.float32], *, k: int, exclude: NDArray[np.bool_], caps: Sequence[Cap]
) -> NDArray[np.int64]:
    """Return the rows of the highest scores that every cap allows, best first."""
    kept: list[int] = []
    seen: Counter[tuple[int, object]] = Counter()
    for row in best_rows(scores, k=len(scores), exclude=exclude):
        labels = [(number, cap.labels[row]) for number, cap in enumerate(caps)]
        if any(seen[label] >= caps[label[0]].most for label in labels if label[1] != ""):
            continue
        seen.update(labels)
        kept.append(int(row))
        if len(kept) == k:
            break
    return np.array(kept, dtype=np.int64)
