"""The probes of an experiment, kept so that they can be asked about changed recordings.

Task: predict the targets of a changed recording in every reading and from every layer, by probes
that were fitted on unchanged recordings without its work. Folds, penalties and readings are those
of the discovery (`mess.experiments.in_time`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError
from mess.experiments.definitions import definitions_of
from mess.experiments.in_time import EXTREMES, MEAN, TIME, extremes
from mess.experiments.moment_rows import load_moment_rows
from mess.experiments.rows import ProbingData
from mess.probing.folds import MIN_WORKS, assign_folds, by_missing_rows
from mess.probing.moments import predict_curves
from mess.probing.probes import choose_alpha
from mess.probing.ridge import DEFAULT_ALPHAS, Probe, RidgePath
from mess.probing.through_time import (
    SMOOTHINGS,
    Definition,
    calibrate,
    held_out_lines,
    scalar_values,
    smoothed,
)
from mess.records.discovery import ProbeSettings
from mess.storage.store import Store

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ChangedStates:
    """What an encoder computed of a changed recording.

    Attributes
    ----------
    whole : ndarray [shape=(layers, d)]
        As the features of a track are pooled.
    segments : ndarray [shape=(s, layers, dim)]
    moments : ndarray [shape=(m, layers, dim)] or None
        Of the moments that sound; None where the encoder has none.
    """

    whole: NDArray[np.floating[Any]]
    segments: NDArray[np.floating[Any]]
    moments: NDArray[np.floating[Any]] | None


@dataclass(frozen=True)
class _Course:
    """The probes of curves of one layer without one fold, and the lines to the targets."""

    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    definitions: Sequence[Definition]
    smoothing: NDArray[np.int64]
    slope: Array
    intercept: Array

    def read(self, states: NDArray[np.floating[Any]], into: Array) -> None:
        """Write what is read of some moments [m, dim] into the targets [t]."""
        if len(states) < 2:
            return
        curves = np.asarray(states, dtype=np.float32) @ self.weights + self.intercepts
        by_width = {
            place: smoothed(curves[None].astype(np.float64), SMOOTHINGS[place])[0]
            for place in set(self.smoothing.tolist())
        }
        for number, one in enumerate(self.definitions):
            course = by_width[int(self.smoothing[number])][:, one.curve]
            value = float(one.function(course))
            into[one.target] = self.slope[number] * value + self.intercept[number]


@dataclass(frozen=True)
class FittedReadings:
    """All probes, by the fold that they never saw.

    Attributes
    ----------
    names : list of str
        Of the targets.
    readings : list of str
        That can be asked.
    layers : int
    fold_of : dict of str to int
        By track.
    deviation : ndarray [shape=(t,)]
        Of each target over the recordings.
    across : ndarray [shape=(readings, layers, t)]
        The slope of what is predicted of unchanged recordings on what is measured; NaN where
        undefined.
    """

    names: list[str]
    readings: list[str]
    layers: int
    fold_of: dict[str, int]
    deviation: Array
    across: Array
    _means: dict[str, list[list[list[tuple[NDArray[np.int64], Probe]]]]]  # reading, fold, layer
    _courses: list[list[list[_Course]]]  # fold, layer, pattern

    def predict(self, states: ChangedStates, *, fold: int) -> Array:
        """Predict all targets of a recording whose work is in a fold.

        Returns
        -------
        ndarray [shape=(readings, layers, t)]
            NaN where a reading does not know a target.
        """
        out = np.full((len(self.readings), self.layers, len(self.names)), np.nan)
        ends = [states.segments.min(axis=0), states.segments.max(axis=0)]
        features = {
            MEAN: states.whole,
            EXTREMES: np.concatenate([states.whole, *ends], axis=-1),
        }
        for number, reading in enumerate(self.readings):
            if reading in features:
                for layer, probes in enumerate(self._means[reading][fold]):
                    for columns, probe in probes:
                        row = features[reading][layer][None].astype(np.float64)
                        out[number, layer, columns] = probe.predict(row)[0]
            elif states.moments is not None:
                for layer, courses in enumerate(self._courses[fold]):
                    for course in courses:
                        course.read(states.moments[:, layer], out[number, layer])
        return out


def fit_readings(
    data: ProbingData,
    *,
    dataset: str,
    encoder: str,
    settings: ProbeSettings,
    store: Store,
    on_layer: Callable[[int], None] = lambda _: None,
) -> FittedReadings:
    """Fit the probes of every reading, without each fold.

    Parameters
    ----------
    data : ProbingData
        Of tracks.
    dataset, encoder : str
    settings : ProbeSettings
        Of the discovery.
    store : Store
    on_layer : callable
        Called with the number of each finished layer.
    """
    _, works = np.unique(np.asarray(data.groups), return_inverse=True)
    experiment = data.experiment(settings)
    fold = assign_folds(
        data.groups, folds=experiment.folds, seed=experiment.seed, part_of=experiment.part_of
    )
    alphas = DEFAULT_ALPHAS if isinstance(settings.alpha, str) else (float(settings.alpha),)
    values: dict[str, NDArray[np.floating[Any]]] = {
        MEAN: data.features.values,
        EXTREMES: extremes(data, dataset=dataset, encoder=encoder, store=store),
    }
    layers, folds = data.features.values.shape[1], int(fold.max()) + 1
    names = list(values)
    means: dict[str, list[list[list[tuple[NDArray[np.int64], Probe]]]]] = {
        name: [[[] for _ in range(layers)] for _ in range(folds)] for name in names
    }
    predicted = {name: np.full((layers, *data.targets.shape), np.nan) for name in names}
    patterns = by_missing_rows(data.targets, works, fold)
    for layer in range(layers):
        for name, of in values.items():
            for columns, rows in patterns:
                x = np.asarray(of[rows, layer], dtype=np.float64)
                y = data.targets[np.ix_(rows, columns)]
                for k in range(folds):
                    test = fold[rows] == k
                    path = RidgePath(x[~test], y[~test])
                    chosen, _ = choose_alpha(path, y[~test], works[rows][~test], alphas=alphas)
                    probe = path.probe(alphas=chosen)
                    means[name][k][layer].append((columns, probe))
                    if test.any():
                        predicted[name][layer][np.ix_(rows[test], columns)] = probe.predict(x[test])
        on_layer(layer)
    courses: list[list[list[_Course]]] = [[[] for _ in range(layers)] for _ in range(folds)]
    try:
        through = _fit_courses(data, fold, courses, dataset=dataset, encoder=encoder, store=store)
    except MessError:
        through = None  # the encoder keeps no moments: nothing is read through time
    if through is not None:
        names.append(TIME)
        predicted[TIME] = through
    return FittedReadings(
        names=data.names,
        readings=names,
        layers=layers,
        fold_of=dict(zip(data.features.tracks, fold.tolist(), strict=True)),
        deviation=np.array([_deviation(column) for column in data.targets.T]),
        across=np.stack([_slopes(predicted[name], data.targets) for name in names]),
        _means=means,
        _courses=courses,
    )


def _fit_courses(
    data: ProbingData,
    fold: NDArray[np.int64],
    courses: list[list[list[_Course]]],
    *,
    dataset: str,
    encoder: str,
    store: Store,
) -> Array:
    """Add the probes of curves; return what is read through time of all tracks [layers, n, t]."""
    rows = load_moment_rows(data, dataset=dataset, encoder=encoder, store=store)
    found = np.full((rows.layers, *data.targets.shape), np.nan)
    for columns, moments in rows.patterns():
        owner = rows.owner[moments]
        present = np.unique(fold[owner])
        definitions, used = definitions_of([rows.names[one] for one in columns], data.names)
        if len(present) < MIN_WORKS or not definitions:
            continue
        own_fold = np.full(len(courses), -1)
        own_fold[present] = np.arange(len(present))
        track_fold, y = own_fold[fold], rows.curves[moments][:, columns[used]]
        into = np.array([one.target for one in definitions], dtype=np.int64)
        targets = data.targets[:, into]
        for layer in range(rows.layers):
            curves = predict_curves(rows.states(layer, moments), y, track_fold[owner])
            values = scalar_values(
                curves.predicted, curves.inner, owner, n=len(targets), definitions=definitions
            )
            scalars = calibrate(values, targets, track_fold)
            slope, intercept = held_out_lines(values, targets)
            error = np.nansum(np.square(scalars.inner - targets), axis=2)
            best = error.argmin(axis=0)  # [folds, definitions]
            numbers = np.arange(len(definitions))
            for place, k in enumerate(present):
                courses[k][layer].append(
                    _Course(
                        curves.fits.weights[place],
                        curves.fits.intercepts[place],
                        definitions,
                        best[place],
                        slope[best[place], place, numbers],
                        intercept[best[place], place, numbers],
                    )
                )
                held = np.flatnonzero(track_fold == place)
                found[layer][np.ix_(held, into)] = scalars.predicted[best[place], :, numbers].T[
                    held
                ]
    return found


def _deviation(values: Array) -> float:
    """Return the standard deviation of the known values; NaN where there is none."""
    known = values[np.isfinite(values)]
    return float(known.std()) if known.size else float("nan")


def _slopes(predicted: Array, targets: Array) -> Array:
    """Return the slope of predicted [layers, n, t] on measured [n, t] values, [layers, t]."""
    known = np.isfinite(predicted) & np.isfinite(targets)
    count = np.maximum(known.sum(axis=1), 1)
    x = np.where(known, targets, 0.0)
    y = np.where(known, predicted, 0.0)
    x = np.where(known, x - (x.sum(axis=1) / count)[:, None], 0.0)
    y = np.where(known, y - (y.sum(axis=1) / count)[:, None], 0.0)
    spread = np.square(x).sum(axis=1)
    return np.divide(
        (x * y).sum(axis=1), spread, out=np.full(spread.shape, np.nan), where=spread > 0
    )
