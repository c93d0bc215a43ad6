"""The coordinate index: rank tracks by predicted or measured targets, not by a whole layer.

The coordinates of a track are standardised numbers. Each column is of one kind:

* ``probe``: a target as a mixture of layer probes predicts it, out of fold;
* ``subspace``: a direction of the space in which the targets of an aspect, and their course within
  the track, are predicted together;
* ``direct``: a target as it was measured on the audio;
* ``probe_octaves``, ``direct_octaves``: tempo on a circle of octaves, and the density of onsets,
  predicted or measured (`mess.search.tempo`).

The similarity in an aspect is 1 − d²/2, where d² is the mean squared difference over the columns of
the aspect. The mean of d² over random pairs of tracks is 2. So 1 means equal, 0 means as different
as chance, and there is no lower bound. ``overall`` is one more aspect: the cosine of whitened
vectors.

A weighted sum of similarities is one inner product. With v = [x, x², u] and the query vector
[w·q, −w/2, w·u_q], it is Σ w (x q − x²/2) + Σ w u·u_q: the score up to a constant that is the same
for every track. So one ``IndexFlatIP`` serves any mix of aspects, and a change of weights rebuilds
nothing.

Examples
--------
>>> import numpy as np
>>> x = np.array([[0.0, 0.0], [0.1, 2.0], [1.5, 0.0]])
>>> columns = [Column("tempo", "probe"), Column("loudness", "probe")]
>>> coordinates = CoordinateIndex(serialise(x, np.zeros((3, 0))), columns)
>>> tempo = ColumnWeights("tempo", np.array([0]), np.array([1.0]))
>>> coordinates.similarities([tempo], row=0, rows=np.arange(3)).round(3).tolist()
[[1.0, 0.995, -0.125]]
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from mess.records.index import Column, Kind
from mess.search.layer_index import one_thread

Array = NDArray[np.float64]


class ColumnWeights(NamedTuple):
    """One aspect of a query: its columns and the share of each, or the overall cosine."""

    name: str
    columns: NDArray[np.int64]
    shares: Array
    overall: bool = False


class Point(NamedTuple):
    """The coordinates of one track, or of a recording that is not in the index.

    Attributes
    ----------
    x, square : ndarray [shape=(columns,)]
        0 and 1 where a value is unknown.
    overall : ndarray [shape=(m,)]
    layers : ndarray [shape=(layers, dim)] or None
        Unit vectors; None if whole layers cannot be searched.
    """

    x: Array
    square: Array
    overall: Array
    layers: NDArray[np.float32] | None = None

    @classmethod
    def from_coordinates(
        cls, x: Array, overall: Array, *, layers: NDArray[np.float32] | None = None
    ) -> "Point":
        """Return a point from coordinates; ``x`` is NaN where a value is unknown."""
        known = np.isfinite(x)
        x = np.where(known, x, 0.0)
        return cls(x, np.where(known, np.square(x), 1.0), overall, layers)


class QueryVector(NamedTuple):
    """A query as a vector: the score of a track is ``vector · v + constant``."""

    vector: NDArray[np.float32]
    constant: float


def stack_vectors(
    coordinates: NDArray[np.floating[Any]], overall: NDArray[np.floating[Any]]
) -> NDArray[np.float32]:
    """Return v = [x, x², u] of every row; see `serialise`."""
    n, count = coordinates.shape
    vectors = np.empty((n, 2 * count + overall.shape[1]), dtype=np.float32)
    unknown = ~np.isfinite(coordinates)
    vectors[:, :count] = np.where(unknown, 0.0, coordinates)
    vectors[:, count : 2 * count] = np.where(unknown, 1.0, np.square(coordinates))
    vectors[:, 2 * count :] = overall
    return vectors


def serialise(coordinates: Array, overall: Array) -> bytes:
    """Return the serialised FAISS index of v = [x, x², u].

    Parameters
    ----------
    coordinates : ndarray [shape=(n, c)]
        NaN where a value is unknown. Then x = 0 and x² = 1, so the track is as different as chance.
    overall : ndarray [shape=(n, m)]
        Unit vectors.
    """
    vectors = stack_vectors(coordinates, overall)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return faiss.serialize_index(index).tobytes()


class CoordinateIndex:
    """A search index over the coordinates of all tracks.

    Parameters
    ----------
    content : bytes
        From `serialise`.
    columns : sequence of Column
    """

    def __init__(self, content: bytes, columns: Sequence[Column]) -> None:
        self._index: Any = faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8))
        if hasattr(self._index, "make_direct_map"):
            self._index.make_direct_map()  # finds a row among the clusters
        self.columns = list(columns)
        self.n = int(self._index.ntotal)
        self._labels = np.arange(self.n, dtype=np.int64)

    @property
    def index(self) -> Any:
        """The FAISS index; `mess.search.passages.clusters` searches it."""
        return self._index

    @property
    def overall(self) -> ColumnWeights:
        """The column weights of `overall`: rank by the cosine of whitened vectors."""
        none = np.empty(0)
        return ColumnWeights("overall", none.astype(np.int64), none, overall=True)

    def _rows(self, rows: NDArray[np.int64]) -> tuple[Array, Array, Array]:
        """Return x, x² and u of some tracks."""
        vectors = self._index.reconstruct_batch(np.asarray(rows, dtype=np.int64))
        count = len(self.columns)
        parts = np.split(vectors.astype(np.float64), [count, 2 * count], axis=1)
        return parts[0], parts[1], parts[2]

    def point(self, at: int | Point) -> Point:
        """Return the coordinates of a track; a `Point` is returned as it is."""
        if isinstance(at, Point):
            return at
        x, square, overall = self._rows(np.array([at]))
        return Point(x[0], square[0], overall[0])

    def find(self, name: str, kind: Kind) -> list[int]:
        """Return the columns of a target (or of an aspect's subspace)."""
        return [
            number
            for number, column in enumerate(self.columns)
            if (column.name, column.kind) == (name, kind)
        ]

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Which columns are known for every track."""
        x, square, _ = self._rows(self._labels)
        return np.asarray(((x != 0) | (square != 1)).all(axis=0))

    def is_known(self, row: int | Point, columns: NDArray[np.int64]) -> bool:
        """Tell whether the values of a track in these columns are all known."""
        point = self.point(row)
        return bool(((point.x[columns] != 0) | (point.square[columns] != 1)).all())

    def values(self, rows: NDArray[np.int64], columns: Sequence[int]) -> Array:
        """Return values in the units of the targets [rows, columns]; NaN where unknown."""
        x, square, _ = self._rows(rows)
        return self._in_units(x, square, columns)

    def point_values(self, at: int | Point, columns: Sequence[int]) -> Array:
        """Return the values of one point [columns]; see `values`."""
        point = self.point(at)
        return self._in_units(point.x[None], point.square[None], columns)[0]

    def _in_units(self, x: Array, square: Array, columns: Sequence[int]) -> Array:
        x = np.where((x == 0) & (square == 1), np.nan, x)
        mean = np.array([column.mean for column in self.columns])
        deviation = np.array([column.deviation for column in self.columns])
        return np.asarray((x * deviation + mean)[:, list(columns)])

    def query_vector(
        self,
        row: int | Point,
        parts: Sequence[tuple[ColumnWeights, float]],
        *,
        offset: Mapping[str, float] | None = None,
    ) -> QueryVector:
        """Return the query vector of a query track and weighted parts.

        Parameters
        ----------
        row : int or Point
            The query track.
        parts : sequence of (ColumnWeights, float)
            Each with its weight; a negative weight asks for tracks that differ.
        offset : mapping of str to float, optional
            How far the wanted tracks lie from the query in each part, in standard deviations.
        """
        own = self.point(row)
        count = len(self.columns)
        vector, constant = np.zeros(self._index.d), 0.0
        for part, weight in parts:
            if part.overall:
                vector[2 * count :] += weight * own.overall
                continue
            wanted = own.x[part.columns] + (offset or {}).get(part.name, 0.0)
            counts = weight * part.shares
            vector[part.columns] += counts * wanted
            vector[count + part.columns] -= counts / 2
            constant += weight - float(counts @ np.square(wanted)) / 2
        return QueryVector(vector.astype(np.float32), constant)

    def scores(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the inner product of every track with a query vector [n]."""
        out = np.empty(self.n, dtype=np.float32)
        query = np.ascontiguousarray(query, dtype=np.float32)
        with one_thread():
            self._index.compute_distance_subset(
                1, faiss.swig_ptr(query), self.n, faiss.swig_ptr(out), faiss.swig_ptr(self._labels)
            )
        return out

    def similarities(
        self,
        parts: Sequence[ColumnWeights],
        *,
        row: int | Point,
        rows: NDArray[np.int64],
        offset: Mapping[str, float] | None = None,
    ) -> Array:
        """Return the similarity of some tracks to the query in each part [parts, rows]."""
        own = self.point(row)
        others, squares, others_overall = self._rows(rows)
        out = np.empty((len(parts), len(rows)))
        for number, part in enumerate(parts):
            if part.overall:
                out[number] = others_overall @ own.overall
                continue
            wanted = own.x[part.columns] + (offset or {}).get(part.name, 0.0)
            apart = (
                squares[:, part.columns] - 2 * others[:, part.columns] * wanted + wanted * wanted
            )
            out[number] = 1 - apart @ part.shares / 2
        return out
