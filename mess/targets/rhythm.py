"""Rhythm: how fast the beat, how dense the notes.

Conventions: both targets come from the onset strength, the rise of the spectrum from frame to
frame, and from the onsets picked in it. Tempo has no single truth: half and double of a notated
tempo describe the same music, and only the choice between them is a matter of taste.
"""

import numpy as np

from mess.targets.analysis import FRAME_RATE, Analysis, Floats

_MIN_SECONDS = 1.0
_MIN_ONSETS = 4
_MIN_DENSITY = 0.25  # onsets per second; below, there is no beat
_WINDOW_SECONDS = 10.0
_SLOWEST, _FASTEST = 30.0, 300.0  # beats per minute
_PREFERRED_TEMPO = 100.0
_EVENTS_PER_BEAT = 1.3
_EVENT_WEIGHT = 0.2  # 0: one preferred tempo for all music; 1: it follows the notes alone
_OCTAVES = 0.5  # standard deviation of the preference
_SUBDIVISION_WEIGHT = 0.2
_SEARCH_FRAMES = 2
_CHANCE = 2.5  # standard errors that the autocorrelation must exceed
_DEPENDENT_FRAMES = 8  # frames that share their samples


def tempo(analysis: Analysis) -> float:
    """Return the tempo in beats per minute.

    The lag τ that maximises (r(τ) + 0.2·r(τ/2)) · exp(−½ (log2(60 / τ / p) / 0.5)²), where r is the
    autocorrelation of the onset strength, averaged over windows of 10 s (tempo induction by a
    weighted autocorrelation: Ellis 2007). The preferred tempo p = 100^0.8 · (60·d / 1.3)^0.2
    leans towards the music's own d onsets per second, so that a piece played faster is found
    faster (cf. Hockman and Fujinaga 2010). τ is refined by parabolas through the peaks at its
    multiples. NaN with fewer than four onsets or one in four seconds, or if r(τ) is no higher than
    chance, 2.5·√(8 / frames): music without a beat.
    """
    strength = analysis.onset_strength
    density = onset_density(analysis)
    if analysis.onsets.size < _MIN_ONSETS or not density >= _MIN_DENSITY:
        return float("nan")
    correlation = mean_autocorrelation(strength, window=round(_WINDOW_SECONDS * FRAME_RATE))
    slowest = min(round(60 * FRAME_RATE / _SLOWEST), correlation.size - 2)
    lags = np.arange(round(60 * FRAME_RATE / _FASTEST), slowest + 1)
    subdivided = correlation[np.rint(lags / 2).astype(np.int64)]
    salience = np.maximum(correlation[lags] + _SUBDIVISION_WEIGHT * subdivided, 0)
    events = 60 * density / _EVENTS_PER_BEAT
    preferred = _PREFERRED_TEMPO ** (1 - _EVENT_WEIGHT) * events**_EVENT_WEIGHT
    octaves = np.log2(60 * FRAME_RATE / lags / preferred)
    weighted = salience * np.exp(-0.5 * (octaves / _OCTAVES) ** 2)
    best = int(weighted.argmax())
    if correlation[lags[best]] < _CHANCE * np.sqrt(_DEPENDENT_FRAMES / strength.size):
        return float("nan")
    return 60.0 * FRAME_RATE / refined_lag(correlation, int(lags[best]))


def onset_density(analysis: Analysis) -> float:
    """Return the number of onsets per second; notes within 30 ms of each other are one.

    NaN for less than a second of sound.
    """
    if analysis.duration < _MIN_SECONDS:
        return float("nan")
    return analysis.onsets.size / analysis.duration


def mean_autocorrelation(strength: Floats, *, window: int) -> Floats:
    """Return the autocorrelation of a curve, averaged over windows that overlap.

    Each window is centred and tapered, and the taper's own autocorrelation is divided out, so a
    periodic curve keeps its height at long lags.

    Returns
    -------
    ndarray [shape=(min(window, n) // 2,)]
        1 at lag 0.
    """
    window = min(window, strength.size)
    taper = np.hanning(window + 2)[1:-1]
    total = np.zeros(window)
    for start in range(0, strength.size - window + 1, FRAME_RATE):
        stretch = strength[start : start + window]
        total += _autocorrelation((stretch - stretch.mean()) * taper)
    half = window // 2
    result: Floats = total[:half] / np.maximum(total[0], 1e-12)
    own = _autocorrelation(taper)[:half]
    return result * own[0] / own


def refined_lag(correlation: Floats, lag: int) -> float:
    """Return the period near ``lag`` in fractions of a frame.

    Peaks at two, three … times the period tell it two, three … times as precisely; they are
    followed as long as they stay half as high as the first.
    """
    period = float(lag)
    first = correlation[lag]
    multiple = 1
    while True:
        centre = round(multiple * period)
        low, high = centre - _SEARCH_FRAMES, centre + _SEARCH_FRAMES + 1
        if low < 1 or high >= correlation.size:
            return period
        peak = low + int(correlation[low:high].argmax())
        left, here, right = correlation[peak - 1 : peak + 2]
        curvature = left - 2 * here + right
        if here < 0.5 * first or curvature >= 0:
            return period
        period = float(peak + 0.5 * (left - right) / curvature) / multiple
        multiple += 1


def _autocorrelation(values: Floats) -> Floats:
    from scipy.fft import irfft, rfft

    spectrum = rfft(values, 2 * values.size)
    result: Floats = irfft(spectrum.real**2 + spectrum.imag**2, 2 * values.size)[: values.size]
    return result
