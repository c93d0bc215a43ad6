"""Out-of-sample mapping: the coordinates of a recording, or of a segment, that is not in the index.

Everything that `mess.search.coordinates` fits is linear in the features. So one affine map gives
the coordinates of a recording from its features, and one whitening gives its overall vector. A
recording that no probe was fitted on is predicted by the mean over the folds, like a track of the
index whose targets are unknown.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.search.layer_index import Vectors, unit_layers
from mess.search.spaces import Array, Whitening
from mess.search.through_time import NOTHING, CourseMap, States
from mess.storage.arrays import load_arrays


@dataclass(frozen=True)
class CoordinateMap:
    """An affine map from features to coordinates, with the whitening of the layer vectors.

    Attributes
    ----------
    weights : ndarray [shape=(layers · width, columns), dtype=float32]
        The width is dim (means over time), 2 · dim (means, then standard deviations) or 4 · dim
        (then the least and the greatest means of a segment, too).
    intercepts : ndarray [shape=(columns,)]
        NaN in columns that cannot be computed from features.
    centres : ndarray [shape=(layers, dim)]
        The centre that is subtracted from the vectors of each layer.
    whitening : Whitening
        The whitening of the unit vectors of all layers, concatenated.
    course : CourseMap
        What is read through time is added to what the features tell.
    names : tuple of str
        The targets that may be read through time.
    of_targets : ndarray [shape=(targets, columns)]
        How the coordinates follow from them.
    """

    weights: NDArray[np.float32]
    intercepts: Array
    centres: Array
    whitening: Whitening
    course: CourseMap = NOTHING
    names: tuple[str, ...] = ()
    of_targets: Array = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def width(self) -> int:
        """The number of features of each layer that `coordinates` takes."""
        return len(self.weights) // len(self.centres)

    def coordinates(
        self, features: NDArray[np.floating[Any]], *, moments: Sequence[States] = ()
    ) -> Array:
        """Return x [n, columns].

        Parameters
        ----------
        features : ndarray [shape=(n, layers, width)]
        moments : sequence of callable
            Of each recording a function that returns the states of a layer [moments, dim]; needed
            where something is read through time.
        """
        flat = features.reshape(len(features), -1).astype(np.float32, copy=False)
        x = np.asarray(flat @ self.weights + self.intercepts)
        if self.course.lines:
            if len(moments) != len(features):
                raise ValueError("moments of every recording are needed")
            told = [self.course.totals(states, self.names) for states in moments]
            x = x + np.stack(told) @ self.of_targets
        return x

    def unit(self, features: NDArray[np.floating[Any]]) -> Vectors:
        """Return the unit vectors of every layer [n, layers, dim]."""
        return unit_layers(features[:, :, : self.centres.shape[1]], self.centres)

    def overall(self, features: NDArray[np.floating[Any]]) -> Array:
        """Return the whitened unit vectors [n, m]."""
        return self.whitening.apply(self.unit(features).reshape(len(features), -1))

    def serialise(self) -> bytes:
        """Return all arrays as npz."""
        arrays: dict[str, Any] = {
            "weights": self.weights,
            "intercepts": self.intercepts,
            "centres": self.centres,
            "mean": self.whitening.mean,
            "basis": self.whitening.basis.astype(np.float32),
            "names": np.array(self.names, dtype=np.str_),
            "of_targets": self.of_targets,
            **self.course.arrays(),
        }
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def deserialise(cls, content: bytes) -> "CoordinateMap":
        """Read what `serialise` wrote.

        Raises
        ------
        ValueError
            If the content was not written by `serialise`.
        """
        try:
            arrays = load_arrays(content)
            return cls(
                arrays["weights"],
                arrays["intercepts"],
                arrays["centres"],
                Whitening(arrays["mean"], arrays["basis"]),
                CourseMap.from_arrays(arrays),
                tuple(map(str, arrays["names"])),
                arrays["of_targets"],
            )
        except KeyError as error:
            raise ValueError("no projection") from error


def combine(
    maps: Sequence[NDArray[np.float32]],
    intercepts: Array,
    *,
    parts: Sequence[NDArray[np.int64]],
    shape: tuple[int, ...],
) -> tuple[NDArray[np.float32], Array]:
    """Combine the linear maps of all predictors into one map.

    Parameters
    ----------
    maps : sequence of ndarray [shape=(d, t)]
        For each layer one map of each of ``parts``. If probes were fitted on segments, then for
        each layer the map of the mean over segments.
    intercepts : ndarray [shape=(t,)]
    parts : sequence of ndarray [dtype=int]
        Which features of a layer each predictor takes.
    shape : (layers, width)

    Returns
    -------
    weights : ndarray [shape=(layers · width, t)]
    intercepts : ndarray [shape=(t,)]
        NaN is replaced by 0: such a target is not predicted, and its weights are 0.
    """
    layers, width = shape
    weights = np.zeros((layers, width, len(intercepts)), dtype=np.float32)
    of_tracks = layers * len(parts)
    for number, predictor in enumerate(maps):
        if number < of_tracks:
            weights[number // len(parts), parts[number % len(parts)]] += predictor
        else:
            weights[number - of_tracks, : len(predictor)] += predictor
    return weights.reshape(layers * width, -1), np.nan_to_num(intercepts)
