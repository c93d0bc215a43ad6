"""Place recordings in an index whose coordinates were fitted without them.

The map of the index (`mess.search.coordinate_map`) gives predicted coordinates from the features
of a recording. Coordinates of the kind "direct" come from its measured targets.

Examples
--------
>>> import numpy as np
>>> old = np.array([[0.0], [1.0], [2.0]], dtype=np.float32)
>>> merge(old, {"a": 0, "b": 1, "c": 2}, ["b", "bb", "c"], {"bb": np.array([9.0])}).ravel()
array([1., 9., 2.], dtype=float32)
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.records.index import Column
from mess.search.coordinate_index import Point
from mess.search.coordinate_map import CoordinateMap
from mess.search.tempo import DENSITY, TEMPO, octave_values
from mess.search.through_time import States


def place(
    projection: CoordinateMap,
    columns: Sequence[Column],
    *,
    features: NDArray[np.floating[Any]],
    states: States,
    measured: Mapping[str, float],
) -> Point:
    """Return the coordinates of a recording in an index.

    Parameters
    ----------
    projection : CoordinateMap
    columns : sequence of Column
        Of the index.
    features : ndarray [shape=(1, layers, width)]
        Means and deviations over time, then the least and greatest means of a segment.
    states : callable
        Returns the states of the moments in one layer [moments, dim].
    measured : mapping of str to float
        Its targets, as far as they are known.
    """
    features = features[:, :, : projection.width].astype(np.float32)
    x = projection.coordinates(features, moments=[states])[0]
    octaves = iter(octave_values(*(measured.get(n, np.nan) for n in (TEMPO, DENSITY)))[0])
    for number, column in enumerate(columns):
        if column.kind == "direct":
            value = measured.get(column.name, np.nan)
        elif column.kind == "direct_octaves":  # in the order of `octave_values`
            value = next(octaves)
        else:
            continue
        x[number] = (value - column.mean) / column.deviation
    return Point.from_coordinates(
        x, projection.overall(features)[0], layers=projection.unit(features)[0]
    )


def point_vector(point: Point) -> NDArray[np.float32]:
    """Return [x, x², u] of a point, as an index keeps it."""
    return np.concatenate([point.x, point.square, point.overall]).astype(np.float32)


def merge(
    old: NDArray[np.float32],
    row_of: Mapping[str, int],
    tracks: Sequence[str],
    placed: Mapping[str, NDArray[np.floating[Any]]],
) -> NDArray[np.float32]:
    """Return the rows of some tracks: those that are placed, and of the others the old ones.

    Parameters
    ----------
    old : ndarray [shape=(n, d)]
    row_of : mapping of str to int
        The old row of each track that keeps it.
    tracks : sequence of str, length m
    placed : mapping of str to ndarray [shape=(d,)]

    Returns
    -------
    ndarray [shape=(m, d), dtype=float32]
    """
    out = np.empty((len(tracks), old.shape[1]), dtype=np.float32)
    for row, track in enumerate(tracks):
        out[row] = placed[track] if track in placed else old[row_of[track]]
    return out
