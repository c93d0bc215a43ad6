"""All proxy targets by name, and their values on a recording."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mess.audio import SEGMENT_SECONDS, Signal, segment_bounds
from mess.targets import articulation, dynamics, harmony, phrasing, rhythm, timbre
from mess.targets.analysis import Analysis, analyse

TARGETS_VERSION = 1  # raise it when a definition changes: older tables are then stale
FAMILIES = ("timbre", "rhythm", "dynamics", "harmony", "articulation", "phrasing")
Level = Literal["segment", "track"]


@dataclass(frozen=True)
class Target:
    """A number that a probe predicts.

    Attributes
    ----------
    name, family : str
    unit : str
        Empty for a pure number.
    description : str
        One sentence that a listener understands.
    level : {"segment", "track"}
        "segment": it means something on five seconds too.
    function : callable
        `Analysis` → float; NaN where the target is undefined.
    """

    name: str
    family: str
    unit: str
    description: str
    level: Level
    function: Callable[[Analysis], float]


@dataclass(frozen=True)
class TargetValues:
    """The targets of a recording.

    Attributes
    ----------
    track : dict of str to float
        Of the whole recording.
    segments : dict of str to ndarray [shape=(segments,)]
        Of each segment (see `mess.audio.segment_bounds`): only targets of level "segment".
    """

    track: dict[str, float]
    segments: dict[str, NDArray[np.float64]]


_ALL = (
    Target(
        "spectral_centroid",
        "timbre",
        "Hz",
        "How bright it sounds: the centre of gravity of its frequencies.",
        "segment",
        timbre.spectral_centroid,
    ),
    Target(
        "spectral_rolloff",
        "timbre",
        "Hz",
        "How far up the sound reaches: 85 % of it lies below this frequency.",
        "segment",
        timbre.spectral_rolloff,
    ),
    Target(
        "spectral_bandwidth",
        "timbre",
        "Hz",
        "How wide the sound spreads, from a thin tone to a full or noisy one.",
        "segment",
        timbre.spectral_bandwidth,
    ),
    Target(
        "zero_crossing_rate",
        "timbre",
        "1/s",
        "How often the waveform changes sign: high for noisy or high-pitched sound.",
        "segment",
        timbre.zero_crossing_rate,
    ),
    Target(
        "tempo",
        "rhythm",
        "BPM",
        "How fast the beat is; half or double of it may be felt as well.",
        "track",
        rhythm.tempo,
    ),
    Target(
        "onset_density",
        "rhythm",
        "1/s",
        "How many notes begin per second.",
        "segment",
        rhythm.onset_density,
    ),
    Target(
        "dynamic_range",
        "dynamics",
        "dB",
        "How far the soft notes lie below the loud ones.",
        "segment",
        dynamics.dynamic_range,
    ),
    Target(
        "dynamic_variance",
        "dynamics",
        "dB²",
        "How far the loudness of whole passages wanders.",
        "segment",
        dynamics.dynamic_variance,
    ),
    Target(
        "crescendo_strength",
        "dynamics",
        "dB/s",
        "How strongly the music grows louder over seconds.",
        "segment",
        dynamics.crescendo_strength,
    ),
    Target(
        "diminuendo_strength",
        "dynamics",
        "dB/s",
        "How strongly the music grows softer over seconds.",
        "segment",
        dynamics.diminuendo_strength,
    ),
    Target(
        "harmonic_complexity",
        "harmony",
        "bit",
        "How many different pitches are in play at a time, from one note to all twelve.",
        "segment",
        harmony.harmonic_complexity,
    ),
    Target(
        "attack_slopes",
        "articulation",
        "dB/s",
        "How steeply the loudness rises when a note begins: detached high, legato low.",
        "segment",
        articulation.attack_slopes,
    ),
    Target(
        "attack_sharpness",
        "articulation",
        "",
        "How suddenly notes begin, from a bow's swell to a hammer's blow.",
        "segment",
        articulation.attack_sharpness,
    ),
    Target(
        "phrase_regularity",
        "phrasing",
        "",
        "How regularly phrases follow each other: near 1 for phrases of equal length.",
        "track",
        phrasing.phrase_regularity,
    ),
    Target(
        "num_phrases",
        "phrasing",
        "",
        "Into how many phrases harmony, timbre and loudness divide the music.",
        "track",
        phrasing.num_phrases,
    ),
)
TARGETS: dict[str, Target] = {target.name: target for target in _ALL}


def compute_targets(signal: Signal, *, segment_seconds: float = SEGMENT_SECONDS) -> TargetValues:
    """Compute all targets of a recording and of its segments.

    Parameters
    ----------
    signal : Signal
        At `mess.targets.TARGET_SAMPLE_RATE`.
    segment_seconds : float
        Length of a segment.

    Returns
    -------
    TargetValues
        Undefined values are NaN.

    Raises
    ------
    ValueError
        If the signal has another rate, or holds nothing but zeros.
    """
    analysis = analyse(signal)
    length = round(segment_seconds * signal.sample_rate)
    segments = [
        analysis.cut(start / signal.sample_rate, stop / signal.sample_rate)
        for start, stop in segment_bounds(signal.samples.size, length)
    ]
    return TargetValues(
        track={name: target.function(analysis) for name, target in TARGETS.items()},
        segments={
            name: np.array([target.function(segment) for segment in segments], dtype=np.float64)
            for name, target in TARGETS.items()
            if target.level == "segment"
        },
    )
