"""Edits of loudness: of all of it, of passages, of its course, and of the attacks of notes.

Conventions: gains change slowly against the waveform, so no edit distorts it. Nothing is clipped: a
sample may exceed 1.
"""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Floats = NDArray[np.float64]
_CONTOUR_RATE = 50  # gains a second
_CONTOUR_SECONDS = 1.0  # standard deviation, as of the target's contour
_FARTHEST = 26.0  # dB that a passage is moved at most
_FLOOR = 60.0  # dB below the mean power, under which nothing is expanded
_ATTACK_RATE = 1000  # gains a second
_NOW, _BEFORE = 0.003, 0.06  # seconds: the level of an attack, and of what was before it
_STEEP = 20.0  # dB of rise that count as a whole attack
_HELD = 0.015  # seconds for which an attack goes on


def gain(samples: Samples, rate: int, decibel: float) -> Samples:  # noqa: ARG001 (all take it)
    """Make all of it louder or softer by so many dB. ``rate`` does not matter."""
    return np.asarray(samples * np.float32(10 ** (decibel / 20)))


def dynamics(samples: Samples, rate: int, factor: float) -> Samples:
    """Widen or narrow how far soft passages lie below loud ones.

    The slow contour of the level, in dB, is multiplied by ``factor`` around its mean. What lasts
    less than a second keeps its shape.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
    rate : int
        Hz.
    factor : float
        1 changes nothing, 0 levels all passages. No passage is moved by more than 26 dB.
    """
    from scipy.ndimage import gaussian_filter1d

    power = _power(samples, rate, per_second=_CONTOUR_RATE)
    slow = gaussian_filter1d(power, _CONTOUR_SECONDS * _CONTOUR_RATE, mode="nearest")
    level = 10 * np.log10(np.maximum(slow, slow.mean() * 10 ** (-_FLOOR / 10)) + 1e-30)
    moved = np.clip((factor - 1) * (level - level.mean()), -_FARTHEST, _FARTHEST)
    return _with_gain(samples, moved)


def swell(samples: Samples, rate: int, decibel: float) -> Samples:  # noqa: ARG001 (all take it)
    """Lay a crescendo over all of it: so many dB louder at the end than at the beginning.

    Below 0 it is a diminuendo. The level, in dB, rises in a straight line. ``rate`` does not
    matter.
    """
    course = np.linspace(-0.5, 0.5, samples.size) * decibel
    return np.asarray(samples * (10 ** (course / 20)).astype(np.float32))


def transients(samples: Samples, rate: int, decibel: float) -> Samples:
    """Make attacks louder (sharper) or softer, and leave alone what sounds on.

    The rise of the level of 3 ms over that of the 60 ms before says how much of an attack there is:
    20 dB are a whole one, which gets the whole gain.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
    rate : int
        Hz.
    decibel : float
        Gain of a whole attack.
    """
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d, uniform_filter1d

    power = _power(samples, rate, per_second=_ATTACK_RATE)
    least = max(float(power.mean()) * 1e-6, 1e-30)
    now = gaussian_filter1d(power, _NOW * _ATTACK_RATE, mode="nearest")
    width = round(_BEFORE * _ATTACK_RATE)
    before = uniform_filter1d(power, width, mode="nearest", origin=(width - 1) // 2)
    rise = 10 * np.log10((now + least) / (before + least))
    share = np.clip(rise / _STEEP, 0.0, 1.0)
    share = maximum_filter1d(share, round(_HELD * _ATTACK_RATE))
    smooth = gaussian_filter1d(share, _NOW * _ATTACK_RATE, mode="nearest")
    return _with_gain(samples, decibel * smooth)


def _power(samples: Samples, rate: int, *, per_second: int) -> Floats:
    """Return the mean square of equal stretches, one at least."""
    n = max(1, round(samples.size / rate * per_second))
    edges = np.linspace(0, samples.size, n + 1).astype(np.int64)
    sums = np.add.reduceat(np.square(samples, dtype=np.float64), edges[:-1])
    return np.asarray(sums / np.maximum(np.diff(edges), 1))


def _with_gain(samples: Samples, decibel: Floats) -> Samples:
    """Multiply by the gains of equal stretches; between their middles they are lines."""
    at = (np.arange(decibel.size) + 0.5) * (samples.size / decibel.size)
    course = np.interp(np.arange(samples.size), at, decibel)
    return np.asarray(samples * (10 ** (course / 20)).astype(np.float32))
