"""The rows of an experiment in time: states and curves of the same moments, side by side."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.audio.moments import MOMENT_SECONDS, aligned
from mess.curves.registry import CURVES
from mess.experiments.passes import TrackStates
from mess.experiments.rows import ProbingData
from mess.storage.moments import TrackMoments, without_moments
from mess.storage.store import Store

_NEARLY_ALL = 0.9  # share of the moments


@dataclass(frozen=True)
class MomentRows:
    """States and curves of the tracks of an experiment, moment by moment.

    Attributes
    ----------
    moments : list of TrackMoments
        Of each track that has them, mapped into memory.
    kept : list of ndarray [dtype=int]
        Which moments of each have a curve, too.
    owner : ndarray [shape=(n,), dtype=int]
        The row of the experiment that each moment is of, ascending.
    curves : ndarray [shape=(n, curves), dtype=float32]
        NaN where undefined.
    names : list of str
        Of the curves.
    phrases : list of ndarray [shape=(moments, features)]
        What phrasing is measured on, of each track; NaN where undefined.
    """

    moments: list[TrackMoments]
    kept: list[NDArray[np.int64]]
    owner: NDArray[np.int64]
    curves: NDArray[np.float32]
    names: list[str]
    phrases: list[NDArray[np.float16]]

    @property
    def layers(self) -> int:
        """How many layers there are."""
        return int(self.moments[0].stored.shape[1])

    def states(self, layer: int, moments: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Return the states [n, dim] of one layer.

        Parameters
        ----------
        layer : int
        moments : ndarray [dtype=int], optional
            Only these, ascending. No others are in memory.
        """
        if moments is None:
            moments = np.arange(len(self.owner))
        out = np.empty((len(moments), self.moments[0].stored.shape[2]), dtype=np.float32)
        bounds = np.cumsum([0, *map(len, self.kept)])
        places = np.searchsorted(moments, bounds)
        for one, rows, begin, first, last in zip(
            self.moments, self.kept, bounds[:-1], places[:-1], places[1:], strict=True
        ):
            if first < last:
                out[first:last] = one.layer(layer)[rows[moments[first:last] - begin]]
        return out

    def phrase_passes(self) -> Iterator[TrackStates]:
        """Yield the moments of each track, with what phrasing is measured on."""
        first = 0
        for one, rows, phrases in zip(self.moments, self.kept, self.phrases, strict=True):
            row, first = int(self.owner[first]), first + len(rows)
            told = np.isfinite(phrases).all(axis=1)
            if told.sum() < 2:
                continue
            inside = rows[told]
            states = np.stack([one.layer(layer)[inside] for layer in range(self.layers)])
            yield TrackStates(row, states, one.start[inside], MOMENT_SECONDS, phrases[told])

    def patterns(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield (curves, moments) that are defined together; what never varies is left out.

        Where nearly all moments have every curve, the others are left out: one fit serves all.
        """
        groups: dict[bytes, list[int]] = {}
        defined = np.isfinite(self.curves)
        told = defined.any(axis=0)
        whole = np.asarray(defined[:, told].all(axis=1))
        if told.any() and whole.sum() >= _NEARLY_ALL * defined.sum(axis=0).max():
            defined = whole[:, None] & told
        for column in range(len(self.names)):
            rows = defined[:, column]
            if rows.any() and np.ptp(self.curves[rows, column]) > 0:
                groups.setdefault(rows.tobytes(), []).append(column)
        for columns in groups.values():
            yield np.asarray(columns), np.flatnonzero(defined[:, columns[0]])


def load_moment_rows(data: ProbingData, *, dataset: str, encoder: str, store: Store) -> MomentRows:
    """Read moments and curves of the tracks of an experiment.

    Raises
    ------
    MessError
        If no track has moments, or something is damaged.
    """
    manifest = store.features.manifest(dataset, encoder)
    rows = {track: row for row, track in enumerate(data.features.tracks)}
    curves = {one.track: one for one in store.curves.read(dataset, store.targets.manifest(dataset))}
    moments: list[TrackMoments] = []
    kept: list[NDArray[np.int64]] = []
    owner: list[NDArray[Any]] = []
    values: list[NDArray[np.float32]] = []
    phrases: list[NDArray[np.float16]] = []
    for one in store.moments.read(dataset, encoder, manifest):
        if one.track not in rows or one.track not in curves:
            continue
        near, place = aligned(one.start, curves[one.track].start)
        if near.size:
            moments.append(one)
            kept.append(near)
            owner.append(np.full(near.size, rows[one.track]))
            values.append(curves[one.track].values[place])
            phrases.append(curves[one.track].phrases[place])
    if not moments:
        few = {entry.moments for entry in manifest.done().values()} == {"few"}
        raise without_moments(dataset, dataset=dataset, encoder=encoder, few=few)
    return MomentRows(
        moments, kept, np.concatenate(owner), np.concatenate(values), list(CURVES), phrases
    )
