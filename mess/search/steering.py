"""Steering: rank along what is predicted or measured of a track, not over a whole layer.

Every track has coordinates: standardised numbers, one column for each of

* ``probe``: a target as a mixture of layer probes predicts it, out of fold;
* ``subspace``: a direction of the space in which an aspect's targets, and their course within the
  track, are predicted together;
* ``direct``: a target as it was measured on the audio, the ceiling for that target.

Similarity in an aspect is 1 − d²/2, with d² the mean squared difference over the aspect's columns.
Two tracks drawn at random are 2 apart on average, so 1 is equal and 0 as unlike as chance; it is
not bounded below. ``overall`` is one more aspect: the cosine of whitened vectors.

Weighted similarities add up, and all of them are one inner product. With v = [x, x², u] and a query
[w·q, −w/2, w·u_q], v · query is Σ w (x q − x²/2) + Σ w u·u_q, which is the score but for a number
that is the same for every track. So one ``IndexFlatIP`` answers any mix of aspects, and no slider
rebuilds anything.

Examples
--------
>>> import numpy as np
>>> x = np.array([[0.0, 0.0], [0.1, 2.0], [1.5, 0.0]])
>>> columns = [Column("tempo", "probe"), Column("loudness", "probe")]
>>> steering = Steering(serialise(x, np.zeros((3, 0))), columns)
>>> tempo = Part("tempo", np.array([0]), np.array([1.0]))
>>> steering.similarities([tempo], row=0, rows=np.arange(3)).round(3).tolist()
[[1.0, 0.995, -0.125]]
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from mess.search.index import one_thread

Kind = Literal["probe", "subspace", "direct"]
Array = NDArray[np.float64]
_KEPT_VARIANCE = 0.95  # of an aspect's predictions in its subspace
_OVERALL_DIMENSIONS = 64


@dataclass(frozen=True)
class Column:
    """What one coordinate stands for.

    Attributes
    ----------
    name : str
        The target; of a subspace, the aspect.
    kind : "probe", "subspace" or "direct"
    mean, deviation : float
        What turns a coordinate back into the target's unit.
    r2 : float or None
        How well the prediction agrees with the measurement, out of fold.
    """

    name: str
    kind: Kind
    mean: float = 0.0
    deviation: float = 1.0
    r2: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


class Part(NamedTuple):
    """One aspect of a query: its columns and how much each counts, or the overall cosine."""

    name: str
    columns: NDArray[np.int64]
    shares: Array
    overall: bool = False


class Query(NamedTuple):
    """A query as an inner product: a track's score is ``vector · v + constant``."""

    vector: NDArray[np.float32]
    constant: float


def standardise(values: Array) -> tuple[Array, Array, Array]:
    """Return columns with mean 0 and variance 1, and what was taken off.

    Returns
    -------
    x, mean, deviation : ndarray
        A column that does not vary becomes 0; NaN stays.
    """
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / count
    deviation = np.sqrt(np.where(known, np.square(values - mean), 0.0).sum(axis=0) / count)
    flat = deviation <= 1e-9 * np.maximum(np.abs(mean), 1e-12)
    return (values - mean) / np.where(flat, np.inf, deviation), mean, deviation


def reduce_rank(predicted: Array, targets: Array) -> Array:
    """Return coordinates in the subspace in which several targets are predicted together.

    Predictions are scaled by the deviation of the targets, so what cannot be predicted has shrunk
    towards its mean and counts little; then they are projected on their leading directions. This
    is reduced-rank regression with a ridge penalty (A. J. Izenman: Reduced-rank regression for
    the multivariate linear model. Journal of Multivariate Analysis 5, 1975).

    Parameters
    ----------
    predicted, targets : ndarray [shape=(n, t)]
        Targets may be NaN.

    Returns
    -------
    ndarray [shape=(n, rank)]
        Their variances add up to 1.
    """
    _, _, deviation = standardise(targets)
    scaled = (predicted - predicted.mean(axis=0)) / np.where(deviation > 0, deviation, np.inf)
    left, strength, _ = np.linalg.svd(scaled, full_matrices=False)
    power = np.square(strength)
    if not power.sum() > 1e-12 * len(predicted):
        return np.zeros((len(predicted), 0))
    rank = int(np.searchsorted(np.cumsum(power) / power.sum(), _KEPT_VARIANCE)) + 1
    coordinates = left[:, :rank] * strength[:rank]
    return np.asarray(coordinates / np.sqrt(power[:rank].sum() / len(predicted)))


