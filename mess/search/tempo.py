"""Tempo as search compares it: octaves apart counts as equal, and the density of onsets as a tie.

Nobody can say whether a piece goes at 60 or at 120 beats a minute: listeners tap at either, and
what estimates a tempo errs by octaves more than by anything else. So tempo is a place on a circle,
as pitch class is, of which one turn is an octave. Onset density, which needs no beat, tells a slow
piece from a fast one where the circle cannot.

Examples
--------
>>> octaves_apart([60.0, 60.0, 60.0], [120.0, 90.0, 61.0]).round(3).tolist()
[0.0, 0.415, 0.024]

References
----------
R. N. Shepard: Geometrical approximations to the structure of musical pitch. Psychological Review
89, 1982 (a circle and a height). F. Gouyon et al.: An experimental comparison of audio tempo
induction algorithms. IEEE Transactions on Audio, Speech, and Language Processing 14, 2006
(accuracy 2 lets octaves pass).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

TEMPO, DENSITY = "tempo", "onset_density"
ON_CIRCLE = 2  # columns: cosine and sine
DENSITY_SHARES = (0.0, 0.1, 0.25, 0.5)  # `mess evaluate` chooses one of them
DENSITY_SHARE = 0.1  # where nothing was evaluated: little more than what breaks a tie


def octaves_apart(one: ArrayLike, other: ArrayLike) -> Array:
    """Return how far tempos are from being equal or whole octaves apart.

    Parameters
    ----------
    one, other : array_like
        In beats per minute.

    Returns
    -------
    ndarray
        In octaves, from 0 to ½; NaN where a tempo is not known or not above 0.
    """
    octaves = _log2(one) - _log2(other)
    return np.asarray(np.abs(octaves - np.round(octaves)))


def octave_values(tempo: ArrayLike, density: ArrayLike) -> Array:
    """Return what tempos are compared by.

    Parameters
    ----------
    tempo, density : array_like [shape=(n,)]
        In beats per minute and in onsets per second.

    Returns
    -------
    ndarray [shape=(n, 3)]
        Cosine and sine of the place on the circle, and log2 of the density; NaN where it is not
        known.
    """
    angle = 2 * np.pi * _log2(tempo)
    return np.column_stack([np.cos(angle), np.sin(angle), _log2(density)])


def scale_of(deviation: Array) -> Array:
    """Return what divides each column of `octave_values`.

    Cosine and sine have one scale, or the circle would become an ellipse. Two tracks drawn at
    random are then 2 apart (the mean squared difference) along both together, as along any aspect.
    """
    scale = np.array(deviation, dtype=np.float64)
    scale[:ON_CIRCLE] = np.sqrt(np.mean(np.square(scale[:ON_CIRCLE])))
    return scale


def circle_r2(r2: Array, deviation: Array) -> float:
    """Return R² of both columns of the circle together, each by the variance that it has."""
    variance = np.square(deviation[:ON_CIRCLE])
    total = variance.sum()
    return float(1 - (1 - r2[:ON_CIRCLE]) @ variance / total) if total > 0 else np.nan


def octave_shares(columns: int, *, density: float = DENSITY_SHARE) -> Array:
    """Return how much each column counts: they add up to 1.

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
    found = np.asarray(values, dtype=np.float64)
    return np.log2(found, out=np.full(found.shape, np.nan), where=found > 0)
