"""Readings: scalar targets that are computed from a curve.

Task: compute a scalar target from a measured or predicted curve of a track.

Conventions: functions take curves [..., n] with one value per half second, without gaps, and return
[...]. They are the definitions of the targets at this rate. A line that is fitted afterwards
corrects a constant factor or shift (`mess.probing.through_time`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mess.audio.moments import MOMENT_RATE

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """How a scalar target is made from a curve.

    Attributes
    ----------
    curve : str
    function : callable
        [..., n] → [...].
    course : bool
        Whether it depends on the order or the spread of the values: then a smoother prediction may
        tell more. A mean does not.
    """

    curve: str
    function: Callable[[Floats], Floats]
    course: bool


def _mean(values: Floats) -> Floats:
    return np.asarray(values.mean(axis=-1))


def _variance(values: Floats) -> Floats:
    return np.asarray(values.var(axis=-1))


def _deviation(values: Floats) -> Floats:
    return np.asarray(values.std(axis=-1))


def _median(values: Floats) -> Floats:
    return np.asarray(np.median(values, axis=-1))


def _range(values: Floats) -> Floats:
    """P95 − P10, as `dynamic_range`."""
    low, high = np.percentile(values, (10.0, 95.0), axis=-1)
    return np.asarray(high - low)


def _rise(values: Floats) -> Floats:
    """Mean rise per second, as `crescendo_strength`."""
    return np.asarray(np.maximum(np.diff(values, axis=-1), 0).mean(axis=-1) * MOMENT_RATE)


def _fall(values: Floats) -> Floats:
    """Mean fall per second, as `diminuendo_strength`."""
    return _rise(-values)


READINGS: dict[str, Reading] = {
    "spectral_centroid": Reading("centroid", _mean, course=False),
    "spectral_rolloff": Reading("rolloff", _mean, course=False),
    "spectral_bandwidth": Reading("bandwidth", _mean, course=False),
    "zero_crossing_rate": Reading("zero_crossings", _mean, course=False),
    "onset_density": Reading("onset_density", _mean, course=False),
    "dynamic_range": Reading("note_level", _range, course=True),
    "dynamic_variance": Reading("contour", _variance, course=True),
    "crescendo_strength": Reading("contour", _rise, course=True),
    "diminuendo_strength": Reading("contour", _fall, course=True),
    "harmonic_complexity": Reading("harmonic_entropy", _mean, course=False),
    "note_density": Reading("note_density", _mean, course=False),
    "velocity_mean": Reading("velocity", _mean, course=False),
    "velocity_spread": Reading("velocity", _deviation, course=True),
    "polyphony": Reading("polyphony", _mean, course=False),
    "register": Reading("register", _mean, course=False),
    "articulation_ratio": Reading("articulation", _median, course=True),
    "tempo_spread": Reading("tempo_deviation", _deviation, course=True),
    "pedal_ratio": Reading("pedal", _mean, course=False),
}
