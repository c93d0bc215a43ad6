"""Passes over the states of an experiment, one track after another, and the fits made of them.

Task: predict something of every state of a layer, without all states in memory: the first pass adds
up what the fits need, fold by fold, later ones predict.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.probing.candidates import Candidates
from mess.probing.folds import MIN_WORKS
from mess.probing.moments import FoldFits, Sums, fit_folds
from mess.probing.through_time import calibrate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TrackStates:
    """States of a recording, and what is predicted of each.

    Attributes
    ----------
    row : int
        Of the experiment.
    states : ndarray [shape=(layers, n, dim)]
    start : ndarray [shape=(n,)]
        When each begins, in seconds.
    seconds : float
        How long each takes.
    columns : ndarray [shape=(n, columns)]
        Measured.
    """

    row: int
    states: NDArray[np.floating[Any]]
    start: Array
    seconds: float
    columns: NDArray[np.floating[Any]]


Pass = Callable[[], Iterable[TrackStates]]


@dataclass(frozen=True)
class PassFits:
    """The fits of all layers.

    Attributes
    ----------
    layers : list of FoldFits
        Their folds are numbered without a gap.
    present : list of int
        The number of each in the experiment.
    fold : ndarray [shape=(n,), dtype=int]
        Of each row, in the numbers of ``layers``; −1 where its fold has no states.
    folds : int
        Of the experiment.
    """

    layers: list[FoldFits]
    present: list[int]
    fold: NDArray[np.int64]
    folds: int

    def candidates(self, values: Array, targets: Array, *, columns: list[int]) -> Candidates:
        """Return what is read of all tracks as candidates, a layer after another.

        Parameters
        ----------
        values : ndarray [shape=(layers, folds + 1, n, len(columns))]
            See `mess.probing.through_time.calibrate`.
        targets : ndarray [shape=(n, t)]
        columns : list of int
            Which of the targets were read.
        """
        scalars = calibrate(values, targets[:, columns], self.fold)
        shape = (len(self.layers), *targets.shape)
        predicted = np.full(shape, np.nan)
        inner = np.full((shape[0], self.folds, *shape[1:]), np.nan, dtype=np.float32)
        predicted[:, :, columns] = scalars.predicted
        for number, of in enumerate(self.present):
            inner[:, of][:, :, columns] = scalars.inner[:, number]
        return Candidates(predicted, inner)


def fit_passes(tracks: Iterable[TrackStates], fold: NDArray[np.int64]) -> PassFits | None:
    """Fit the probes of all layers in one pass; None if fewer than three folds have states.

    Parameters
    ----------
    tracks : iterable of TrackStates
    fold : ndarray [shape=(n,), dtype=int]
        Of each row of the experiment.
    """
    sums = _sums(tracks, fold)
    present = sorted(sums)
    if len(present) < MIN_WORKS:
        return None
    fits = [fit_folds(of_layer) for of_layer in zip(*(sums[k] for k in present), strict=True)]
    folds = int(fold.max()) + 1
    own_fold = np.full(folds, -1)
    own_fold[present] = np.arange(len(present))
    return PassFits(fits, present, own_fold[fold], folds)


def _sums(tracks: Iterable[TrackStates], fold: NDArray[np.int64]) -> dict[int, list[Sums]]:
    """Return the sums of each fold, layer by layer."""
    sums: dict[int, list[Sums]] = {}
    for track in tracks:
        own = [Sums.of(states, track.columns) for states in track.states]
        before = sums.get(int(fold[track.row]))
        sums[int(fold[track.row])] = (
            own if before is None else [a + b for a, b in zip(before, own, strict=True)]
        )
    return sums
