"""The coordinate index: rank tracks by predicted or measured targets, not by a whole layer.

The coordinates of a track are standardised numbers. Each column is of one kind:

* ``probe``: a target as a mixture of layer probes predicts it, out of fold;
* ``subspace``: a direction of the space in which the targets of an aspect, and their course within
  the track, are predicted together;
* ``direct``: a target as it was measured on the audio;
* ``probe_octaves``, ``direct_octaves``: tempo on a circle of octaves, and the density of onsets,
  predicted or measured (`mess.search.tempo`).

The distance in an aspect is the mean squared difference over the columns of the aspect, and for
``overall``, one more aspect, 1 minus the cosine of whitened vectors. `mess.search.similarity` says
how a distance becomes a similarity. A change of weights rebuilds nothing.

Examples
--------
>>> import numpy as np
>>> x = np.array([[0.0, 0.0], [0.1, 2.0], [1.5, 0.0]])
>>> columns = [Column("tempo", "probe"), Column("loudness", "probe")]
>>> coordinates = CoordinateIndex(serialise(x, np.zeros((3, 0))), columns)
>>> tempo = ColumnWeights("tempo", np.array([0]), np.array([1.0]))
>>> coordinates.everything.distances(tempo, coordinates.point(0)).round(2)
array([0.  , 0.01, 2.25], dtype=float32)
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from mess.records.index import Column, Kind
from mess.search.layer_index import serialise_layer
from mess.search.similarity import references_of

Array = NDArray[np.float64]
_EVERY = slice(None)
_KEPT_POINTS = 64


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
    heads : mapping of str to ndarray, optional
        What each learned head makes of it.
    """

    x: Array
    square: Array
    overall: Array
    layers: NDArray[np.float32] | None = None
    heads: Mapping[str, NDArray[np.float32]] = MappingProxyType({})

    @classmethod
    def from_coordinates(
        cls, x: Array, overall: Array, *, layers: NDArray[np.float32] | None = None
    ) -> "Point":
        """Return a point from coordinates; ``x`` is NaN where a value is unknown."""
        known = np.isfinite(x)
        x = np.where(known, x, 0.0)
        return cls(x, np.where(known, np.square(x), 1.0), overall, layers)


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
        NaN where a value is unknown. Then x = 0 and x² = 1, which no known value has.
    overall : ndarray [shape=(n, m)]
        Unit vectors.
    """
    return serialise_layer(stack_vectors(coordinates, overall))


class CoordinateIndex:
    """A search index over the coordinates of all tracks.

    Parameters
    ----------
    content : bytes or faiss.Index
        From `serialise`, or an index of the same vectors that finds a vector by its row.
    columns : sequence of Column
    """

    def __init__(self, content: Any, columns: Sequence[Column]) -> None:
        self._index: Any = content
        if isinstance(content, bytes):
            self._index = faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8))
        self.columns = list(columns)
        self.n = int(self._index.ntotal)
        self._points: dict[int, Point] = {}  # a search asks for the same few again and again

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
        count, wide = len(self.columns), vectors.astype(np.float64)
        return wide[:, :count], wide[:, count : 2 * count], wide[:, 2 * count :]

    def point(self, at: int | Point) -> Point:
        """Return the coordinates of a track; a `Point` is returned as it is."""
        if isinstance(at, Point):
            return at
        found = self._points.get(at)
        if found is None:
            x, square, overall = self._rows(np.array([at]))
            found = Point(x[0], square[0], overall[0])
            if len(self._points) >= _KEPT_POINTS:
                self._points.clear()
            self._points[at] = found
        return found

    def find(self, name: str, kind: Kind) -> list[int]:
        """Return the columns of a target (or of an aspect's subspace)."""
        return list(self._places.get((name, kind), ()))

    @cached_property
    def _places(self) -> dict[tuple[str, Kind], list[int]]:
        found: dict[tuple[str, Kind], list[int]] = {}
        for number, column in enumerate(self.columns):
            found.setdefault((column.name, column.kind), []).append(number)
        return found

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Which columns are known for every track."""
        x, square, _ = self._rows(np.arange(self.n))
        return np.asarray(((x != 0) | (square != 1)).all(axis=0))

    def is_known(self, row: int | Point, columns: NDArray[np.int64]) -> bool:
        """Tell whether the values of a track in these columns are all known."""
        x, square = self.point(row)[:2]
        # Plain numbers: arrays of one or two cost more.
        return all(x.item(one) != 0 or square.item(one) != 1 for one in columns.tolist())

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
        mean, deviation = self._units
        return np.asarray((x * deviation + mean)[:, list(columns)])

    @cached_property
    def _units(self) -> tuple[Array, Array]:
        """Return the mean and the standard deviation of each column, in the unit of its target."""
        return (
            np.array([column.mean for column in self.columns]),
            np.array([column.deviation for column in self.columns]),
        )

    @cached_property
    def everything(self) -> "Block":
        """The coordinates of all tracks."""
        return self.block_of(np.asarray(self._index.reconstruct_n(0, self.n)))

    def block(self, rows: NDArray[np.int64]) -> "Block":
        """Return the coordinates of some tracks."""
        return self.block_of(self._index.reconstruct_batch(np.asarray(rows, dtype=np.int64)))

    def block_of(self, vectors: NDArray[np.float32]) -> "Block":
        """Return vectors [x, x², u] as a block."""
        count = len(self.columns)
        values = np.ascontiguousarray(vectors[:, :count].T)
        unknown = (values == 0) & (vectors[:, count : 2 * count].T == 1)
        if unknown.any():
            values[unknown] = np.nan
        return Block(values, vectors[:, 2 * count :])

    @cached_property
    def references(self) -> "Block":
        """The coordinates of the reference tracks (`mess.search.similarity`)."""
        return self.block(references_of(self.n))


class Block(NamedTuple):
    """The coordinates of some tracks.

    Attributes
    ----------
    values : ndarray [shape=(columns, n)]
        NaN where unknown.
    overall : ndarray [shape=(n, m)]
        Unit vectors.
    """

    values: NDArray[np.float32]
    overall: NDArray[np.float32]

    def distances(self, part: ColumnWeights, point: Point) -> NDArray[np.floating[Any]]:
        """Return the distance of the tracks from a point in one aspect [n].

        It is the mean squared difference; NaN where a track has no value.
        """
        return self.distances_of([(part, point, 0.0)])[0]

    def distances_of(
        self,
        asked: Sequence[tuple[ColumnWeights, Point, float]],
        *,
        rows: NDArray[np.int64] | slice = _EVERY,
    ) -> NDArray[np.float32]:
        """Return the distances in several aspects at once [aspects, rows]; see `distances`.

        Parameters
        ----------
        asked : sequence of (ColumnWeights, Point, float)
            An aspect, the point, and how far that is moved along it, in standard deviations.
        rows : ndarray or slice
            The tracks that are wanted.
        """
        along = [bool(len(part.columns)) and not part.overall for part, _, _ in asked]
        if all(along):
            return self._apart(asked, rows)
        count = len(rows) if not isinstance(rows, slice) else len(self.overall[rows])
        found = np.zeros((len(asked), count), dtype=np.float32)
        if any(along):
            used = [one for one, is_along in zip(asked, along, strict=True) if is_along]
            found[along] = self._apart(used, rows)
        for number, (part, point, _) in enumerate(asked):
            if part.overall:
                found[number] = 1 - self.overall[rows] @ point.overall.astype(np.float32)
        return found

    def _apart(
        self,
        asked: Sequence[tuple[ColumnWeights, Point, float]],
        rows: NDArray[np.int64] | slice,
    ) -> NDArray[np.float32]:
        """Return the mean squared differences over the columns of each aspect [aspects, rows]."""
        columns: list[int] = []
        at: list[float] = []
        shares: list[float] = []
        for part, point, move in asked:  # plain numbers: arrays of one or two cost more
            own = part.columns.tolist()
            columns += own
            at += [point.x.item(column) + move for column in own]
            shares += part.shares.tolist()
        count = len(rows) if not isinstance(rows, slice) else len(self.values[0, rows])
        apart = np.empty((len(columns), count), dtype=np.float32)
        places = np.array(at, dtype=np.float32)
        for out, column, place in zip(apart, columns, places, strict=True):
            np.subtract(self.values[column, rows], place, out=out)
        apart *= apart
        if shares.count(1.0) < len(shares):
            apart *= np.array(shares, dtype=np.float32)[:, None]
        if len(columns) == len(asked):
            return apart
        first, found = 0, np.empty((len(asked), count), dtype=np.float32)
        for out, (part, _, _) in zip(found, asked, strict=True):
            last = first + len(part.columns)
            np.add.reduce(apart[first:last], axis=0, out=out)
            first = last
        return found
