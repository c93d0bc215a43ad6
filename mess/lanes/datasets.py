"""The curves of all tracks of a dataset: measured, and predicted by a layer."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mess.curves.registry import CURVES
from mess.lanes.recordings import MeasuredCurves, check_probes, predict_on
from mess.probing.curve_probes import CurveProbes
from mess.records.manifest import TrackLabels
from mess.storage.store import Store


@dataclass(frozen=True)
class DatasetCurves:
    """The measured curves of all tracks, one after another.

    Attributes
    ----------
    tracks : tuple of str
    first : ndarray [shape=(tracks + 1,), dtype=int]
        The row at which each track begins, and the end.
    start : ndarray [shape=(n,)]
        When each moment begins in its track, in seconds.
    values : ndarray [shape=(n, curves), dtype=float32]
        In the order of `CURVES`; NaN where undefined.
    """

    tracks: tuple[str, ...]
    first: NDArray[np.int64]
    start: NDArray[np.float64]
    values: NDArray[np.float32]

    @cached_property
    def owner(self) -> NDArray[np.int64]:
        """The number of the track of each row."""
        return np.repeat(np.arange(len(self.tracks)), np.diff(self.first))

    @cached_property
    def defined(self) -> list[str]:
        """The curves that are defined on some track."""
        known = np.flatnonzero(np.isfinite(self.values).any(axis=0)).tolist()
        return [name for number, name in enumerate(CURVES) if number in known]

    def rows_of(self, track: str) -> slice:
        """Return the rows of a track; none where it has no curves."""
        if track not in self.tracks:
            return slice(0, 0)
        number = self.tracks.index(track)
        return slice(int(self.first[number]), int(self.first[number + 1]))

    def place(self, row: int) -> tuple[str, float]:
        """Return the track of a row, and when its moment begins in seconds."""
        number = int(np.searchsorted(self.first, row, side="right")) - 1
        return self.tracks[number], float(self.start[row])


def read_dataset_curves(store: Store, dataset: str) -> DatasetCurves:
    """Read the measured curves of all tracks of a dataset.

    Raises
    ------
    ArtifactError
        If they are missing or damaged.
    """
    read = list(store.curves.read(dataset, store.targets.manifest(dataset)))
    lengths = [len(one.start) for one in read]
    empty = np.empty((0, len(CURVES)), dtype=np.float32)
    return DatasetCurves(
        tracks=tuple(one.track for one in read),
        first=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        start=np.concatenate([*(one.start for one in read), np.empty(0)]),
        values=np.concatenate([*(one.values for one in read), empty]),
    )


def predict_dataset(
    store: Store, dataset: str, encoder: str, *, measured: DatasetCurves, layer: int
) -> NDArray[np.float32]:
    """Predict the curves of all tracks by a layer, each by the probe that never saw its work.

    Parameters
    ----------
    store : Store
    dataset, encoder : str
    measured : DatasetCurves
    layer : int

    Returns
    -------
    ndarray [shape=(n, curves), dtype=float32]
        Beside ``measured.values``; NaN where there is no moment or no probe.

    Raises
    ------
    ArtifactError
        If probes or moments are missing or damaged.
    """
    manifest = store.features.manifest(dataset, encoder)
    probes = store.discoveries.read_curve_probes(dataset, encoder)
    found = np.full(measured.values.shape, np.nan, dtype=np.float32)
    numbers = {track: number for number, track in enumerate(measured.tracks)}
    for one in store.moments.read(dataset, encoder, manifest):
        if one.track not in numbers:
            continue
        layers, dim = one.stored.shape[1:]
        check_probes(probes, layers=layers, dim=dim, dataset=dataset, encoder=encoder)
        number = numbers[one.track]
        rows = slice(int(measured.first[number]), int(measured.first[number + 1]))
        found[rows] = predict_on(
            MeasuredCurves(measured.start[rows], measured.values[rows]),
            one.layer(layer),
            one.start,
            probes=probes,
            layer=layer,
            fold=fold_in(probes, one.track, manifest.tracks[one.track]),
        )
    return found


def fold_in(probes: CurveProbes, track: str, labels: TrackLabels) -> int:
    """Return the fold whose probe predicts a track, by its labels in the manifest of features."""
    return probes.fold_of(track, work=labels.work)
