"""The analysis of a track: the curves from which all targets on audio are computed.

Conventions: time is in seconds from the start. Level is in dB relative to the track's own loudest
100 ms, so gain has no effect. Curves have `FRAME_RATE` frames per second unless stated otherwise.
A segment is cut out of the curves of its track. So nothing is computed twice, and smoothing at the
edge of a segment uses the music beyond it. Targets are computed from the first sound to the last:
silence around the music is cut away first (`Analysis.sounding`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import Signal
from mess.targets.onsets import LEVEL_FLOOR, onset_strength, pick_onsets
from mess.targets.spectrum import (
    FINE_STEPS,
    FRAME_RATE,
    PITCH_BINS,
    PITCH_STEP,
    Spectrum,
    short_time_spectrum,
)

Floats = NDArray[np.float64]

TARGET_SAMPLE_RATE = 24_000
PITCH_RATE = FRAME_RATE / PITCH_STEP
ATTACK_RATE = 400  # values per second: 2.5 ms resolve the attack of a piano hammer
SOUNDING_FLOOR = -40.0  # dB; a track begins and ends at this level, without its last decay
_FINE_RATE = FRAME_RATE * FINE_STEPS
_SILENCE = 1e-6  # of the largest sample: rounding after a constant offset is removed
_LEVEL_SECONDS = 0.1
_CONTOUR_SECONDS = 1.0  # standard deviation; a window of some 2.4 s at half height
_CONTEXT_SECONDS = 1.0
_ATTACK_SMOOTHING = 0.02
_WINDOW_FRAMES = 5  # frames at each end whose window reaches beyond the sound


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """The curves of a track, or of a part of it.

    Attributes
    ----------
    duration : float
        Seconds.
    start, stop : float
        When the first sound begins and the last one ends, in seconds; equal without any sound.
    power : ndarray [shape=(frames,)]
        Mean square relative to full scale, without a constant offset.
    centroid, rolloff, bandwidth : ndarray [shape=(frames,)]
        Hz; see `mess.targets.spectrum`. NaN where a frame reaches beyond the first or last sound.
    zero_crossing_rate : ndarray [shape=(frames,)]
        Crossings per second.
    level : ndarray [shape=(frames,)]
        dB of the root mean square over 100 ms.
    contour : ndarray [shape=(frames,)]
        dB of the power in a Gaussian window of some 2.4 s; NaN before the first and after the
        last sound.
    mel : ndarray [shape=(frames, bands)]
        Power in mel bands; the loudest 1.25 ms of the track have a mean square of 1.
    onset_strength : ndarray [shape=(frames,)]
        dB; see `mess.targets.onsets`.
    onsets : ndarray [shape=(onsets,)]
        Seconds, ascending.
    attack_level : ndarray [shape=(duration · ATTACK_RATE,)]
        dB of the root mean square over 20 ms, `ATTACK_RATE` per second.
    chroma : ndarray [shape=(duration · PITCH_RATE, 12)]
        Power by pitch class from A upwards, in the tuning of the track, `PITCH_RATE` per second.
    chroma_context : ndarray [same shape]
        The same, averaged in a Gaussian window of some 2.4 s.

    Examples
    --------
    >>> from mess import decode
    >>> import soundfile
    >>> time = np.arange(3 * 24_000) / 24_000
    >>> soundfile.write("tone.wav", 0.3 * np.sin(2 * np.pi * 440 * time), 24_000)
    >>> music = analyse(decode("tone.wav", TARGET_SAMPLE_RATE))
    >>> music.cut(1.0, 2.0).duration
    1.0
    """

    duration: float
    start: float
    stop: float
    power: Floats
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
        """Return the part from ``start`` to ``stop`` (seconds) as an analysis."""
        rates = dict.fromkeys(_CURVES, float(FRAME_RATE))
        rates |= {"attack_level": ATTACK_RATE, "chroma": PITCH_RATE, "chroma_context": PITCH_RATE}
        cut = {
            name: getattr(self, name)[round(start * rate) : round(stop * rate)]
            for name, rate in rates.items()
        }
        inside = (self.onsets >= start) & (self.onsets < stop)
        first, last = (min(max(at, start), stop) - start for at in (self.start, self.stop))
        return replace(
            self,
            duration=stop - start,
            start=first,
            stop=max(first, last),
            onsets=self.onsets[inside] - start,
            **cut,
        )

    def sounding(self) -> "Analysis":
        """Return the part from the first sound to the last."""
        return self.cut(self.start, self.stop)


_CURVES: Sequence[str] = (
    "power",
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
        If the signal is not at `TARGET_SAMPLE_RATE`, or is silent or constant.

    Examples
    --------
    >>> from mess import decode
    >>> import soundfile
    >>> time = np.arange(3 * 24_000) / 24_000
    >>> soundfile.write("tone.wav", 0.3 * np.sin(2 * np.pi * 440 * time), 24_000)
    >>> music = analyse(decode("tone.wav", TARGET_SAMPLE_RATE))
    >>> music.duration, music.mel.shape[0] == music.level.size
    (3.0, True)
    """
    rate = signal.sample_rate
    if rate != TARGET_SAMPLE_RATE:
        raise ValueError(f"targets are defined at {TARGET_SAMPLE_RATE} Hz, not at {rate} Hz")
    spectrum = short_time_spectrum(signal.samples, rate)
    loudest = float(spectrum.power.max(initial=0.0))
    if loudest <= (_SILENCE * float(np.abs(signal.samples).max(initial=0.0))) ** 2:
        raise ValueError("the signal holds nothing but silence")
    n_frames = spectrum.centroid.size
    power = spectrum.power.reshape(n_frames, FINE_STEPS).mean(axis=1)
    level = smoothed_level(power, width=_LEVEL_SECONDS * FRAME_RATE)
    strength = onset_strength(spectrum.mel)
    first, last = loud_frames(level)
    onsets = pick_onsets(strength, ends=last)
    # Soft notes may begin before the loud part and end after it.
    first, last = min([first, *onsets[:1]]), max([last, *onsets[-1:]])
    edges = [(at + beyond * _WINDOW_FRAMES) for at, beyond in ((first, 1), (last, -1))]
    whole = (np.arange(n_frames) >= edges[0]) & (np.arange(n_frames) <= edges[1])
    chroma = tuned_chroma(spectrum)

    def inner(curve: NDArray[np.float32]) -> Floats:
        # A tone that ends within a window has a broad spectrum, unlike the sound itself.
        return np.where(whole, curve, np.nan).astype(np.float64)

    return Analysis(
        duration=signal.duration,
        start=first / FRAME_RATE,
        stop=min((last + 1) / FRAME_RATE, signal.duration),
        power=power,
        centroid=inner(spectrum.centroid),
        rolloff=inner(spectrum.rolloff),
        bandwidth=inner(spectrum.bandwidth),
        zero_crossing_rate=inner(spectrum.crossings),
        level=level,
        contour=level_contour(power, first=first, last=last),
        mel=spectrum.mel / np.float32(loudest),
        onset_strength=strength,
        onsets=onsets / FRAME_RATE,
        attack_level=attack_levels(spectrum.power),
        chroma=chroma,
        chroma_context=gaussian_mean(chroma, width=_CONTEXT_SECONDS * PITCH_RATE),
    )


