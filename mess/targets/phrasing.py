"""Phrasing: the number of phrases, and how regularly they follow each other.

Task: find the moments at which the music before and after differ most in harmony, timbre and
loudness.

Conventions: novelty is the distance between the music before and after a moment, in units that do
not depend on the track. It is 0 if the music does not change, and about 1 for a change of chord,
register and loudness. Distances between boundaries are in seconds.
"""

import numpy as np
from numpy.typing import NDArray

from mess.targets.analysis import (
    PITCH_RATE,
    SOUNDING_FLOOR,
    Analysis,
    Floats,
    gaussian_mean,
)
from mess.targets.spectrum import PITCH_STEP

NOVELTY_RATE = 2.5  # values per second
_SMOOTHING_SECONDS = 1.0  # standard deviation
_HALF_KERNEL = 5.0  # seconds before and after a moment that are compared
_PROMINENCE = 0.1
_FLAT = 0.05  # a curve with a smaller range counts as constant
_EDGE_SECONDS = 2.5  # left out at both ends, where the kernel covers too little music
_LEVEL_SCALE = 40.0  # dB that count as much as a change to entirely different pitch classes
_TIMBRE_BANDS = 16
_SHORTEST, _LONGEST = 4.0, 20.0  # seconds: the range of periods
_MIN_SECONDS = 12.0  # of music between the edges


def num_phrases(analysis: Analysis) -> float:
    """Return the number of phrases.

    1 + the number of peaks of the novelty curve (see `novelty`) with a prominence of at least 0.1,
    the first and the last 2.5 s left out. The threshold is absolute: music that does not change
    is one phrase at any length, and a piece played twice has about twice as many phrases. NaN for
    less than 10 s of sound.
    """
    return phrases_in(novelty(analysis))


def phrases_in(curve: Floats) -> float:
    """Return `num_phrases` of a novelty curve."""
    from scipy.signal import find_peaks

    if not curve.size:
        return float("nan")
    peaks, _ = find_peaks(curve, prominence=_PROMINENCE)
    edge = round(_EDGE_SECONDS * NOVELTY_RATE)
    return 1.0 + float(((peaks >= edge) & (peaks < curve.size - edge)).sum())


def phrase_regularity(analysis: Analysis) -> float:
    """Return how regularly phrases follow each other.

    The highest peak of the novelty curve's autocorrelation (Pearson's r of the curve with itself
    moved by τ, the first and the last 2.5 s left out) for τ from 4 s to 20 s or half the music,
    −1 to 1: near 1 if equally strong boundaries come at equal distances. It needs no threshold, as
    the variation of the distances between boundaries would. NaN for less than 17 s of sound, or
    if the music does not change.
    """
    return regularity_of(novelty(analysis))


def regularity_of(curve: Floats) -> float:
    """Return `phrase_regularity` of a novelty curve."""
    edge = round(_EDGE_SECONDS * NOVELTY_RATE)
    curve = curve[edge:-edge]
    if curve.size < _MIN_SECONDS * NOVELTY_RATE or np.ptp(curve) < _FLAT:
        return float("nan")
    longest = min(round(_LONGEST * NOVELTY_RATE), curve.size // 2)
    lags = range(round(_SHORTEST * NOVELTY_RATE) - 1, longest + 2)
    heights = np.array([_correlation(curve[:-lag], curve[lag:]) for lag in lags])
    middle = heights[1:-1]
    is_peak = (middle >= heights[:-2]) & (middle > heights[2:])
    return float(middle[is_peak].max()) if is_peak.any() else float(middle.max())


def novelty(analysis: Analysis) -> Floats:
    """Return how much the music after each moment differs from the music before it.

    Foote (2000) correlates a checkerboard kernel, tapered by a Gaussian, along the diagonal of a
    self-similarity matrix. For similarities that are inner products of features x this equals
    ‖Σ s(u) g(u) x(t + u)‖², with the sign s and the taper g. So no matrix is needed, and the cost
    is linear in the length. The result is the square root, scaled to the distance of the two means.

    Returns
    -------
    ndarray [shape=(n,)]
        `NOVELTY_RATE` values per second.
    """
    return novelty_of(phrase_features(analysis))


def novelty_of(features: Floats) -> Floats:
    """Return `novelty` of features [shape=(n, 29)], as `phrase_features` gives them."""
    from scipy.ndimage import correlate1d

    half = round(_HALF_KERNEL * NOVELTY_RATE)
    if features.shape[0] < 2 * half:
        return np.empty(0)
    offset = np.arange(-half, half + 1)
    kernel = np.sign(offset) * np.exp(-0.5 * (2 * offset / half) ** 2)
    kernel *= 2 / np.abs(kernel).sum()
    difference = correlate1d(features, kernel, axis=0, mode="nearest")
    return np.sqrt(np.square(difference).sum(axis=1))


def phrase_features(analysis: Analysis) -> Floats:
    """Return harmony, timbre and loudness [shape=(n, 12 + 16 + 1)], `NOVELTY_RATE` rows per second.

    Harmony and timbre are square roots of shares of power (pitch classes, mel bands), vectors of
    length 1 whose distance is Hellinger's; loudness is the level in units of 40 dB.
    """
    if not len(analysis.mel):
        return np.empty((0, 12 + _TIMBRE_BANDS + 1))
    mel = analysis.mel[::PITCH_STEP]
    bands = _smoothed(mel.reshape(len(mel), _TIMBRE_BANDS, -1).sum(axis=2))
    chroma = _smoothed(analysis.chroma)
    n = min(len(chroma), len(bands))
    power = bands.sum(axis=1)
    level = 10 * np.log10(np.maximum(power / power.max(), 10 ** (SOUNDING_FLOOR / 10)))
    features = [_shares(chroma[:n]), _shares(bands[:n]), level[:n, None] / _LEVEL_SCALE]
    return np.concatenate(features, axis=1)


def _smoothed(power: NDArray[np.floating]) -> Floats:
    """Return the power, smoothed over time, so that a rest between two notes is not a phrase.

    Amplitudes are averaged, not powers: a loud passage would dominate its soft neighbours.
    """
    amplitude = np.sqrt(power.astype(np.float64))
    mean = gaussian_mean(amplitude, width=_SMOOTHING_SECONDS * PITCH_RATE)
    return np.square(mean[:: round(PITCH_RATE / NOVELTY_RATE)])


def _shares(power: Floats) -> Floats:
    power = np.maximum(power, 0)
    return np.sqrt(power / np.maximum(power.sum(axis=1, keepdims=True), 1e-30))


def _correlation(first: Floats, second: Floats) -> float:
    """Return Pearson's r, 0 if one of the two does not vary."""
    deviations = first - first.mean(), second - second.mean()
    norm = float(np.linalg.norm(deviations[0]) * np.linalg.norm(deviations[1]))
    return float(deviations[0] @ deviations[1]) / norm if norm > 0 else 0.0
