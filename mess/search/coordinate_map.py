"""Coordinates of what is not in an index: a recording of one's own, or its segments.

Everything that `mess.search.coordinates` fits is linear in the features, so all of it is one affine
map from a recording's features to its coordinates, and one whitening. A recording that no probe was
fitted on is predicted by the mean over the folds, exactly as a track of the index whose targets are
not known.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.search.layer_index import Vectors, unit_layers
from mess.search.spaces import Array, Whitening
from mess.storage.files import load_arrays


@dataclass(frozen=True)
class CoordinateMap:
    """From features to coordinates.

    Attributes
    ----------
    weights : ndarray [shape=(layers · width, columns), dtype=float32]
        The width is dim (means over time) or 2 · dim (means, then standard deviations).
    intercepts : ndarray [shape=(columns,)]
        NaN in columns that features do not tell.
    centres : ndarray [shape=(layers, dim)]
        What each layer's vectors are seen from.
    whitening : Whitening
        Of the layers' unit vectors, one after the other.
    """

    weights: NDArray[np.float32]
    intercepts: Array
    centres: Array
    whitening: Whitening

    def coordinates(self, features: NDArray[np.floating[Any]]) -> Array:
        """Return x [n, columns] of features [n, layers, width]."""
        flat = features.reshape(len(features), -1).astype(np.float32, copy=False)
        return np.asarray(flat @ self.weights + self.intercepts)

    def unit(self, features: NDArray[np.floating[Any]]) -> Vectors:
        """Return the unit vectors of every layer [n, layers, dim]."""
        return unit_layers(features[:, :, : self.centres.shape[1]], self.centres)

    def overall(self, features: NDArray[np.floating[Any]]) -> Array:
        """Return the whitened unit vectors [n, m]."""
        return self.whitening.apply(self.unit(features).reshape(len(features), -1))

    def serialise(self) -> bytes:
        """Return all arrays as npz."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            weights=self.weights,
            intercepts=self.intercepts,
            centres=self.centres,
            mean=self.whitening.mean,
            basis=self.whitening.basis.astype(np.float32),
        )
        return buffer.getvalue()

    @classmethod
    def deserialise(cls, content: bytes) -> "CoordinateMap":
        """Read what `serialise` wrote.

        Raises
        ------
        ValueError
            If it is something else.
        """
        try:
            found = load_arrays(content)
            return cls(
                found["weights"],
                found["intercepts"],
                found["centres"],
                Whitening(found["mean"], found["basis"]),
            )
        except KeyError as error:
            raise ValueError("no projection") from error


def combine(
    maps: Sequence[NDArray[np.float32]], intercepts: Array, *, shape: tuple[int, ...]
) -> tuple[NDArray[np.float32], Array]:
    """Add up the predictors of all layers as one map.

    Parameters
    ----------
    maps : sequence of ndarray [shape=(d, t)]
        For each layer that of its means, [dim], and of means and deviations, [2 · dim]; then, if
        segments taught, for each layer that of the mean over segments.
    intercepts : ndarray [shape=(t,)]
    shape : (layers, 2 · dim)

    Returns
    -------
    weights : ndarray [shape=(layers · 2 · dim, t)]
    intercepts : ndarray [shape=(t,)]
        NaN became 0: such a target is not predicted, and its weights are 0.
    """
    layers, width = shape
    weights = np.zeros((layers, width, len(intercepts)), dtype=np.float32)
    for number, one in enumerate(maps):
        layer = number // 2 if number < 2 * layers else number - 2 * layers
        weights[layer, : len(one)] += one
    return weights.reshape(layers * width, -1), np.nan_to_num(intercepts)
