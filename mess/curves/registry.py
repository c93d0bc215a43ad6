"""The registry of curves: all curves by name, and their values on a recording."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mess.curves import audio, midi
from mess.curves.windows import Windows
from mess.targets.analysis import Analysis
from mess.targets.midi_file import Notes

CURVES_VERSION = 3  # raise it when a definition changes: curves that are kept are then stale
Source = Literal["audio", "MIDI"]


@dataclass(frozen=True)
class Curve:
    """A property over time.

    Attributes
    ----------
    name, family : str
        The family is one of `mess.targets.FAMILIES`.
    unit : str
        Empty for a pure number.
    source : {"audio", "MIDI"}
        What it is measured on.
    description : str
        One sentence that a listener understands.

    Examples
    --------
    >>> CURVES["level"].unit
    'dB'
    """

    name: str
    family: str
    unit: str
    source: Source
    description: str


_LISTED = (
    Curve("level", "dynamics", "dB", "audio", "How loud it is."),
    Curve("note_level", "dynamics", "dB", "audio", "How loud notes get, their decay left out."),
    Curve("contour", "dynamics", "dB", "audio", "How loud it is, over seconds."),
    Curve("centroid", "timbre", "Hz", "audio", "How bright it sounds."),
    Curve("rolloff", "timbre", "Hz", "audio", "How far up the sound reaches."),
    Curve("bandwidth", "timbre", "Hz", "audio", "How wide the sound spreads."),
    Curve("zero_crossings", "timbre", "1/s", "audio", "How often the waveform changes sign."),
    Curve("flux", "timbre", "", "audio", "How fast the sound changes its colour."),
    Curve("onset_strength", "rhythm", "dB", "audio", "How strongly notes begin."),
    Curve("onset_density", "rhythm", "1/s", "audio", "How many notes begin per second."),
    Curve("harmonic_entropy", "harmony", "bit", "audio", "How many pitches are in play."),
    Curve("novelty", "phrasing", "", "audio", "How much what comes differs from what was."),
    *(
        Curve(f"pitch_class_{name}", "harmony", "", "audio", f"How much of the sound is {name}.")
        for name in audio.PITCH_CLASSES
    ),
    Curve("velocity", "performance", "", "MIDI", "How hard the keys are struck."),
    Curve("note_density", "performance", "1/s", "MIDI", "How many notes are struck per second."),
    Curve("polyphony", "performance", "", "MIDI", "How many keys are down."),
    Curve("register", "performance", "semitone", "MIDI", "How high it lies, as a MIDI pitch."),
    Curve("tempo_deviation", "performance", "octave", "MIDI", "How the tempo bends."),
    Curve("articulation", "performance", "", "MIDI", "How long keys are held: near 1 legato."),
    Curve("pedal", "performance", "", "MIDI", "How much of the time the pedal is down."),
)
CURVES: dict[str, Curve] = {curve.name: curve for curve in _LISTED}
AUDIO_CURVES = [name for name, curve in CURVES.items() if curve.source == "audio"]
MIDI_CURVES = [name for name, curve in CURVES.items() if curve.source == "MIDI"]


def compute_curves(
    analysis: Analysis, windows: Windows, *, notes: Notes | None = None
) -> NDArray[np.float32]:
    """Compute all curves of a recording.

    Parameters
    ----------
    analysis : Analysis
        Of the whole track.
    windows : Windows
        Its moments.
    notes : Notes, optional
        Of its MIDI.

    Returns
    -------
    ndarray [shape=(moments, curves), dtype=float32]
        In the order of `CURVES`; NaN where a curve is undefined.

    Examples
    --------
    >>> import numpy as np, soundfile
    >>> from mess import TARGET_SAMPLE_RATE, decode
    >>> from mess.audio.moments import moment_grid
    >>> from mess.targets import analyse
    >>> time = np.arange(6 * 24_000) / 24_000
    >>> soundfile.write("tone.wav", 0.3 * np.sin(2 * np.pi * 440 * time), 24_000)
    >>> signal = decode("tone.wav", TARGET_SAMPLE_RATE)
    >>> grid = moment_grid(signal.samples.size, signal.sample_rate)
    >>> curves = compute_curves(analyse(signal), Windows.of(grid))
    >>> curves.shape == (len(grid.start), len(CURVES))
    True
    """
    found = {name: function(analysis, windows) for name, function in audio.FUNCTIONS.items()}
    shares = audio.pitch_classes(analysis, windows)
    found |= {
        f"pitch_class_{name}": shares[:, place] for place, name in enumerate(audio.PITCH_CLASSES)
    }
    if notes is not None:
        found |= {name: one(notes, windows) for name, one in midi.FUNCTIONS.items()}
    nothing = np.full(len(windows.start), np.nan)
    return np.stack([found.get(name, nothing) for name in CURVES], axis=1).astype(np.float32)
