"""The methods that listeners are asked about, on excerpts of five seconds.

Task: say for each method how far two excerpts are apart in an aspect. Each method judges what the
listener hears: the excerpt is a segment, and nothing else of the recording counts.

* ``through_time``: the curves that the best layer predicts for each half second, and of each the
  definition of its target;
* ``mean``: what probes of segments predict from the means of all layers;
* ``measured``: the proxy targets, measured on the segment;
* ``layer``: the cosine of whole layers, in the layer whose probe of the aspect is best.

The first two come from fits that never saw the work of the excerpt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import segment_span
from mess.audio.moments import MOMENT_SECONDS
from mess.curves.readings import READINGS
from mess.errors import ArtifactError, MessError
from mess.lanes.datasets import fold_in
from mess.lanes.recordings import check_probes
from mess.probing.curve_probes import CurveProbes
from mess.probing.results import Cell
from mess.records.discovery import DiscoveryRecord
from mess.records.features import FeaturesEntry
from mess.records.listening import Judge
from mess.search.passages.recommender import PassageRecommender
from mess.storage.store import Store
from mess.targets import title_of

Array = NDArray[np.float64]
PER_TRACK = 4  # excerpts of a recording at most
MOST = 800  # excerpts that are compared


@dataclass(frozen=True)
class Pool:
    """Excerpts that can be asked about.

    Attributes
    ----------
    tracks, works : ndarray [shape=(n,)]
    segments : ndarray [shape=(n,), dtype=int]
        The number of each in its track.
    rows : ndarray [shape=(n,), dtype=int]
        The number of each among all segments.
    start, seconds : ndarray [shape=(n,)]
    """

    tracks: NDArray[Any]
    works: NDArray[Any]
    segments: NDArray[np.int64]
    rows: NDArray[np.int64]
    start: Array
    seconds: Array

    def by_track(self) -> dict[str, NDArray[np.int64]]:
        """Return the excerpts of each track."""
        return {str(track): np.flatnonzero(self.tracks == track) for track in set(self.tracks)}


@dataclass(frozen=True)
class Distances:
    """The distances of excerpts by one method.

    Attributes
    ----------
    values : ndarray [shape=(n, k)]
        Standardised values, or unit vectors.
    cosine : bool
        Whether the values are unit vectors.
    words : str
        How the method judges.
    """

    values: Array
    cosine: bool
    words: str

    def apart(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> Array:
        """Return how far excerpts are apart, pair by pair."""
        if self.cosine:
            return np.asarray(1 - (self.values[one] * self.values[other]).sum(axis=1))
        return np.asarray(np.square(self.values[one] - self.values[other]).mean(axis=1))


def draw_pool(store: Store, dataset: str, encoder: str, *, rng: np.random.Generator) -> Pool:
    """Draw excerpts, at most `PER_TRACK` of a recording and `MOST` together."""
    record = store.passages.read_record(dataset, encoder)
    first = np.concatenate([[0], np.cumsum(record.segments)])
    chosen: list[tuple[int, int]] = []
    for track in rng.permutation(len(record.tracks)):
        # The last segment is shifted back and may overlap the one before.
        count = max(record.segments[track] - 1, 1)
        chosen += [(int(track), int(n)) for n in rng.permutation(count)[:PER_TRACK]]
    chosen = sorted(chosen[:MOST])
    spans = [
        segment_span(number, record.durations[track], seconds=record.segment_seconds)
        for track, number in chosen
    ]
    return Pool(
        tracks=np.array([record.tracks[track] for track, _ in chosen], dtype=object),
        works=np.array([record.works[track] for track, _ in chosen], dtype=object),
        segments=np.array([number for _, number in chosen], dtype=np.int64),
        rows=np.array([first[track] + number for track, number in chosen], dtype=np.int64),
        start=np.array([begin for begin, _ in spans]),
        seconds=np.array([end - begin for begin, end in spans]),
    )


class Methods:
    """What every method says about a pool of excerpts.

    Parameters
    ----------
    store : Store
    passages : PassageRecommender
    pool : Pool

    Raises
    ------
    ArtifactError
        If what a method needs is missing, damaged or stale. Curves are the exception: an encoder
        without moments has no method ``through_time``.
    """

    def __init__(self, store: Store, passages: PassageRecommender, pool: Pool) -> None:
        self._store, self._passages, self._pool = store, passages, pool
        dataset, encoder = passages.dataset, passages.encoder
        self._discovery: DiscoveryRecord = store.discoveries.read(dataset, encoder)
        self._manifest = store.features.manifest(dataset, encoder)
        self._measured = store.targets.read(dataset, level="segment")
        self._probes = self._read_probes()
        self._curves: dict[tuple[str, int], list[Array]] = {}

    def can_judge(self, target: str) -> bool:
        """Tell whether a target is measured on segments, and predicted of them."""
        measured = target in self._measured.columns and self._measured[target].notna().any()
        return bool(measured) and bool(self._passages.terms.coordinates.find(target, "probe"))

    def of_targets(self, targets: Sequence[str]) -> dict[Judge, Distances]:
        """Return the distances by every method that can judge the targets of an aspect."""
        found: dict[Judge, Distances | None] = {
            "through_time": self.through_time(targets),
            "mean": self._by_mean(targets),
            "measured": self._by_measurement(targets),
            "layer": self._by_layer(targets),
        }
        return {
            name: one
            for name, one in found.items()
            if one is not None and np.isfinite(one.values).all(axis=1).mean() > 0.5
        }

    def _read_probes(self) -> CurveProbes | None:
        record, where = self._discovery, (self._passages.dataset, self._passages.encoder)
        if record.curve_probes_crc32 is None or record.in_time is None:
            return None
        try:
            return self._store.discoveries.read_curve_probes(*where)
        except ArtifactError:
            return None

    def _by_mean(self, targets: Sequence[str]) -> Distances | None:
        coordinates = self._passages.terms.coordinates
        columns = [column for name in targets for column in coordinates.find(name, "probe")]
        if not columns:
            return None
        values = coordinates.values(self._pool.rows, columns)
        words = f"probes of {_listed(targets)} on the means of all layers"
        return Distances(_standardised(values), False, words)

    def _by_measurement(self, targets: Sequence[str]) -> Distances | None:
        if not set(targets) <= set(self._measured.columns):
            return None
        import pandas as pd

        rows = pd.MultiIndex.from_arrays(
            [self._pool.tracks, self._pool.segments], names=self._measured.index.names
        )
        values = self._measured[list(targets)].reindex(rows).to_numpy(dtype=np.float64)
        return Distances(_standardised(values), False, f"{_listed(targets)}, measured")

    def _by_layer(self, targets: Sequence[str]) -> Distances | None:
        layer = best_layer(self._discovery.cells, targets)
        if layer is None:
            return None
        where = self._passages.dataset, self._passages.encoder
        values = np.empty((len(self._pool.rows), self._manifest.header.dim))
        for track, rows in self._pool.by_track().items():
            entry = self._entry(track)
            _, segments = self._store.features.read_track(*where, track, entry)
            values[rows] = segments[self._pool.segments[rows], layer]
        values -= values.mean(axis=0)
        length = np.linalg.norm(values, axis=1, keepdims=True)
        unit = np.divide(values, length, out=np.zeros_like(values), where=length > 0)
        name = self._discovery.layer_names[layer]
        return Distances(unit, True, f"the cosine of the whole layer {name}")

    def through_time(self, targets: Sequence[str]) -> Distances | None:
        """Return the distances by what targets are in the predicted curves of each excerpt.

        None where one of the targets is not made from a curve, or its curve was not probed.
        """
        probes, record = self._probes, self._discovery.in_time
        if probes is None or record is None:
            return None
        best = {one.curve: int(np.argmax(one.layers)) for one in record.summaries}
        columns = []
        for target in targets:
            reading = READINGS.get(target)
            if reading is None or reading.curve not in best or reading.curve not in probes.curves:
                return None
            predicted = self._predicted(probes, reading.curve, best[reading.curve])
            columns.append(
                np.array([reading.function(one) if len(one) > 1 else np.nan for one in predicted])
            )
        words = f"{_listed(targets)} of the curves that the best layer predicts"
        return Distances(_standardised(np.stack(columns, axis=1)), False, words)

    def _predicted(self, probes: CurveProbes, curve: str, layer: int) -> list[Array]:
        """Return the predicted curve of each excerpt, by the probe that never saw its work."""
        if (curve, layer) not in self._curves:
            where = self._passages.dataset, self._passages.encoder
            found: list[Array] = [np.empty(0)] * len(self._pool.rows)
            for track, rows in self._pool.by_track().items():
                entry = self._entry(track)
                try:
                    kept = self._store.moments.read_track(*where, self._manifest, track)
                except MessError:
                    continue  # this recording has no moments
                layers, dim = kept.stored.shape[1:]
                check_probes(probes, layers=layers, dim=dim, dataset=where[0], encoder=where[1])
                fold = fold_in(probes, track, entry)
                predicted = probes.predict(kept.layer(layer), layer=layer, fold=fold)
                values = predicted[:, probes.curves.index(curve)].astype(np.float64)
                centre = kept.start + MOMENT_SECONDS / 2
                for row in rows:
                    begin = self._pool.start[row]
                    inside = (centre > begin) & (centre < begin + self._pool.seconds[row])
                    found[row] = values[inside]
            self._curves[curve, layer] = found
        return self._curves[curve, layer]

    def _entry(self, track: str) -> FeaturesEntry:
        entry = self._manifest.tracks[track]
        if not isinstance(entry, FeaturesEntry):
            raise MessError(f"{track!r} has no features: run `mess extract` again")
        return entry


def best_layer(cells: Sequence[Cell], targets: Sequence[str]) -> int | None:
    """Return the layer with the highest R² of some targets; None where none has one."""
    known = [(cell.r2, -cell.layer) for cell in cells if cell.target in targets and cell.r2]
    return -max(known)[1] if known else None


def margins_between(methods: Mapping[Judge, Distances], triplets: NDArray[np.int64]) -> Array:
    """Return what each method says of triplets [t, methods]: above 0, A is closer to X.

    Parameters
    ----------
    methods : mapping of str to Distances
    triplets : ndarray [shape=(t, 3), dtype=int]
        X, A and B of each.
    """
    x, a, b = triplets.T
    return np.stack([one.apart(x, b) - one.apart(x, a) for one in methods.values()], axis=1)


def _standardised(values: Array) -> Array:
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / count
    variance = np.where(known, (values - mean) ** 2, 0.0).sum(axis=0) / count
    return np.asarray((values - mean) / np.where(variance > 0, np.sqrt(variance), 1.0))


def _listed(targets: Sequence[str]) -> str:
    return " and ".join(map(title_of, targets))
