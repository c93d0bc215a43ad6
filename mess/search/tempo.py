"""Tempo in search: tempi that differ by octaves are equal, and the density of onsets breaks ties.

A tempo is ambiguous by octaves: listeners tap at 60 or at 120 beats per minute to the same music,
and most errors of tempo estimation are octaves. So a tempo is represented as a point on a circle
whose circumference is one octave, like a pitch class. The density of onsets needs no beat; it
separates slow from fast music where the circle cannot.

Examples
--------
>>> octaves_apart([60.0, 60.0, 60.0], [120.0, 90.0, 61.0]).round(3).tolist()
[0.0, 0.415, 0.024]

References
----------
R. N. Shepard: Geometrical approximations to the structure of musical pitch. Psychological Review
89, 1982 (a circle and a height). F. Gouyon et al.: An experimental comparison of audio tempo
induction algorithms. IEEE Transactions on Audio, Speech, and Language Processing 14, 2006
(accuracy 2 ignores octaves).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

TEMPO, DENSITY = "tempo", "onset_density"
ON_CIRCLE = 2  # columns: cosine and sine
DENSITY_SHARES = (0.0, 0.1, 0.25, 0.5)  # `mess evaluate` chooses one of them
DENSITY_SHARE = 0.1  # without an evaluation: small, so that it mostly breaks ties


def octaves_apart(first: ArrayLike, second: ArrayLike) -> Array:
    """Return the distance of tempi up to whole octaves.

    Parameters
    ----------
    first, second : array_like
        In beats per minute.

    Returns
    -------
    ndarray
        In octaves, from 0 to ½; NaN where a tempo is unknown or not positive.
    """
    octaves = _log2(first) - _log2(second)
    return np.asarray(np.abs(octaves - np.round(octaves)))


def octave_values(tempo: ArrayLike, density: ArrayLike) -> Array:
    """Return the values by which tempi are compared.

    Parameters
    ----------
    tempo, density : array_like [shape=(n,)]
        In beats per minute and in onsets per second.

    Returns
    -------
    ndarray [shape=(n, 3)]
        Cosine and sine of the angle on the circle, and log2 of the density; NaN where unknown.
    """
    angle = 2 * np.pi * _log2(tempo)
    return np.column_stack([np.cos(angle), np.sin(angle), _log2(density)])


def scale_of(deviation: Array) -> Array:
    """Return the scale of each column of `octave_values`.

    Cosine and sine have the same scale, so that the circle remains a circle. The mean squared
    difference of random pairs of tracks over both columns is then 2, as for any aspect.
    """
    scale = np.array(deviation, dtype=np.float64)
    scale[:ON_CIRCLE] = np.sqrt(np.mean(np.square(scale[:ON_CIRCLE])))
    return scale


def circle_r2(r2: Array, deviation: Array) -> float:
    """Return the R² of both columns of the circle together, weighted by their variances."""
    variance = np.square(deviation[:ON_CIRCLE])
    total = variance.sum()
    return float(1 - (1 - r2[:ON_CIRCLE]) @ variance / total) if total > 0 else np.nan


def octave_shares(columns: int, *, density: float = DENSITY_SHARE) -> Array:
    """Return the share of each column; the shares sum to 1.

    >>> octave_shares(3, density=0.5).tolist(), octave_shares(2).tolist()
    ([0.25, 0.25, 0.5], [0.5, 0.5])
    """
    if columns <= ON_CIRCLE:
        return np.full(columns, 1 / max(columns, 1))
    return np.array([*[(1 - density) / ON_CIRCLE] * ON_CIRCLE, density])


def octave_targets(values: Array, names: Sequence[str]) -> Array:
    """Return `octave_values` of tracks whose targets were measured.

    Parameters
    ----------
    values : ndarray [shape=(n, t)]
    names : sequence of str, length t

    Returns
    -------
    ndarray [shape=(n, 3)], or [shape=(n, 0)] where tempo is not among the targets
    """
    if TEMPO not in names:
        return np.empty((len(values), 0))
    unknown = np.full(len(values), np.nan)
    density = values[:, list(names).index(DENSITY)] if DENSITY in names else unknown
    return octave_values(values[:, list(names).index(TEMPO)], density)


def _log2(values: ArrayLike) -> Array:
    numbers = np.asarray(values, dtype=np.float64)
    return np.log2(numbers, out=np.full(numbers.shape, np.nan), where=numbers > 0)
