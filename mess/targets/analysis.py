"""What the proxy targets are computed from: curves of one track, each made once.

Conventions: time is in seconds from the start; level is in dB relative to the track's own loudest
100 ms, so gain moves nothing; curves have `FRAME_RATE` frames per second unless they say
otherwise. A segment is cut out of the curves of its track: nothing is computed again, and its
edges know what lies beyond them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mess.audio import Signal
from mess.targets.spectrum import (
    FRAME_RATE,
    PITCH_BINS,
    PITCH_STEP,
    Spectrum,
    short_time_spectrum,
)

Floats = NDArray[np.float64]

TARGET_SAMPLE_RATE = 24_000
PITCH_RATE = FRAME_RATE / PITCH_STEP
ATTACK_RATE = 400  # 2.5 ms resolve the attack of a hammer
LEVEL_FLOOR = -60.0  # dB; quieter is not music but what is left of it
SOUNDING_FLOOR = -40.0  # dB; where a track begins and ends, its last decay left out
_LEVEL_SECONDS = 0.1
_CONTOUR_SECONDS = 1.0  # standard deviation; a window of some 2.4 s at half height
_CONTEXT_SECONDS = 1.0
_ATTACK_SMOOTHING = 0.02
_ONSET_LAG = 3  # frames
_ONSET_RISE = 0.45  # dB, mean of all bands
_ONSET_BEFORE, _ONSET_AFTER = 10, 7  # frames that an onset is compared with
_ONSET_APART = 3  # frames on both sides in which there is no other onset
_ONSET_MARGIN = 5  # frames before the end whose window reaches beyond it


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """Curves of a track, or of a stretch of it.

    Attributes
    ----------
    duration : float
        Seconds.
    centroid, rolloff, bandwidth : ndarray [shape=(frames,)]
        Hz; see `mess.targets.spectrum`.
    zero_crossing_rate : ndarray [shape=(frames,)]
        Crossings per second.
    level : ndarray [shape=(frames,)]
        dB of the root mean square over 100 ms.
    contour : ndarray [shape=(frames,)]
        dB of the power in a Gaussian window of some 2.4 s; NaN before the first and after the
        last sound.
    mel : ndarray [shape=(frames, bands)]
        Power in mel bands.
    onset_strength : ndarray [shape=(frames,)]
        dB; see `onset_strength`.
    onsets : ndarray [shape=(onsets,)]
        Seconds, ascending.
    attack_level : ndarray [shape=(duration · ATTACK_RATE,)]
        dB of the root mean square over 20 ms, `ATTACK_RATE` per second.
    chroma : ndarray [shape=(duration · PITCH_RATE, 12)]
        Power by pitch class from A upwards, in the tuning of the track, `PITCH_RATE` per second.
    chroma_context : ndarray [same shape]
        The same in a Gaussian window of some 2.4 s.
    """

    duration: float
    centroid: Floats
    rolloff: Floats
    bandwidth: Floats
    zero_crossing_rate: Floats
    level: Floats
    contour: Floats
    mel: NDArray[np.float32]
    onset_strength: Floats
    onsets: Floats
    attack_level: Floats
    chroma: Floats
    chroma_context: Floats

    def cut(self, start: float, stop: float) -> "Analysis":
        """Return the stretch from ``start`` to ``stop`` (seconds) as an analysis of its own."""
        rates = dict.fromkeys(_CURVES, float(FRAME_RATE))
        rates |= {"attack_level": ATTACK_RATE, "chroma": PITCH_RATE, "chroma_context": PITCH_RATE}
        cut = {
            name: getattr(self, name)[round(start * rate) : round(stop * rate)]
            for name, rate in rates.items()
        }
        inside = (self.onsets >= start) & (self.onsets < stop)
        onsets = self.onsets[inside] - start
        return replace(self, duration=stop - start, onsets=onsets, **cut)


_CURVES: Sequence[str] = (
    "centroid",
    "rolloff",
    "bandwidth",
    "zero_crossing_rate",
    "level",
    "contour",
    "mel",
    "onset_strength",
)


def analyse(signal: Signal) -> Analysis:
    """Compute all curves of a track.

    Raises
    ------
    ValueError
        If the signal is not at `TARGET_SAMPLE_RATE`, or holds nothing but zeros.
    """
    rate = signal.sample_rate
    if rate != TARGET_SAMPLE_RATE:
        raise ValueError(f"targets are defined at {TARGET_SAMPLE_RATE} Hz, not at {rate} Hz")
    peak = float(np.abs(signal.samples).max(initial=0.0))
    if peak == 0:
        raise ValueError("the signal holds nothing but zeros")
    samples = signal.samples / np.float32(peak)
    spectrum = short_time_spectrum(samples, rate)
    n_frames = spectrum.centroid.size
    power = block_power(samples, rate // FRAME_RATE, n_frames=n_frames)
    level = smoothed_level(power, width=_LEVEL_SECONDS * FRAME_RATE)
    level -= level.max()
    strength = onset_strength(spectrum.mel)
    attack_power = block_power(samples, rate // ATTACK_RATE)
    attack_level = smoothed_level(attack_power, width=_ATTACK_SMOOTHING * ATTACK_RATE)
    chroma = tuned_chroma(spectrum)
    return Analysis(
        duration=signal.duration,
        centroid=spectrum.centroid.astype(np.float64),
        rolloff=spectrum.rolloff.astype(np.float64),
        bandwidth=spectrum.bandwidth.astype(np.float64),
        zero_crossing_rate=crossings_per_second(samples, rate, n_frames=n_frames),
        level=level,
        contour=level_contour(power, level),
        mel=spectrum.mel,
        onset_strength=strength,
        onsets=pick_onsets(strength) / FRAME_RATE,
        attack_level=np.maximum(attack_level - attack_level.max(), LEVEL_FLOOR),
        chroma=chroma,
        chroma_context=gaussian_mean(chroma, width=_CONTEXT_SECONDS * PITCH_RATE),
    )


def block_power(samples: NDArray[np.float32], hop: int, *, n_frames: int | None = None) -> Floats:
    """Return the mean square of blocks of ``hop`` samples, centred on multiples of ``hop``."""
    n_frames = n_frames or 1 + samples.size // hop
    edges = np.arange(n_frames + 1) * hop - hop // 2
    padded = np.pad(samples, (hop // 2, hop))[: n_frames * hop]
    sums = np.square(padded).reshape(n_frames, hop).sum(axis=1, dtype=np.float64)
    return sums / np.maximum(np.diff(np.clip(edges, 0, samples.size)), 1)


def crossings_per_second(
    samples: NDArray[np.float32], sample_rate: int, *, n_frames: int
) -> Floats:
    """Return how often per second the signal changes sign, frame by frame."""
    hop = sample_rate // FRAME_RATE
    negative = samples < 0
    changes = np.pad(negative[1:] != negative[:-1], (hop // 2, hop + 1))[: n_frames * hop]
    rate = changes.reshape(n_frames, hop).sum(axis=1) * float(FRAME_RATE)
    rate[[0, -1]] = np.nan  # frames that the track fills in part
    return rate


def smoothed_level(power: Floats, *, width: float) -> Floats:
    """Return the level in dB of the mean power over ``width`` values."""
    from scipy.ndimage import uniform_filter1d

    return _decibel(uniform_filter1d(power, max(round(width), 1), mode="nearest"))


def level_contour(power: Floats, level: Floats) -> Floats:
    """Return the slow course of the level; only what sounds counts, up to both ends."""
    sounding = np.flatnonzero(level > SOUNDING_FLOOR)
    inside = slice(sounding[0], sounding[-1] + 1)
    contour = np.full(power.size, np.nan)
    contour[inside] = _decibel(gaussian_mean(power[inside], width=_CONTOUR_SECONDS * FRAME_RATE))
    return contour


def onset_strength(mel: NDArray[np.float32]) -> Floats:
    """Return by how much the spectrum rises, frame by frame.

    The half-wave rectified difference of the levels in mel bands over 30 ms, averaged over the
    bands, in dB (spectral flux: Bello et al. 2005; Böck, Krebs, Schedl 2012). Levels fade out
    softly 60 dB below the strongest, so that noise far below the music does not count. Before the
    track there is silence.

    Parameters
    ----------
    mel : ndarray [shape=(frames, bands)]

    Returns
    -------
    ndarray [shape=(frames,)]
    """
    floor = np.float32(max(float(mel.max()), 1e-30) * 10 ** (LEVEL_FLOOR / 10))
    levels = 10 * np.log10(mel + floor)
    earlier = np.full_like(levels, 10 * np.log10(floor))
    earlier[_ONSET_LAG:] = levels[:-_ONSET_LAG]
    return np.maximum(levels - earlier, 0).mean(axis=1, dtype=np.float64)


def pick_onsets(strength: Floats) -> NDArray[np.int64]:
    """Return the frames at which a note begins.

    A frame is an onset if its strength is the largest within 30 ms and exceeds the mean of its
    surroundings (100 ms before to 70 ms after) by 0.45 dB (Böck, Krebs, Schedl 2012).
    """
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    largest = maximum_filter1d(strength, 2 * _ONSET_APART + 1, mode="constant")
    mean = uniform_filter1d(
        strength,
        _ONSET_BEFORE + _ONSET_AFTER + 1,
        mode="nearest",
        origin=(_ONSET_BEFORE - _ONSET_AFTER) // 2,
    )
    rising = (strength == largest) & (strength >= mean + _ONSET_RISE)
    frames = np.flatnonzero(rising[: max(strength.size - _ONSET_MARGIN, 0)])
    plateau = np.diff(frames, prepend=-_ONSET_APART - 1) <= _ONSET_APART
    return frames[~plateau]


def tuned_chroma(spectrum: Spectrum) -> Floats:
    """Return the power by pitch class [frames, 12] in the tuning of the track.

    The tuning is the circular mean of the deviations of all spectral peaks from equal
    temperament at 440 Hz, weighted by power (Dressler and Streich 2007).
    """
    pitch = spectrum.pitch.astype(np.float64)
    per_semitone = PITCH_BINS // 12
    deviation = np.exp(2j * np.pi * np.arange(PITCH_BINS) / per_semitone)
    mean = np.angle(pitch.sum(axis=0) @ deviation) / (2 * np.pi)
    centred = np.roll(pitch, per_semitone // 2 - round(mean * per_semitone), axis=1)
    return centred.reshape(-1, 12, per_semitone).sum(axis=2)


def gaussian_mean(values: Floats, *, width: float) -> Floats:
    """Return the running mean over rows, weighted by a Gaussian of standard deviation ``width``.

    At the ends the mean is over what there is.
    """
    from scipy.ndimage import gaussian_filter1d

    total = gaussian_filter1d(values, width, axis=0, mode="constant", truncate=3.0)
    weight = gaussian_filter1d(np.ones(values.shape[0]), width, mode="constant", truncate=3.0)
    mean: Floats = total / weight.reshape(-1, *[1] * (values.ndim - 1))
    return mean


def _decibel(power: Floats) -> Floats:
    return 10 * np.log10(np.maximum(power, 1e-12))
