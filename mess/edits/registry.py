"""The registry of edits: what each changes, its doses, and the targets it is meant to move."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mess.edits import loudness, spectrum, surroundings, time_scale

Samples = NDArray[np.float32]
EDITS_VERSION = 1  # raise it when an edit or its doses change: results of older ones are then stale


@dataclass(frozen=True)
class Edit:
    """A known change of a recording.

    Attributes
    ----------
    name, unit : str
        The unit is that of a dose; empty for a pure number.
    doses : tuple of float
        Ascending.
    neutral : float or None
        The dose that changes nothing; None where there is none.
    description : str
        One sentence for people.
    moves : tuple of str
        The targets that it is meant to move. All others are side effects.
    function : callable
        (samples [n], rate in Hz, dose) → samples.
    speed : callable
        Dose → how much faster the notes come.
    semitones : callable
        Dose → how much higher the notes are.
    keeps_strokes : bool
        Whether notes keep the loudness that they have against each other.

    Examples
    --------
    >>> import numpy as np
    >>> half = EDITS["stretch"].function(np.zeros(48_000, np.float32), 24_000, 2.0)
    >>> half.size
    24000
    """

    name: str
    unit: str
    doses: tuple[float, ...]
    neutral: float | None
    description: str
    moves: tuple[str, ...]
    function: Callable[[Samples, int, float], Samples]
    speed: Callable[[float], float] = lambda _: 1.0
    semitones: Callable[[float], float] = lambda _: 0.0
    keeps_strokes: bool = True


def _same(dose: float) -> float:
    return dose


_LISTED = (
    Edit(
        "gain",
        "dB",
        (-12.0, 12.0),
        0.0,
        "All of it is softer or louder.",
        (),
        loudness.gain,
    ),
    Edit(
        "tilt",
        "dB/octave",
        (-3.0, -1.5, 1.5, 3.0),
        0.0,
        "Darker or brighter: the spectrum falls more or less steeply.",
        ("spectral_centroid", "spectral_rolloff", "spectral_bandwidth", "zero_crossing_rate"),
        spectrum.tilt,
    ),
    Edit(
        "low-pass",
        "Hz",
        (1000.0, 2000.0, 4000.0, 6000.0),
        None,
        "What lies above a frequency is taken away.",
        ("spectral_centroid", "spectral_rolloff", "spectral_bandwidth", "zero_crossing_rate"),
        spectrum.low_pass,
    ),
    Edit(
        "dynamics",
        "times",
        (0.4, 0.7, 1.3, 1.6),
        1.0,
        "Soft and loud passages lie nearer to each other, or farther apart.",
        ("dynamic_range", "dynamic_variance", "crescendo_strength", "diminuendo_strength"),
        loudness.dynamics,
        keeps_strokes=False,
    ),
    Edit(
        "swell",
        "dB",
        (-18.0, -9.0, 9.0, 18.0),
        0.0,
        "All of it grows softer or louder towards the end.",
        ("dynamic_variance", "crescendo_strength", "diminuendo_strength"),
        loudness.swell,
        keeps_strokes=False,
    ),
    Edit(
        "stretch",
        "times as fast",
        (0.7, 0.85, 1.2, 1.4),
        1.0,
        "Slower or faster at the same pitch.",
        ("tempo", "onset_density", "note_density"),
        time_scale.stretch,
        speed=_same,
    ),
    Edit(
        "there and back",
        "times as fast, and back",
        (0.7, 1.4),
        None,
        "Stretched and stretched back: the same music, and what stretching spoils.",
        (),
        time_scale.there_and_back,
    ),
    Edit(
        "transients",
        "dB",
        (-12.0, -6.0, 6.0, 12.0),
        0.0,
        "Attacks are softened or sharpened.",
        ("attack_slopes", "attack_sharpness"),
        loudness.transients,
    ),
    Edit(
        "pitch",
        "semitones",
        (-6.0, -3.0, 3.0, 6.0),
        0.0,
        "Lower or higher at the same tempo.",
        ("register", "spectral_centroid", "spectral_rolloff", "zero_crossing_rate"),
        time_scale.pitch,
        semitones=_same,
    ),
    Edit(
        "reverberation",
        "s",
        (0.5, 1.0, 2.0),
        None,
        "Played in a room whose sound dies away more or less slowly.",
        (),
        surroundings.reverberation,
    ),
    Edit(
        "noise",
        "dB re the music",
        (-50.0, -40.0, -30.0),
        None,
        "White noise lies under the music.",
        (),
        surroundings.noise,
    ),
    Edit(
        "MP3",
        "kbit/s",
        (64.0, 128.0),
        None,
        "Coded as MP3 and decoded.",
        (),
        surroundings.mp3,
    ),
)
EDITS: dict[str, Edit] = {edit.name: edit for edit in _LISTED}
