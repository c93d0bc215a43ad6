"""Targets read through time: curves that probes predict from moments, and what is made of them.

Task: predict every target that is defined on a curve from the course of the hidden states. Probes
predict the curve of each half second, the definition of the target is applied to it, and a line
corrects that predicted curves are flatter than measured ones (`mess.probing.through_time`).

Conventions: tracks of the library are read by fits that never saw their work. The map that is made
beside them serves all other recordings: its probes are fitted on all moments, its lines on what
the definitions make of curves that were predicted out of fold.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.curves.readings import READINGS
from mess.experiments.definitions import definitions_of
from mess.experiments.moment_rows import MomentRows
from mess.probing.folds import MIN_WORKS
from mess.probing.moments import predict_curves
from mess.probing.ridge import Array
from mess.probing.stacking import Table
from mess.probing.through_time import SMOOTHINGS, Definition, read_scalars

Floats = NDArray[np.float32]
States = Callable[[int], NDArray[np.floating[Any]]]  # layer → states of moments [n, dim]
_FEWEST_MOMENTS = 2


@dataclass(frozen=True)
class CurveProbe:
    """The probe of some curves from one layer, fitted on all moments.

    Attributes
    ----------
    layer : int
    weights : ndarray [shape=(dim, curves)]
    intercepts : ndarray [shape=(curves,), dtype=float32]
    """

    layer: int
    weights: Floats
    intercepts: Floats


@dataclass(frozen=True)
class Line:
    """How a target follows from a predicted curve.

    Attributes
    ----------
    target : str
    probe : int
        The number of the `CurveProbe`.
    curve : int
        Its column there.
    smoothing : float
        In moments.
    slope, intercept : float
    mean : float
        What is said of a recording that is too short.
    share : float
        How much it counts for its target.
    """

    target: str
    probe: int
    curve: int
    smoothing: float
    slope: float
    intercept: float
    mean: float
    share: float = 1.0


@dataclass(frozen=True)
class CourseMap:
    """The map from the moments of a recording to targets that are read through time.

    Attributes
    ----------
    probes : list of CurveProbe
    lines : list of Line
    """

    probes: list[CurveProbe]
    lines: list[Line]

    def read(self, states: States) -> Array:
        """Return what each line says of one recording [lines].

        Parameters
        ----------
        states : callable
            Returns the states of a layer [moments, dim].
        """
        curves: dict[int, NDArray[np.floating[Any]]] = {}
        out = np.empty(len(self.lines))
        for number, line in enumerate(self.lines):
            probe = self.probes[line.probe]
            if line.probe not in curves:
                x = np.asarray(states(probe.layer), dtype=np.float32)
                curves[line.probe] = x @ probe.weights + probe.intercepts
            course = curves[line.probe][:, line.curve]
            value = np.nan
            if len(course) >= _FEWEST_MOMENTS:
                value = _apply(line.target, course, line.smoothing)
            said = line.slope * value + line.intercept
            out[number] = said if np.isfinite(said) else line.mean
        return out

    def totals(self, states: States, names: Sequence[str]) -> Array:
        """Return Σ share · value of the lines of each target [names], 0 where there are none."""
        out = np.zeros(len(names))
        for line, said in zip(self.lines, self.read(states), strict=True):
            out[names.index(line.target)] += line.share * said
        return out

    def weighed(self, shares: Sequence[float]) -> "CourseMap":
        """Return the lines that count, each with its share, and the probes that they need."""
        lines = [
            replace(line, share=share)
            for line, share in zip(self.lines, shares, strict=True)
            if share > 0
        ]
        needed = sorted({line.probe for line in lines})
        place = {number: at for at, number in enumerate(needed)}
        return CourseMap(
            [self.probes[number] for number in needed],
            [replace(line, probe=place[line.probe]) for line in lines],
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it as arrays by name."""
        found: dict[str, NDArray[Any]] = {
            "course_lines": np.array(
                [
                    (
                        line.probe,
                        line.curve,
                        line.smoothing,
                        line.slope,
                        line.intercept,
                        line.mean,
                        line.share,
                    )
                    for line in self.lines
                ],
                dtype=np.float64,
            ).reshape(-1, 7),
            "course_targets": np.array([line.target for line in self.lines], dtype=np.str_),
            "course_layers": np.array([probe.layer for probe in self.probes], dtype=np.int64),
        }
        for number, probe in enumerate(self.probes):
            found[f"course_weights_{number}"] = probe.weights
            found[f"course_intercepts_{number}"] = probe.intercepts
        return found

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "CourseMap":
        """Return the map that `arrays` describes; raises KeyError if something is missing."""
        probes = [
            CurveProbe(
                int(layer),
                arrays[f"course_weights_{number}"],
                arrays[f"course_intercepts_{number}"],
            )
            for number, layer in enumerate(arrays["course_layers"])
        ]
        lines = [
            Line(str(target), int(probe), int(curve), *map(float, rest))
            for target, (probe, curve, *rest) in zip(
                arrays["course_targets"], arrays["course_lines"], strict=True
            )
        ]
        return cls(probes, lines)


NOTHING = CourseMap([], [])


@dataclass(frozen=True)
class Courses:
    """What is read through time of the tracks of a library.

    Attributes
    ----------
    tables : list of Table
        Of each candidate (a layer and a smoothing) the predictions of all targets.
    lines : list of ndarray [shape=(t,), dtype=int]
        Of each candidate, the line of each target in ``map``; −1 where there is none.
    map : CourseMap
    """

    tables: list[Table]
    lines: list[NDArray[np.int64]]
    map: CourseMap


