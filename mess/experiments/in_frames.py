"""Targets read from curves at the rate of the hidden states: the tempo.

Task: predict onset strength from every single state, and read the tempo from the predicted curve.
There are too many states to store. So they are gone through twice: the first pass adds up what the
fits need, the second reads the targets of one track after another. Nothing is written.

Conventions: as of probes on moments (`mess.probing.moments`). Each training track is read from fits
that saw neither the fold that is held out nor its own fold.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mess.curves.frames import read_tempo, strength_columns
from mess.experiments.passes import Pass, TrackStates, fit_passes
from mess.probing.candidates import Candidates
from mess.probing.metrics import defined
from mess.probing.moments import FoldFits
from mess.records.in_time import TempoReading
from mess.targets.tempo_accuracy import TOLERANCE, tempo_accuracy

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FramesFound:
    """What curves at the rate of the states tell.

    Attributes
    ----------
    candidates : Candidates
        Of all targets of the experiment, layer by layer; NaN of those that are not read.
    tempo : TempoReading or None
        None if no track has a measured tempo.
    """

    candidates: Candidates
    tempo: TempoReading | None


def find_in_frames(
    passes: Pass, targets: Array, fold: NDArray[np.int64], *, names: Sequence[str]
) -> FramesFound | None:
    """Read targets from curves at the rate of the states.

    Parameters
    ----------
    passes : callable
        Returns the tracks, one after another; called twice.
    targets : ndarray [shape=(n, t)]
        NaN where undefined.
    fold : ndarray [shape=(n,), dtype=int]
        Of each track.
    names : sequence of str
        Of the targets.

    Returns
    -------
    FramesFound or None
        None if fewer than three folds have tracks.
    """
    fitted = fit_passes(passes(), fold)
    if fitted is None:
        return None
    fits, track_fold = fitted.layers, fitted.fold
    values = _read(passes(), fits, track_fold)
    column = names.index("tempo")
    tempo = targets[:, column]
    strength = strength_columns(fits[0].alphas.shape[1])
    chosen = np.argmin([one.inner_error[:, strength].sum(axis=1) for one in fits], axis=0)
    error, deviation = (
        sum(getattr(fits[layer], name)[k, strength].sum() for k, layer in enumerate(chosen))
        for name in ("error", "deviation")
    )
    steady = _most_right(values[:, :-1], tempo)
    read = np.where(track_fold >= 0, values[steady[track_fold], -1, np.arange(len(fold))], np.nan)
    return FramesFound(
        fitted.candidates(values[..., None], targets, columns=[column]),
        _reading(read, tempo, strength_r2=1 - error / deviation, layers=_shares(steady, len(fits))),
    )


def _reading(
    read: Array, truth: Array, *, strength_r2: float, layers: list[float]
) -> TempoReading | None:
    known = np.isfinite(truth)
    if not known.any():
        return None
    accuracy = tempo_accuracy(read[known], truth[known])
    return TempoReading(
        strength_r2=defined(strength_r2),
        recordings=accuracy.recordings,
        accuracy_1=accuracy.accuracy_1,
        accuracy_2=accuracy.accuracy_2,
        coverage=accuracy.coverage,
        layers=layers,
    )


def _shares(chosen: NDArray[np.int64], layers: int) -> list[float]:
    return [float(one) for one in np.bincount(chosen, minlength=layers) / len(chosen)]


def _read(
    tracks: Iterable[TrackStates], fits: Sequence[FoldFits], fold: NDArray[np.int64]
) -> Array:
    """Return the tempo that is read of each track [layers, folds + 1, n]; see `calibrate`.

    How dense the onsets are is told by other layers than when they are. So each training fold
    chooses a layer for the density, whichever layer tells the rest.
    """
    folds = len(fits[0].weights)
    dense = np.argmin([fit.inner_error[:, -1] for fit in fits], axis=0)  # [folds]
    values = np.full((len(fits), folds + 1, len(fold)), np.nan)
    for track in tracks:
        own = int(fold[track.row])
        predicted = [fit.predict(of, fold=own) for fit, of in zip(fits, track.states, strict=True)]
        for k, layer in np.ndindex(folds, len(fits)):
            density = float(predicted[dense[k]][k, :, -1].mean())
            values[layer, folds if k == own else k, track.row] = read_tempo(
                predicted[layer][k], track.start, seconds=track.seconds, density=density
            )
    return values


def _most_right(tempi: Array, truth: Array) -> NDArray[np.int64]:
    """Return the layer by which most tempi are right, fold by fold.

    Parameters
    ----------
    tempi : ndarray [shape=(layers, folds, n)]
        Of training tracks; NaN of those that are held out.
    truth : ndarray [shape=(n,)]
        Measured; NaN where there is none.
    """
    right = np.abs(tempi / truth - 1) <= TOLERANCE  # False for NaN
    return np.asarray(right.sum(axis=2).argmax(axis=0))