def whiten(vectors: Array) -> Array:
    """Return unit vectors whose inner products are centred, whitened cosines.

    Parameters
    ----------
    vectors : ndarray [shape=(n, d)]

    Returns
    -------
    ndarray [shape=(n, m)]
        In the leading directions of the vectors, at most 64 and a quarter of n: the directions of
        least variance are noise, and whitening would blow them up.

    References
    ----------
    M. Kessy, A. Lewin, K. Strimmer: Optimal whitening and decorrelation. The American
    Statistician 72, 2018 (PCA whitening).
    """
    centred = vectors - vectors.mean(axis=0)
    left, strength, _ = np.linalg.svd(centred, full_matrices=False)
    usable = int((strength > 1e-6 * max(strength[0], 1e-300)).sum()) if len(strength) else 0
    kept = left[:, : min(usable, _OVERALL_DIMENSIONS, max(2, len(vectors) // 4))]
    length = np.linalg.norm(kept, axis=1, keepdims=True)
    return np.divide(kept, length, out=np.zeros_like(kept), where=length > 1e-12)


def serialise(coordinates: Array, overall: Array) -> bytes:
    """Return the serialised FAISS index of v = [x, x², u].

    Parameters
    ----------
    coordinates : ndarray [shape=(n, c)]
        NaN where a value is not known: such a track is as unlike as chance, x = 0 and x² = 1.
    overall : ndarray [shape=(n, m)]
        Unit vectors.
    """
    unknown = ~np.isfinite(coordinates)
    x = np.where(unknown, 0.0, coordinates)
    vectors = np.hstack([x, np.where(unknown, 1.0, np.square(x)), overall]).astype(np.float32)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors))
    return faiss.serialize_index(index).tobytes()


class Steering:
    """The coordinates of every track, and queries over them.

    Parameters
    ----------
    content : bytes
        From `serialise`.
    columns : sequence of Column
    """

    def __init__(self, content: bytes, columns: Sequence[Column]) -> None:
        self._index: Any = faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8))
        self.columns = list(columns)
        self.n = int(self._index.ntotal)
        self._labels = np.arange(self.n, dtype=np.int64)

    @property
    def overall(self) -> Part:
        """The part that ranks by the cosine of whitened vectors."""
        none = np.empty(0)
        return Part("overall", none.astype(np.int64), none, overall=True)

    def _rows(self, rows: NDArray[np.int64]) -> tuple[Array, Array, Array]:
        """Return x, x² and u of some tracks."""
        vectors = self._index.reconstruct_batch(np.asarray(rows, dtype=np.int64))
        count = len(self.columns)
        parts = np.split(vectors.astype(np.float64), [count, 2 * count], axis=1)
        return parts[0], parts[1], parts[2]

    def find(self, name: str, kind: Kind) -> list[int]:
        """Return the columns of a target (or of an aspect's subspace)."""
        return [
            number
            for number, column in enumerate(self.columns)
            if (column.name, column.kind) == (name, kind)
        ]

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Which columns are known of every track."""
        x, square, _ = self._rows(self._labels)
        return np.asarray(((x != 0) | (square != 1)).all(axis=0))

    def is_known(self, row: int, columns: NDArray[np.int64]) -> bool:
        """Tell whether all of these values of a track are known."""
        x, square, _ = self._rows(np.array([row]))
        return bool(((x[0, columns] != 0) | (square[0, columns] != 1)).all())

    def values(self, rows: NDArray[np.int64], columns: Sequence[int]) -> Array:
        """Return values in the targets' units [rows, columns]; NaN where they are not known."""
        x, square, _ = self._rows(rows)
        x = np.where((x == 0) & (square == 1), np.nan, x)
        mean = np.array([column.mean for column in self.columns])
        deviation = np.array([column.deviation for column in self.columns])
        return np.asarray((x * deviation + mean)[:, list(columns)])

    def query(
        self,
        row: int,
        parts: Sequence[tuple[Part, float]],
        *,
        offset: Mapping[str, float] | None = None,
    ) -> Query:
        """Return a query track with weighted parts as one inner product.

        Parameters
        ----------
        row : int
            The query track.
        parts : sequence of (Part, float)
            With their weights; a negative one asks for tracks that are unlike.
        offset : mapping of str to float, optional
            How far the wanted track lies from the query in a part, in standard deviations.
        """
        x, _, overall = self._rows(np.array([row]))
        count = len(self.columns)
        vector, constant = np.zeros(self._index.d), 0.0
        for part, weight in parts:
            if part.overall:
                vector[2 * count :] += weight * overall[0]
                continue
            wanted = x[0, part.columns] + (offset or {}).get(part.name, 0.0)
            counts = weight * part.shares
            vector[part.columns] += counts * wanted
            vector[count + part.columns] -= counts / 2
            constant += weight - float(counts @ np.square(wanted)) / 2
        return Query(vector.astype(np.float32), constant)

    def scores(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the inner product of every track with a query, [n]."""
        out = np.empty(self.n, dtype=np.float32)
        query = np.ascontiguousarray(query, dtype=np.float32)
        with one_thread():
            self._index.compute_distance_subset(
                1, faiss.swig_ptr(query), self.n, faiss.swig_ptr(out), faiss.swig_ptr(self._labels)
            )
        return out

    def similarities(
        self,
        parts: Sequence[Part],
        *,
        row: int,
        rows: NDArray[np.int64],
        offset: Mapping[str, float] | None = None,
    ) -> Array:
        """Return the similarity of some tracks to the query in each part [parts, rows]."""
        x, _, overall = self._rows(np.array([row]))
        others, squares, others_overall = self._rows(rows)
        out = np.empty((len(parts), len(rows)))
        for number, part in enumerate(parts):
            if part.overall:
                out[number] = others_overall @ overall[0]
                continue
            wanted = x[0, part.columns] + (offset or {}).get(part.name, 0.0)
            apart = (
                squares[:, part.columns] - 2 * others[:, part.columns] * wanted + wanted * wanted
            )
            out[number] = 1 - apart @ part.shares / 2
        return out