def read_courses(
    rows: MomentRows,
    targets: Array,
    names: Sequence[str],
    fold: NDArray[np.int64],
    *,
    elsewhere: Sequence[tuple[int, States]] = (),
) -> Courses:
    """Read every target through time, out of fold.

    Parameters
    ----------
    rows : MomentRows
    targets : ndarray [shape=(n, t)]
        NaN where a value is unknown.
    names : sequence of str, length t
    fold : ndarray [shape=(n,), dtype=int]
        Of each track, −1 where it has no target.
    elsewhere : sequence of (int, callable)
        Tracks of which some target is unknown, and their states; they are read by the map.
    """
    count, folds = rows.layers * len(SMOOTHINGS), int(fold.max()) + 1
    predicted = np.full((count, *targets.shape), np.nan)
    inner = np.full((count, folds, *targets.shape), np.nan, dtype=np.float32)
    lines = [np.full(len(names), -1, dtype=np.int64) for _ in range(count)]
    probes: list[CurveProbe] = []
    fitted: list[Line] = []
    for columns, moments in rows.patterns():
        owner = rows.owner[moments]
        known = fold[owner] >= 0
        moments, owner = moments[known], owner[known]
        present = np.unique(fold[owner])
        definitions, used = definitions_of([rows.names[column] for column in columns], names)
        if len(present) < MIN_WORKS or not definitions:
            continue
        own_fold = np.full(folds + 1, -1)  # the last stands for tracks without a fold
        own_fold[present] = np.arange(len(present))
        track_fold, y = own_fold[fold], rows.curves[moments][:, columns[used]]
        into = [one.target for one in definitions]
        for layer in range(rows.layers):
            x = rows.states(layer, moments)
            found = predict_curves(x, y, track_fold[owner])
            scalars = read_scalars(
                found.predicted, found.inner, owner, targets, track_fold, definitions=definitions
            )
            place = slice(layer * len(SMOOTHINGS), (layer + 1) * len(SMOOTHINGS))
            predicted[place][:, :, into] = scalars.predicted
            for number, of in enumerate(present):
                inner[place, of][:, :, into] = scalars.inner[:, number]
            fits = found.fits
            probes.append(CurveProbe(layer, fits.weights[-1], fits.intercepts[-1]))
            for smoothing in range(len(SMOOTHINGS)):
                for one, line in _fit_lines(
                    found.predicted,
                    owner,
                    targets,
                    names,
                    definitions=definitions,
                    smoothing=SMOOTHINGS[smoothing],
                    probe=len(probes) - 1,
                ):
                    lines[layer * len(SMOOTHINGS) + smoothing][one.target] = len(fitted)
                    fitted.append(line)
    course_map = CourseMap(probes, fitted)
    beyond = _read_elsewhere(course_map, lines, elsewhere, shape=predicted.shape)
    tables = [
        Table(
            predicted[number],
            inner[number],
            np.broadcast_to(beyond[number].astype(np.float32), (folds, *targets.shape)),
            np.zeros((folds, 0, len(names)), dtype=np.float32),
            np.zeros((folds, len(names))),
        )
        for number in range(count)
    ]
    return Courses(tables, lines, course_map)


def _fit_lines(
    predicted: Floats,
    owner: NDArray[np.int64],
    targets: Array,
    names: Sequence[str],
    *,
    definitions: Sequence[Definition],
    smoothing: float,
    probe: int,
) -> Iterator[tuple[Definition, Line]]:
    """Yield the line of each target over all tracks; a line never falls."""
    present, first = np.unique(owner, return_index=True)
    ends = np.append(first[1:], len(owner))
    for one in definitions:
        name, y = names[one.target], targets[present, one.target]
        x = np.array(
            [
                _apply(name, predicted[start:stop, one.curve].astype(np.float64), smoothing)
                if stop - start >= _FEWEST_MOMENTS
                else np.nan
                for start, stop in zip(first, ends, strict=True)
            ]
        )
        known = np.isfinite(x) & np.isfinite(y)
        slope, mean = 0.0, float(y[known].mean()) if known.any() else np.nan
        if known.sum() >= 2 and np.ptp(x[known]) > 0:
            slope = max(float(np.polyfit(x[known], y[known], 1)[0]), 0.0)
        intercept = mean - slope * float(x[known].mean()) if known.any() else np.nan
        yield one, Line(name, probe, one.curve, smoothing, slope, intercept, mean)


def _apply(target: str, course: NDArray[np.floating[Any]], smoothing: float) -> float:
    from scipy.ndimage import gaussian_filter1d

    one, values = READINGS[target], np.asarray(course, dtype=np.float64)
    if smoothing and one.course:
        values = gaussian_filter1d(values, smoothing, mode="nearest")
    return float(one.function(values))


def _read_elsewhere(
    course_map: CourseMap,
    lines: Sequence[NDArray[np.int64]],
    elsewhere: Sequence[tuple[int, States]],
    *,
    shape: tuple[int, ...],
) -> Array:
    """Return what the map says of tracks [candidates, n, t]; the mean where nothing is known."""
    out = np.full(shape, np.nan)
    means = np.array([line.mean for line in course_map.lines])
    values = {row: course_map.read(states) for row, states in elsewhere}
    for number, own in enumerate(lines):
        told = np.flatnonzero(own >= 0)
        out[number][:, told] = means[own[told]]
        for row, said in values.items():
            out[number, row, told] = said[own[told]]
    return out
