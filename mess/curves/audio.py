"""Curves that are measured on the audio.

Conventions: a curve is a function of the `Analysis` of a whole track and of its moments. It returns
one value per moment [shape=(n,)], or several [shape=(n, k)]. It is NaN before the first sound and
after the last. Levels are in dB relative to the track's own loudest 100 ms. Scalar targets are
computed from all curves except `flux`, with the same settings.
"""

from collections.abc import Callable

import numpy as np

from mess.curves.windows import Floats, Windows, density_of, mean_around, mean_over
from mess.targets import dynamics, phrasing
from mess.targets.analysis import ATTACK_RATE, PITCH_RATE, Analysis
from mess.targets.onsets import LEVEL_FLOOR
from mess.targets.spectrum import FRAME_RATE

PITCH_CLASSES = ("A", "A#", "B", "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#")
_FLUX_LAG = 3  # frames, as of the onset strength
_DENSITY_WIDTH = 1.0  # seconds, as of the contour
_SILENCE = 1e-5  # of the strongest chroma, as of `harmonic_complexity`
_NOTE_WIDTH = 0.25  # seconds: what single notes tell is not smoothed further than moments do


def level(analysis: Analysis, windows: Windows) -> Floats:
    """Return the level of the power of each moment, in dB; no lower than −60 dB."""
    power = mean_over(10 ** (analysis.level / 10), windows, rate=FRAME_RATE)
    return _sounding(np.maximum(_decibel(power), LEVEL_FLOOR), analysis, windows)


def note_level(analysis: Analysis, windows: Windows) -> Floats:
    """Return the level that notes reach, in dB, in a Gaussian window of some 0.6 s.

    Between notes it goes on in a line: their decay does not count. See
    `mess.targets.dynamics.note_levels`.
    """
    times, levels = dynamics.timed_note_levels(analysis)
    if not len(times):
        return np.full(len(windows.start), np.nan)
    span = (analysis.start, analysis.stop)
    return mean_around(times, levels, windows, width=_NOTE_WIDTH, span=span)


def contour(analysis: Analysis, windows: Windows) -> Floats:
    """Return the slow course of the level, in dB: the power in a Gaussian window of some 2.4 s."""
    return _sounding(mean_over(analysis.contour, windows, rate=FRAME_RATE), analysis, windows)


def centroid(analysis: Analysis, windows: Windows) -> Floats:
    """Return the centre of gravity of the spectrum, in Hz (Peeters et al. 2011)."""
    return _spectral(analysis.centroid, analysis, windows)


def rolloff(analysis: Analysis, windows: Windows) -> Floats:
    """Return the frequency below which 85 % of the magnitude lies, in Hz."""
    return _spectral(analysis.rolloff, analysis, windows)


def bandwidth(analysis: Analysis, windows: Windows) -> Floats:
    """Return how widely the spectrum spreads around its centroid, in Hz."""
    return _spectral(analysis.bandwidth, analysis, windows)


def zero_crossings(analysis: Analysis, windows: Windows) -> Floats:
    """Return how often per second the waveform changes sign."""
    return _spectral(analysis.zero_crossing_rate, analysis, windows)


def flux(analysis: Analysis, windows: Windows) -> Floats:
    """Return how much the shape of the spectrum changes within 30 ms, whatever the level.

    The distance of the magnitudes in mel bands, each normalised to length 1 (spectral flux:
    Tzanetakis and Cook 2002): 0 for a sound that stays, √2 for one that is replaced.
    """
    magnitude = np.sqrt(np.maximum(analysis.mel.astype(np.float64), 0.0))
    length = np.linalg.norm(magnitude, axis=1, keepdims=True)
    shape = magnitude / np.maximum(length, 1e-12)
    change = np.full(len(shape), np.nan)
    change[_FLUX_LAG:] = np.linalg.norm(shape[_FLUX_LAG:] - shape[:-_FLUX_LAG], axis=1)
    return _spectral(change, analysis, windows)