def loud_frames(level: Floats) -> tuple[int, int]:
    """Return the first and the last frame whose level is less than 40 dB below the loudest."""
    loud = np.flatnonzero(level > SOUNDING_FLOOR)
    half = round(_LEVEL_SECONDS * FRAME_RATE) // 2  # smoothing raises the level before a sound
    first = int(loud[0]) + half if loud[0] > 0 else 0
    last = int(loud[-1]) - half if loud[-1] < level.size - 1 else level.size - 1
    return min(first, last), max(first, last)


def attack_levels(fine_power: Floats) -> Floats:
    """Return the level over 20 ms, `ATTACK_RATE` values per second, at least `LEVEL_FLOOR`.

    The time of a value is the middle of the samples that it is computed from.
    """
    step = _FINE_RATE // ATTACK_RATE
    begin = FINE_STEPS // 2 - step // 2  # a frame begins half a frame before its centre
    n = (fine_power.size - begin) // step
    power = fine_power[begin : begin + n * step].reshape(n, step).mean(axis=1)
    level = smoothed_level(power, width=_ATTACK_SMOOTHING * ATTACK_RATE)
    return np.maximum(level, LEVEL_FLOOR)


def smoothed_level(power: Floats, *, width: float) -> Floats:
    """Return the level of the mean power over ``width`` values, in dB below the largest.

    It equals `librosa.feature.rms` in dB, but starts from power. librosa would keep all windows of
    the track in memory, which is a hundred times the samples.
    """
    from scipy.ndimage import uniform_filter1d

    level = _decibel(uniform_filter1d(power / power.max(), max(round(width), 1), mode="nearest"))
    return level - level.max()


def level_contour(power: Floats, *, first: int, last: int) -> Floats:
    """Return the level in a wide Gaussian window between the first and the last sound."""
    inside = slice(first, last + 1)
    contour = np.full(power.size, np.nan)
    relative = power[inside] / power.max()
    contour[inside] = _decibel(gaussian_mean(relative, width=_CONTOUR_SECONDS * FRAME_RATE))
    return contour


def tuned_chroma(spectrum: Spectrum) -> Floats:
    """Return the power by pitch class [frames, 12] in the tuning of the track.

    The tuning is the circular mean of the deviations of all spectral peaks from equal
    temperament at 440 Hz, weighted by power (Dressler and Streich 2007). `librosa.pitch_tuning`
    takes the most frequent deviation instead, so many soft peaks outweigh few strong ones.
    """
    pitch = spectrum.pitch.astype(np.float64)
    per_semitone = PITCH_BINS // 12
    deviation = np.exp(2j * np.pi * np.arange(PITCH_BINS) / per_semitone)
    mean = np.angle(pitch.sum(axis=0) @ deviation) / (2 * np.pi)
    centred = np.roll(pitch, per_semitone // 2 - round(mean * per_semitone), axis=1)
    return centred.reshape(-1, 12, per_semitone).sum(axis=2)


def gaussian_mean(values: Floats, *, width: float) -> Floats:
    """Return the running mean over rows, weighted by a Gaussian of standard deviation ``width``.

    At both ends, the mean is over the available rows.
    """
    from scipy.ndimage import gaussian_filter1d

    total = gaussian_filter1d(values, width, axis=0, mode="constant", truncate=3.0)
    weight = gaussian_filter1d(np.ones(values.shape[0]), width, mode="constant", truncate=3.0)
    mean: Floats = total / weight.reshape(-1, *[1] * (values.ndim - 1))
    return mean


def _decibel(power: Floats) -> Floats:
    return 10 * np.log10(np.maximum(power, 1e-12))
