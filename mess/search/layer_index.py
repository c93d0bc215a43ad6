"""The layer index: exact inner products over centred, normalised layer vectors.

The vectors of each layer are centred on the dataset's mean and scaled to length 1. So an inner
product is a cosine, and layers can be added. Weights apply to the query only: the score of a track
is Σ_l w_l · cos_l, computed for *all* tracks before they are ranked. (Merging the top lists of the
layers would lose most of the right answers.) Each layer is one FAISS ``IndexFlatIP``. A query reads
only the layers that have a weight, and a change of weights rebuilds nothing.

What a learned head makes of the tracks is one more layer, by the name of the head; its vectors have
length 1 and are not centred.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

_CACHED_QUERIES = 32  # (query, layer) pairs
Vectors = NDArray[np.float32]
Layer = int | str  # the number of a layer, or the name of a head


def normalise_layers(values: NDArray[np.floating[Any]]) -> Vectors:
    """Centre every layer on its mean over tracks and scale each vector to length 1.

    Parameters
    ----------
    values : ndarray [shape=(n, layers, dim)]

    Returns
    -------
    ndarray [shape=(n, layers, dim), dtype=float32]
        A vector that equals the mean becomes zero.
    """
    return unit_layers(values, values.mean(axis=0, dtype=np.float64))


def unit_layers(values: NDArray[np.floating[Any]], centres: NDArray[np.float64]) -> Vectors:
    """Subtract the centre of each layer [layers, dim], then scale each vector to length 1.

    Parameters
    ----------
    values : ndarray [shape=(n, layers, dim)]
    """
    centred = values.astype(np.float64) - centres
    length = np.linalg.norm(centred, axis=2, keepdims=True)
    return np.divide(centred, length, out=np.zeros_like(centred), where=length > 1e-12).astype(
        np.float32
    )


def serialise_layer(vectors: Vectors) -> bytes:
    """Return one layer's vectors, [n, dim], as a serialised FAISS index."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors))
    return faiss.serialize_index(index).tobytes()


def flat_vectors(content: bytes) -> Vectors:
    """Return the vectors [n, dim] of a serialised index that holds them as they are."""
    index = faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8))
    return np.asarray(index.reconstruct_n(0, index.ntotal))


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit FAISS to one thread: for so short a query, waiting for other threads costs more."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


class LayerIndex:
    """Cosines of every track to a query track, layer by layer.

    Parameters
    ----------
    n : int
        Number of tracks.
    read_layer : callable
        Returns a layer's serialised index; called when the layer is first needed.
    """

    def __init__(self, n: int, read_layer: Callable[[Layer], bytes]) -> None:
        self._n = n
        self._read_layer = read_layer
        self._layers: dict[Layer, Any] = {}  # the parts of faiss used here have no types
        self._labels = np.arange(n, dtype=np.int64)
        # Cached, because a change of weights does not change the cosines.
        self.cosines = lru_cache(maxsize=_CACHED_QUERIES)(self._compute_cosines)

    def _layer(self, layer: Layer) -> Any:
        if layer not in self._layers:
            content = np.frombuffer(self._read_layer(layer), dtype=np.uint8)
            self._layers[layer] = faiss.deserialize_index(content)
        return self._layers[layer]

    def _compute_cosines(self, row: int, layer: Layer) -> Vectors:
        """Return the cosine of every track to track ``row`` in one layer, [n]."""
        return self.cosines_to(self._layer(layer).reconstruct(row), layer)

    def cosines_to(self, vector: Vectors, layer: Layer) -> Vectors:
        """Return the cosine of every track to a unit vector in one layer, [n]."""
        index = self._layer(layer)
        query, out = np.ascontiguousarray(vector), np.empty(self._n, dtype=np.float32)
        with one_thread():
            index.compute_distance_subset(
                1,
                faiss.swig_ptr(query),
                self._n,
                faiss.swig_ptr(out),
                faiss.swig_ptr(self._labels),
            )
        return out

    def search(
        self, row: int, weights: Mapping[int, float], *, k: int, exclude: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], Vectors]:
        """Return the ``k`` tracks with the largest Σ w·cos, best first, and their cosines.

        Parameters
        ----------
        row : int
            The query track.
        weights : mapping of int to float
            Weight of each layer; layers that are not named are not read.
        k : int
        exclude : ndarray [shape=(n,), dtype=bool]
            Tracks that must not be returned.

        Returns
        -------
        rows : ndarray [shape=(k,)]
            Fewer if too few tracks remain. Ties are in the order of the rows.
        cosines : ndarray [shape=(layers, k)]
            In the order of ``weights``.
        """
        cosines = np.stack([self.cosines(row, layer) for layer in weights])
        # Not a matrix product: its rounding depends on the row, and would break ties.
        scores = np.zeros(self._n, dtype=np.float32)
        for weight, of_layer in zip(weights.values(), cosines, strict=True):
            scores += np.float32(weight) * of_layer
        best = best_rows(scores, k=k, exclude=exclude)
        return best, cosines[:, best]


def best_rows(scores: Vectors, *, k: int, exclude: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rows of the ``k`` highest scores, best first; ties are in the order of the rows.

    Parameters
    ----------
    scores : ndarray [shape=(n,)]
    k : int
    exclude : ndarray [shape=(n,), dtype=bool]
        Rows that must not be returned.
    """
    scores = np.where(exclude, -np.inf, scores)
    k = min(k, int(len(scores) - exclude.sum()))
    if k == 0:
        return np.empty(0, dtype=np.int64)
    least = np.partition(scores, -k)[-k]
    near = np.flatnonzero((scores >= least) & ~exclude)  # k rows, and ties with the last of them
    return near[np.argsort(-scores[near], kind="stable")][:k]
