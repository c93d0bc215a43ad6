"""The coordinates of segments, computed track by track to keep few features in memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.probing.stacking import SegmentProbes
from mess.records.index import Column
from mess.search.coordinate_map import CoordinateMap
from mess.search.layer_index import unit_layers
from mess.search.passages.rows import CoordinateRows, RowsInMemory, RowsOnDisk
from mess.search.spaces import fit_whitening, standardise
from mess.storage.inverted_lists import Spool

OVERALL_DIMENSIONS = 32
_WHITENED = 2000  # segments that the whitening is fitted on

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class SegmentCoordinates:
    """The coordinates of all segments.

    Attributes
    ----------
    columns : list of Column
    rows : CoordinateRows
        x and u of each segment.
    projection : CoordinateMap
        The map from the features [n, layers, dim] of segments outside the index.
    """

    columns: list[Column]
    rows: CoordinateRows
    projection: CoordinateMap


class SegmentProjector:
    """Compute the coordinates of segments, one track after another.

    Parameters
    ----------
    probes : SegmentProbes or None
        Without probes, segments have the `overall` vector alone.
    names : sequence of str
        The names of the targets of the probes.
    p_family : mapping of str to (float or None)
        The significance of each target, which is tested on whole tracks.
    sample : ndarray [shape=(s, layers, dim)]
        Segments that the whitening is fitted on.
    """

    def __init__(
        self,
        probes: SegmentProbes | None,
        names: Sequence[str],
        sample: NDArray[np.floating[Any]],
        *,
        p_family: Mapping[str, float | None] | None = None,
        spool: Callable[[int], Spool] | None = None,
    ) -> None:
        chosen = np.unique(np.linspace(0, len(sample) - 1, min(len(sample), _WHITENED)).round())
        sample = sample[chosen.astype(np.int64)]
        layers, dim = sample.shape[1:]
        used: list[int] = []
        if probes is not None:
            used = np.flatnonzero(np.isfinite(probes.r2[: len(names)])).tolist()
        self._p_family = p_family or {}
        self._names = [names[column] for column in used]
        self._r2 = [float(probes.r2[column]) for column in used] if probes is not None else []
        if probes is None:
            self._weights = np.zeros((1, layers * dim, 0), dtype=np.float32)
            self._intercepts = np.zeros((1, 0))
        else:
            folds = len(probes.weights)  # not −1: there may be no target that segments predict
            self._weights = probes.weights[..., used].reshape(folds, layers * dim, len(used))
            self._intercepts = probes.intercepts[:, used]
        known = np.isfinite(self._intercepts)
        count = np.maximum(known.sum(axis=0), 1)
        mean_weights = (self._weights.sum(axis=0) / count).astype(np.float32)
        mean_intercepts = np.where(known, self._intercepts, 0.0).sum(axis=0) / count
        centres = sample.mean(axis=0, dtype=np.float64)
        unit = unit_layers(sample, centres).reshape(len(sample), -1).astype(np.float64)
        whitening = fit_whitening(unit, dimensions=OVERALL_DIMENSIONS)
        self._projection = CoordinateMap(mean_weights, mean_intercepts, centres, whitening)
        # If a fold has no row with a target, no fold was fitted on its works: the mean serves.
        self._weights = np.where(known[:, None], self._weights, mean_weights)
        self._intercepts = np.where(known, self._intercepts, mean_intercepts)
        self._make_spool = spool
        self._spool: Spool | None = None
        self._values: list[Floats] = []
        self._overall: list[Floats] = []

    def add(self, features: NDArray[np.floating[Any]], *, fold: int) -> None:
        """Add the segments of the next track.

        Parameters
        ----------
        features : ndarray [shape=(s, layers, dim)]
        fold : int
            The fold that was fitted without the work of the track; −1 if none was fitted with it.
        """
        flat = features.reshape(len(features), -1).astype(np.float32)
        if fold < 0:
            values = self._projection.coordinates(flat)
        else:
            values = flat @ self._weights[fold] + self._intercepts[fold]
        overall = self._projection.overall(features).astype(np.float32)
        if self._make_spool is not None:
            width = values.shape[1] + overall.shape[1]
            self._spool = self._spool or self._make_spool(width)
            self._spool.append(np.hstack([values.astype(np.float32), overall]))
            return
        self._values.append(values.astype(np.float32))
        self._overall.append(overall)

    def finish(self) -> SegmentCoordinates:
        """Standardise over all added segments, and return them."""
        rows: CoordinateRows
        if self._spool is not None:
            rows = RowsOnDisk(self._spool, len(self._names))
            means, deviations = rows.mean.tolist(), rows.deviation.tolist()
        else:
            x = np.concatenate(self._values)
            self._values.clear()
            means, deviations = [], []
            for number in range(len(self._names)):
                scaled, centre, spread = standardise(x[:, number : number + 1].astype(np.float64))
                x[:, number] = scaled[:, 0]
                means.append(float(centre[0]))
                deviations.append(float(spread[0]))
            rows = RowsInMemory(x, np.concatenate(self._overall))
        columns = [
            Column(name, "probe", centre, spread, r2, p_family=self._p_family.get(name))
            for name, centre, spread, r2 in zip(
                self._names, means, deviations, self._r2, strict=True
            )
        ]
        deviation = np.array([column.deviation or np.inf for column in columns])
        mean = np.array([column.mean for column in columns])
        own = self._projection
        projection = CoordinateMap(
            (own.weights / deviation).astype(np.float32),
            (own.intercepts - mean) / deviation,
            own.centres,
            own.whitening,
        )
        return SegmentCoordinates(columns, rows, projection)


def fold_of_tracks(fold: NDArray[np.int64], works: Sequence[str]) -> NDArray[np.int64]:
    """Return, for each track, the fold that was fitted without its work.

    Parameters
    ----------
    fold : ndarray [shape=(n,)]
        −1 for a track without targets; another recording of its work may have been fitted on.
    works : sequence of str

    Returns
    -------
    ndarray [shape=(n,)]
        −1 if no fold was fitted on a recording of the work.
    """
    of_work = {
        work: number for work, number in zip(works, fold.tolist(), strict=True) if number >= 0
    }
    return np.array([of_work.get(work, -1) for work in works], dtype=np.int64)