def onset_strength(analysis: Analysis, windows: Windows) -> Floats:
    """Return by how much the spectrum rises, in dB; see `mess.targets.onsets`."""
    found = mean_over(analysis.onset_strength, windows, rate=FRAME_RATE)
    return _sounding(found, analysis, windows)


def onset_density(analysis: Analysis, windows: Windows) -> Floats:
    """Return how many notes begin per second, in a Gaussian window of some 2.4 s."""
    span = (analysis.start, analysis.stop)
    return density_of(analysis.onsets, windows, width=_DENSITY_WIDTH, span=span)


def pitch_classes(analysis: Analysis, windows: Windows) -> Floats:
    """Return the share of each pitch class in the power [shape=(n, 12)], from A upwards."""
    power = mean_over(analysis.chroma, windows, rate=PITCH_RATE)
    total = power.sum(axis=1, keepdims=True)
    shares = np.divide(power, total, out=np.full(power.shape, 1 / 12), where=total > 0)
    return _sounding(shares, analysis, windows)


def harmonic_entropy(analysis: Analysis, windows: Windows) -> Floats:
    """Return how evenly the sound spreads over the pitch classes, in bits.

    The entropy of their shares in a Gaussian window of some 2.4 s; see
    `mess.targets.harmony.harmonic_complexity`, which is its mean.
    """
    power = analysis.chroma_context.sum(axis=1)
    heard = power > _SILENCE * power.max(initial=0.0)
    share = analysis.chroma_context / np.where(heard, power, 1.0)[:, None]
    entropy = -(share * np.log2(np.maximum(share, 1e-12))).sum(axis=1)
    found = mean_over(np.where(heard, entropy, np.nan), windows, rate=PITCH_RATE)
    return _sounding(found, analysis, windows)


def novelty(analysis: Analysis, windows: Windows) -> Floats:
    """Return how much the next five seconds differ from the last five (Foote 2000).

    See `mess.targets.phrasing.novelty`; NaN everywhere for less than 10 s of sound.
    """
    curve = phrasing.novelty(analysis.sounding())
    if not curve.size:
        return np.full(len(windows.start), np.nan)
    times = analysis.start + np.arange(curve.size) / phrasing.NOVELTY_RATE
    return _sounding(np.interp(windows.centre, times, curve), analysis, windows)


def _spectral(curve: Floats, analysis: Analysis, windows: Windows) -> Floats:
    """Return the mean over what sounds, as of the targets of timbre; rests hold the last value."""
    level_at = analysis.attack_level
    frames = np.minimum(np.arange(curve.size) * (ATTACK_RATE // FRAME_RATE), level_at.size - 1)
    heard = np.where(level_at[frames] > LEVEL_FLOOR, curve, np.nan)
    return _sounding(mean_over(heard, windows, rate=FRAME_RATE), analysis, windows)


def _sounding(values: Floats, analysis: Analysis, windows: Windows) -> Floats:
    """Return a curve between the first sound and the last; gaps within are bridged by a line."""
    inside = windows.within(analysis.start, analysis.stop)
    flat = values.reshape(len(values), -1).astype(np.float64)
    for column in range(flat.shape[1]):
        known = inside & np.isfinite(flat[:, column])
        if known.any():
            gaps = inside & ~known
            flat[gaps, column] = np.interp(
                windows.centre[gaps], windows.centre[known], flat[known, column]
            )
    flat[~inside] = np.nan
    return flat.reshape(values.shape)


def _decibel(power: Floats) -> Floats:
    return 10 * np.log10(np.maximum(power, 1e-12))


FUNCTIONS: dict[str, Callable[[Analysis, Windows], Floats]] = {
    function.__name__: function
    for function in (
        level,
        note_level,
        contour,
        centroid,
        rolloff,
        bandwidth,
        zero_crossings,
        flux,
        onset_strength,
        onset_density,
        harmonic_entropy,
        novelty,
    )
}
