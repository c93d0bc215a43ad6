"""Ranking: the score of every track for a query, and the contribution of each term to it.

A *term* is one aspect of a query with its weight: columns of coordinates, or a layer. A *point* is
a track with a signed share: the shares of the liked points sum to 1, those of the disliked to −1.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError
from mess.search.coordinate_index import ColumnWeights, CoordinateIndex, Point
from mess.search.layer_index import LayerIndex, best_rows

Array = NDArray[np.float64]


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


@dataclass(frozen=True)
class SearchSpace:
    """The space that is searched: the coordinates (if any) and the layers of the same tracks."""

    coordinates: CoordinateIndex | None
    layers: LayerIndex | None
    n: int

    def scores(self, query: Query) -> NDArray[np.float32]:
        """Return the score of every track [n], up to a constant that is the same for all."""
        scores = np.zeros(self.n, dtype=np.float32)
        steered = [
            (term.column_weights, term.weight)
            for term in query.terms
            if term.column_weights is not None
        ]
        if steered and self.coordinates is not None:
            vectors = [
                sign * self.coordinates.query_vector(row, steered, offset=query.moves).vector
                for row, sign in query.points
            ]
            scores += self.coordinates.scores(np.sum(vectors, axis=0))
        layers: dict[int, float] = {}
        for term in query.terms:
            if term.layer is not None:
                layers[term.layer] = layers.get(term.layer, 0.0) + term.weight
        for layer, weight in layers.items():
            for row, sign in query.points:
                scores += np.float32(sign * weight) * self.cosines(row, layer)
        return scores

    def cosines(self, at: int | Point, layer: int) -> NDArray[np.float32]:
        """Return the cosine of every track with a point over one layer, [n]."""
        if self.layers is None:
            raise MessError("passages are not compared by whole layers: use another method")
        if not isinstance(at, Point):
            return self.layers.cosines(at, layer)
        if at.layers is None:
            raise MessError("whole layers of this recording are not known: use another method")
        return self.layers.cosines_to(at.layers[layer], layer)

    def shares(self, query: Query, rows: NDArray[np.int64]) -> Array:
        """Return the contribution of each term to the scores of some tracks [terms, rows]."""
        shares = np.zeros((len(query.terms), len(rows)))
        for number, term in enumerate(query.terms):
            for row, sign in query.points:
                if term.column_weights is not None and self.coordinates is not None:
                    alike = self.coordinates.similarities(
                        [term.column_weights], row=row, rows=rows, offset=query.moves
                    )[0]
                elif term.layer is not None:
                    alike = self.cosines(row, term.layer)[rows].astype(np.float64)
                shares[number] += sign * term.weight * alike
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
