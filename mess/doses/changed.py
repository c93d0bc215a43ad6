"""A changed recording: what is measured of it, and what an encoder hears."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import Signal
from mess.audio.moments import MOMENT_SECONDS, moment_grid
from mess.doses.readings import ChangedStates
from mess.encoders import Encoder
from mess.encoders.pooling import pool_segments
from mess.errors import MessError
from mess.records.discovery import Pooling
from mess.targets import TARGET_SAMPLE_RATE, analyse
from mess.targets.measuring import track_targets

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Changed:
    """A changed recording that is measured, and ready for the encoder.

    Attributes
    ----------
    signal : Signal
        At the rate of the encoder.
    measured : mapping of str to float
        Its targets on audio; NaN where undefined.
    start, stop : float
        When its first sound begins and its last one ends, in seconds.
    """

    signal: Signal
    measured: Mapping[str, float]
    start: float
    stop: float


def editing_rate(encoder_rate: int) -> int:
    """Return the rate at which recordings are changed: the highest that anything hears of them."""
    return max(encoder_rate, TARGET_SAMPLE_RATE)


def excerpt(signal: Signal, *, seconds: float) -> tuple[Samples, float]:
    """Return the middle of a recording, so many seconds at most, and when it begins."""
    wanted = round(seconds * signal.sample_rate)
    first = max(0, (signal.samples.size - wanted) // 2)
    return np.asarray(signal.samples[first : first + wanted]), first / signal.sample_rate


def measure(samples: Samples, rate: int, *, encoder_rate: int) -> Changed:
    """Measure the targets of a changed recording.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
    rate : int
        Hz, of the samples.
    encoder_rate : int
        Hz, that the encoder takes.

    Raises
    ------
    MessError
        If samples are not finite, or nothing sounds.
    """
    if not np.isfinite(samples).all():
        raise MessError("the change gives samples that are not finite")
    heard = _at(samples, rate, TARGET_SAMPLE_RATE)
    try:
        analysis = analyse(heard)
    except ValueError as error:
        raise MessError(f"nothing sounds after the change ({error})") from None
    signal = heard if encoder_rate == TARGET_SAMPLE_RATE else _at(samples, rate, encoder_rate)
    return Changed(signal, track_targets(analysis), analysis.start, analysis.stop)


def encode(changed: Changed, model: Encoder, *, pooling: Pooling) -> ChangedStates:
    """Encode a changed recording as its features would be pooled.

    Raises
    ------
    MessError
        If hidden states are not finite.
    """
    try:
        pooled = pool_segments(changed.signal, model, moments=True)
    except FloatingPointError:
        raise MessError("the encoder gives hidden states that are not finite") from None
    whole = [pooled.whole, pooled.whole_std] if pooling == "mean_std" else [pooled.whole]
    moments = pooled.moments
    if moments is not None:
        grid = moment_grid(changed.signal.samples.size, changed.signal.sample_rate)
        centre = grid.start + MOMENT_SECONDS / 2
        moments = moments[(centre >= changed.start) & (centre <= changed.stop)]
    return ChangedStates(np.concatenate(whole, axis=-1), pooled.segments, moments)


def _at(samples: Samples, rate: int, wanted: int) -> Signal:
    """Return samples as a signal of another rate."""
    import soxr

    if rate != wanted:
        samples = np.asarray(soxr.resample(samples, rate, wanted, quality="HQ"), dtype=np.float32)
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    mean = float(samples.mean(dtype=np.float64))
    return Signal(samples, wanted, mean, float(samples.std(dtype=np.float64)))
