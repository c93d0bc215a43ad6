"""Rhythm: the tempo, and the number of notes per second.

Conventions: both targets are computed from the onset strength (the rise of the spectrum from frame
to frame) and from the onsets picked in it. A tempo has no single true value: half and double of the
notated tempo describe the same music. `mess.targets.tempo_accuracy` measures how well it is
estimated.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from mess.targets.analysis import Analysis, Floats
from mess.targets.librosa_import import import_librosa
from mess.targets.spectrum import FRAME_RATE

_MIN_SECONDS = 1.0
_MIN_ONSETS = 4
_MIN_DENSITY = 0.25  # onsets per second; below it, no tempo is estimated
_WINDOW_SECONDS = 10.0
_SLOWEST, _FASTEST = 30.0, 300.0  # beats per minute
_PREFERRED_TEMPO = 120.0  # as librosa
_EVENTS_PER_BEAT = 1.3
_EVENT_WEIGHT = 0.4  # 0: one preferred tempo for all music; 1: it depends on the notes alone
_OCTAVES = 1.0  # standard deviation of the preference, as librosa
_SUBDIVISION_WEIGHT = 0.3
_WHOLE = 0.9  # a curve with this autocorrelation counts as periodic
_WHOLE_NUMBER = 0.1  # tolerance for a whole number of beats
_REACHED_FRAMES = 5  # frames within which a note reaches its level
_SEARCH_FRAMES = 2
_CHANCE = 4.0  # standard errors that the autocorrelation must exceed
_DEPENDENT_FRAMES = 8  # frames that share their samples


def tempo(analysis: Analysis) -> float:
    """Return the tempo in beats per minute.

    It is `librosa.feature.tempo` with another tempogram, which differs in three points:

    - librosa always returns a tempo. Here a lag must be a peak of the autocorrelation r and exceed
      chance, 4·√(8 / frames). Music without a beat has no tempo (NaN), nor has music with fewer
      than four onsets, or fewer than one in four seconds.
    - librosa weighs all notes alike, in dB: three soft quavers give a beat of 170 BPM. Here an
      onset is weighed by the amplitude that it reaches (`accents`).
    - librosa's lags are whole frames. Here the lag is refined (`refined_lag`).

    The salience of a lag τ is r(τ) + 0.3·r(τ/2), because beats are subdivided. If the curve is
    periodic (r ≥ 0.9), only that lag and its divisors are candidates: the clicks of a metronome are
    its beats. librosa weighs the salience with a normal distribution over log2 of the tempo, with a
    standard deviation of one octave (Ellis 2007). Its mean is p = 120^0.6 · (60·d / 1.3)^0.4 for d
    onsets per second, so music with more notes gets a faster tempo (cf. Hockman and Fujinaga
    2010).
    """
    if analysis.onsets.size < _MIN_ONSETS:
        return float("nan")
    return tempo_of_accents(accents(analysis), density=onset_density(analysis))


def tempo_of_accents(strength: Floats, *, density: float) -> float:
    """Return the tempo of a curve of accents, in beats per minute; see `tempo`.

    Parameters
    ----------
    strength : ndarray [shape=(frames,)]
        From `accents`, `FRAME_RATE` values per second.
    density : float
        Onsets per second.
    """
    if not density >= _MIN_DENSITY:
        return float("nan")
    correlation = mean_autocorrelation(strength, window=round(_WINDOW_SECONDS * FRAME_RATE))
    lags = beat_lags(correlation, n_frames=strength.size)
    if not lags.size:
        return float("nan")
    salience = np.zeros_like(correlation)
    halves = np.rint(lags / 2).astype(np.int64)
    salience[lags] = correlation[lags] + _SUBDIVISION_WEIGHT * np.maximum(correlation[halves], 0)
    events = 60 * density / _EVENTS_PER_BEAT
    estimate = import_librosa().feature.tempo(
        tg=salience[:, None],
        sr=FRAME_RATE,
        hop_length=1,
        start_bpm=_PREFERRED_TEMPO ** (1 - _EVENT_WEIGHT) * events**_EVENT_WEIGHT,
        std_bpm=_OCTAVES,
        aggregate=None,
    )
    lag = round(60 * FRAME_RATE / float(estimate[0]))
    return 60.0 * FRAME_RATE / refined_lag(correlation, lag)


def accents(analysis: Analysis) -> Floats:
    """Return the onset strength times the amplitude that is reached within 50 ms.

    Onset strength is a difference of levels, so a note 12 dB softer than its neighbours counts
    nearly as much as they do. Multiplied by the amplitude, loud notes count more.
    """
    return weigh_onsets(analysis.onset_strength, analysis.level)


def weigh_onsets(strength: Floats, level: Floats) -> Floats:
    """Return `accents` of an onset strength and a level in dB [shape=(frames,)] each."""
    from scipy.ndimage import maximum_filter1d

    reached = maximum_filter1d(level, _REACHED_FRAMES, origin=-(_REACHED_FRAMES // 2))
    return strength * 10 ** (reached / 20)


def beat_lags(correlation: Floats, *, n_frames: int) -> NDArray[np.int64]:
    """Return the candidate lags of a beat, in frames: peaks of the autocorrelation above chance.

    If the curve is periodic, its period is a whole number of beats.
    """
    slowest = min(round(60 * FRAME_RATE / _SLOWEST), correlation.size - 2)
    lags = np.arange(round(60 * FRAME_RATE / _FASTEST), slowest + 1)
    if not lags.size:
        return lags
    before, here, after = (correlation[lags + step] for step in (-1, 0, 1))
    chance = _CHANCE * np.sqrt(_DEPENDENT_FRAMES / n_frames)
    lags = lags[(here >= before) & (here >= after) & (here > chance)]
    whole = lags[correlation[lags] >= _WHOLE]
    if not whole.size:
        return lags
    beats = whole[0] / lags
    return lags[(np.rint(beats) >= 1) & (np.abs(beats - np.rint(beats)) <= _WHOLE_NUMBER)]


def onset_density(analysis: Analysis) -> float:
    """Return the number of onsets per second; notes within 30 ms of each other count once.

    NaN for less than a second of sound.
    """
    if analysis.duration < _MIN_SECONDS:
        return float("nan")
    return analysis.onsets.size / analysis.duration


def mean_autocorrelation(strength: Floats, *, window: int) -> Floats:
    """Return the autocorrelation of a curve, averaged over overlapping windows.

    It is the mean of `librosa.autocorrelate` over windows that begin every second;
    `librosa.feature.tempogram` would keep one for each frame. The power spectra are added before
    the one inverse transform, which halves the cost. Each window is centred and tapered. The result
    is divided by the autocorrelation of the taper, so a periodic curve keeps its height at long
    lags.

    Returns
    -------
    ndarray [shape=(min(window, n) // 2,)]
        1 at lag 0.
    """
    librosa = import_librosa()
    window = min(window, strength.size)
    taper, own = _taper(window)
    stretches = librosa.util.frame(strength, frame_length=window, hop_length=FRAME_RATE, axis=0)
    stretches = (stretches - stretches.mean(axis=1, keepdims=True)) * taper
    total = _autocorrelation(stretches)[: window // 2]
    result: Floats = total / np.maximum(total[0], 1e-12)
    return result * own[0] / own


@cache
def _taper(window: int) -> tuple[Floats, Floats]:
    """Return a Hann window, and the first half of its autocorrelation."""
    taper = np.hanning(window + 2)[1:-1]
    return taper, _autocorrelation(taper[None])[: window // 2]


def _autocorrelation(stretches: Floats) -> Floats:
    """Return the autocorrelation [n] of curves [k, n], summed over the curves."""
    from scipy.fft import irfft, next_fast_len, rfft

    n = stretches.shape[1]
    size = next_fast_len(2 * n - 1, real=True)
    power = np.square(np.abs(rfft(stretches, size, axis=1))).sum(axis=0)
    return np.asarray(irfft(power, size)[:n])


def refined_lag(correlation: Floats, lag: int) -> float:
    """Return the period near ``lag`` in fractions of a frame: a parabola through its peak.

    The peak at k times the period gives the period k times as precisely. Multiples are used as
    long as the curve is periodic there; in free time they belong to other beats.
    """
    period = float(lag)
    multiple = 1
    while True:
        centre = round(multiple * period)
        low, high = centre - _SEARCH_FRAMES, centre + _SEARCH_FRAMES + 1
        if low < 1 or high >= correlation.size:
            return period
        peak = low + int(correlation[low:high].argmax())
        left, here, right = correlation[peak - 1 : peak + 2]
        curvature = left - 2 * here + right
        if curvature >= 0 or (multiple > 1 and here < _WHOLE):
            return period
        period = float(peak + 0.5 * (left - right) / curvature) / multiple
        multiple += 1
