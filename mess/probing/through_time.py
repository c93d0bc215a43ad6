"""Scalar targets from predicted curves: the target's own definition, and one line.

Task: given curves that probes predict, out of fold and inside the training folds, say what each
track's scalar target would be. The definition (a variance, a mean rise …) is applied to the
predicted curve as it is to the measured one. Predicted curves are flatter than measured ones, so a
line from the result to the target is fitted on training tracks.

Conventions: nothing is fitted on a track that it is tested on. The prediction of a training track
comes from a line that was fitted without the fold of that track, too, so it can be compared with
what any other reading predicts of it, and a layer and a smoothing chosen by that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SMOOTHINGS = (0.0, 1.0, 2.0, 4.0)  # moments: standard deviations of a Gaussian


@dataclass(frozen=True)
class Definition:
    """How a scalar target is made from a curve.

    Attributes
    ----------
    target : int
        Its column.
    curve : int
        The column of the curve.
    function : callable
        [..., n] → [...].
    course : bool
        Whether smoothings are tried.
    """

    target: int
    curve: int
    function: Callable[[Array], Array]
    course: bool


@dataclass(frozen=True)
class Scalars:
    """What is read from predicted curves.

    Attributes
    ----------
    predicted : ndarray [shape=(candidates, n, definitions)]
        Each track by probes and a line that never saw its fold.
    inner : ndarray [shape=(candidates, folds, n, definitions)]
        Training tracks, by probes and a line that saw neither the fold that is held out nor the
        track's own; NaN in the rows that are held out.
    """

    predicted: Array
    inner: NDArray[np.float32]


def read_scalars(
    predicted: NDArray[np.float32],
    inner: NDArray[np.float32],
    owner: NDArray[np.int64],
    targets: Array,
    fold: NDArray[np.int64],
    *,
    definitions: Sequence[Definition],
    smoothings: Sequence[float] = SMOOTHINGS,
) -> Scalars:
    """Read every target from the predicted curves of one layer.

    Parameters
    ----------
    predicted : ndarray [shape=(m, curves)]
        Of moments; see `mess.probing.moments.PredictedCurves`.
    inner : ndarray [shape=(folds, m, curves)]
    owner : ndarray [shape=(m,), dtype=int]
        The track of each moment, ascending; a track may have none.
    targets : ndarray [shape=(n, t)]
        NaN where undefined.
    fold : ndarray [shape=(n,), dtype=int]
        Of each track.
    definitions : sequence of Definition
    smoothings : sequence of float
        The candidates, in moments.
    """
    values = scalar_values(
        predicted,
        inner,
        owner,
        n=len(targets),
        definitions=definitions,
        smoothings=smoothings,
    )
    return calibrate(values, targets[:, [one.target for one in definitions]], fold)


def scalar_values(
    predicted: NDArray[np.float32],
    inner: NDArray[np.float32],
    owner: NDArray[np.int64],
    *,
    n: int,
    definitions: Sequence[Definition],
    smoothings: Sequence[float] = SMOOTHINGS,
) -> Array:
    """Return what the definitions make of predicted curves, before any line.

    Parameters
    ----------
    n : int
        How many tracks there are.
    predicted, inner, owner, definitions, smoothings
        As of `read_scalars`.

    Returns
    -------
    ndarray [shape=(smoothings, folds + 1, n, definitions)]
        As `calibrate` takes it.
    """
    folds = len(inner)
    values = np.full((len(smoothings), folds + 1, n, len(definitions)), np.nan)
    present, first = np.unique(owner, return_index=True)
    ends = np.append(first[1:], len(owner))
    for track, start, stop in zip(present, first, ends, strict=True):
        if stop - start < 2:
            continue
        stretch = slice(start, stop)
        both = np.concatenate([inner[:, stretch], predicted[None, stretch]]).astype(np.float64)
        for place, width in enumerate(smoothings):
            smooth = smoothed(both, width)
            for column, one in enumerate(definitions):
                if place and not one.course:
                    values[place, :, track, column] = values[0, :, track, column]
                else:
                    values[place, :, track, column] = one.function(smooth[..., one.curve])
    return values


def calibrate(values: Array, targets: Array, fold: NDArray[np.int64]) -> Scalars:
    """Predict targets from what their definitions make of predicted curves, by lines.

    Parameters
    ----------
    values : ndarray [shape=(candidates, folds + 1, n, t)]
        What the definitions make of the curves of each track: for each fold that is held out, from
        curves that saw neither it nor the track's own fold; the last, from curves that only did not
        see the track's own fold. NaN where undefined.
    targets : ndarray [shape=(n, t)]
        NaN where undefined.
    fold : ndarray [shape=(n,), dtype=int]
    """
    candidates, folds, n, columns = values.shape
    out = np.full((candidates, n, columns), np.nan)
    inside = np.full((candidates, folds - 1, n, columns), np.nan, dtype=np.float32)
    for place, column in np.ndindex(candidates, columns):
        out[place, :, column], inside[place, :, :, column] = _calibrated(
            values[place, :, :, column], targets[:, column], fold
        )
    return Scalars(out, inside)


def held_out_lines(values: Array, targets: Array) -> tuple[Array, Array]:
    """Return the lines by which `calibrate` predicts the tracks of each fold.

    Parameters
    ----------
    values, targets
        As of `calibrate`.

    Returns
    -------
    slope, intercept : ndarray [shape=(candidates, folds, t)]
        Of the line that never saw the fold.
    """
    candidates, folds, _, columns = values.shape
    slope, intercept = np.empty((2, candidates, folds - 1, columns))
    for place, held, column in np.ndindex(candidates, folds - 1, columns):
        x, y = values[place, held, :, column], targets[:, column]
        known = np.isfinite(x) & np.isfinite(y)
        slope[place, held, column], intercept[place, held, column] = _line(x[known], y[known])
    return slope, intercept


def smoothed(curves: Array, width: float) -> Array:
    """Return curves [k, n, curves] averaged over time; at the ends the last values go on."""
    from scipy.ndimage import gaussian_filter1d

    if not width:
        return curves
    smooth: Array = gaussian_filter1d(curves, width, axis=1, mode="nearest")
    return smooth


def _calibrated(values: Array, y: Array, fold: NDArray[np.int64]) -> tuple[Array, Array]:
    """Return what lines from values [folds + 1, n] predict of tracks, held out and inside.

    A line that falls is none: the definition is applied for what it says, so its slope is 0 at
    least.
    """
    folds = len(values) - 1
    out, inside = np.full(len(y), np.nan), np.full((folds, len(y)), np.nan)
    for k in range(folds):
        known = np.isfinite(values[k]) & np.isfinite(y)
        out[fold == k] = _through(values[k], y, values[-1][fold == k], known)
        for j in range(folds):
            own = fold == j
            if j != k and own.any():
                inside[k, own] = _through(values[k], y, values[k][own], known & ~own)
    return out, inside


def _through(x: Array, y: Array, new: Array, known: NDArray[np.bool_]) -> Array:
    """Return what the line through known (x, y) says of new x; the mean where that is undefined."""
    slope, intercept = _line(x[known], y[known])
    mean = y[known].mean() if known.any() else np.nan
    return np.where(np.isfinite(new), slope * np.nan_to_num(new) + intercept, mean)


def _line(x: Array, y: Array) -> tuple[float, float]:
    """Return slope and intercept of the least-squares line, flat where there is nothing to fit."""
    if not len(x):
        return 0.0, float("nan")
    deviation = x - x.mean()
    spread = float(deviation @ deviation)
    slope = max(float(deviation @ (y - y.mean())) / spread, 0.0) if spread > 0 else 0.0
    return slope, float(y.mean() - slope * x.mean())
