"""The registry: all proxy targets by name, and their values on a recording."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mess.as_text import as_words
from mess.audio.decoding import SEGMENT_SECONDS, Signal, segment_bounds
from mess.plugins import LazyMapping, leave_out, registry, told
from mess.targets import articulation, dynamics, harmony, midi_targets, phrasing, rhythm, timbre
from mess.targets.analysis import Analysis, analyse
from mess.targets.descriptors import BASELINES, describe_audio
from mess.targets.midi_file import Notes

TARGETS_VERSION = 8  # raise it when a definition changes: older tables are then stale
FAMILIES = (
    "timbre",
    "rhythm",
    "dynamics",
    "harmony",
    "articulation",
    "phrasing",
    "performance",
)
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
        "segment" if the target is also defined on five seconds.
    title : str
        The name as people read it; without one, the words of ``name``.

    Examples
    --------
    >>> from mess.targets import ALL_TARGETS
    >>> ALL_TARGETS["tempo"].unit, ALL_TARGETS["tempo"].family
    ('BPM', 'rhythm')
    >>> ALL_TARGETS["num_phrases"].title
    'number of phrases'
    """

    name: str
    family: str
    unit: str
    description: str
    level: Level
    title: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", self.title or as_words(self.name))


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far a target may move if the same music is digitised differently.

    `mess.targets.invariance` measures it.

    Attributes
    ----------
    relative : float
        Share of the value.
    absolute : float
        In the target's unit; the larger of both limits applies.
    reasons : mapping of str to str
        The changes after which it moves farther, each with the reason.

    Examples
    --------
    >>> Tolerance(relative=0.02, absolute=0.5).allowed(100.0)
    2.0
    """

    relative: float = 0.0
    absolute: float = 0.0
    reasons: Mapping[str, str] = field(default_factory=dict)

    def allowed(self, value: float) -> float:
        """Return how far a target of this value may move."""
        return max(self.absolute, self.relative * abs(value))

    def describe(self, unit: str) -> str:
        """Return the tolerance in words.

        >>> Tolerance(relative=0.02, absolute=5.0).describe("Hz")
        '2 % or 5 Hz'
        """
        parts = [
            f"{100 * self.relative:g} %" if self.relative else "",
            f"{self.absolute:g} {unit}".strip() if self.absolute else "",
        ]
        return " or ".join(part for part in parts if part)


@dataclass(frozen=True)
class AudioTarget(Target):
    """A target that is measured on the audio.

    Attributes
    ----------
    function : callable
        From the `Analysis` of the sounding part to a float; NaN if the target is undefined.
    tolerance : Tolerance
        How far it may move when the same music is digitised differently.
    version : int
        Of a plug-in: its package raises it with the definition, so that older tables are stale.
    package : str
        The package that a plug-in comes from; filled in when it is found.

    Examples
    --------
    >>> TARGETS["num_phrases"].tolerance.absolute
    0.5
    """

    function: Callable[[Analysis], float]
    tolerance: Tolerance
    version: int = 1
    package: str = ""


@dataclass(frozen=True)
class TargetValues:
    """The targets of a recording.

    Attributes
    ----------
    track : dict of str to float
        The values of the whole recording.
    segments : dict of str to ndarray [shape=(segments,)]
        The values of each segment (`mess.audio.decoding.segment_bounds`), for targets of level
        "segment".
    descriptors : dict of str to ndarray [shape=(1 + segments, d)]
        Plain descriptions of the recording and of each segment; see
        `mess.targets.descriptors`.

    Examples
    --------
    >>> TargetValues(track={"tempo": 120.0}, segments={}).track["tempo"]
    120.0
    """

    track: dict[str, float]
    segments: dict[str, NDArray[np.float64]]
    descriptors: dict[str, NDArray[np.float32]] = field(default_factory=dict)


_BAND_ENDS = {
    "16 kHz": "a file at 16 kHz holds nothing above 8 kHz",
    "22.05 kHz": "a file at 22.05 kHz holds nothing above 11 kHz",
}
_SPECTRAL = Tolerance(relative=0.01, reasons=_BAND_ENDS)
_COUNTED = Tolerance(relative=0.02)  # one note more or less
_DYNAMIC = Tolerance(relative=0.02, absolute=0.02)  # dB, dB/s, dB²

_ALL = (
    AudioTarget(
        "spectral_centroid",
        "timbre",
        "Hz",
        "How bright it sounds: the centre of gravity of its frequencies.",
        "segment",
        timbre.spectral_centroid,
        _SPECTRAL,
    ),
    AudioTarget(
        "spectral_rolloff",
        "timbre",
        "Hz",
        "How far up the sound reaches: 85 % of it lies below this frequency.",
        "segment",
        timbre.spectral_rolloff,
        _SPECTRAL,
    ),
    AudioTarget(
        "spectral_bandwidth",
        "timbre",
        "Hz",
        "How wide the sound spreads, from a thin tone to a full or noisy one.",
        "segment",
        timbre.spectral_bandwidth,
        _SPECTRAL,
    ),
    AudioTarget(
        "zero_crossing_rate",
        "timbre",
        "1/s",
        "How often the waveform changes sign: high for noisy or high-pitched sound.",
        "segment",
        timbre.zero_crossing_rate,
        _SPECTRAL,
        title="zero-crossing rate",
    ),
    AudioTarget(
        "tempo",
        "rhythm",
        "BPM",
        "How fast the beat is; half or double of it may be felt as well.",
        "track",
        rhythm.tempo,
        Tolerance(relative=0.005),
    ),
    AudioTarget(
        "onset_density",
        "rhythm",
        "1/s",
        "How many notes begin per second.",
        "segment",
        rhythm.onset_density,
        _COUNTED,
    ),
    AudioTarget(
        "dynamic_range",
        "dynamics",
        "dB",
        "How far the soft notes lie below the loud ones.",
        "segment",
        dynamics.dynamic_range,
        _DYNAMIC,
    ),
    AudioTarget(
        "dynamic_variance",
        "dynamics",
        "dB²",
        "How far the loudness of whole passages wanders.",
        "segment",
        dynamics.dynamic_variance,
        _DYNAMIC,
    ),
    AudioTarget(
        "crescendo_strength",
        "dynamics",
        "dB/s",
        "How strongly the music grows louder over seconds.",
        "segment",
        dynamics.crescendo_strength,
        _DYNAMIC,
    ),
    AudioTarget(
        "diminuendo_strength",
        "dynamics",
        "dB/s",
        "How strongly the music grows softer over seconds.",
        "segment",
        dynamics.diminuendo_strength,
        _DYNAMIC,
    ),
    AudioTarget(
        "harmonic_complexity",
        "harmony",
        "bit",
        "How many different pitches are in play at a time, from one note to all twelve.",
        "segment",
        harmony.harmonic_complexity,
        Tolerance(absolute=0.02),
    ),
    AudioTarget(
        "attack_slopes",
        "articulation",
        "dB/s",
        "How steeply the loudness rises when a note begins: detached high, legato low.",
        "segment",
        articulation.attack_slopes,
        Tolerance(
            relative=0.02,
            reasons={
                "16 kHz": "part of an attack's noise lies above 8 kHz",
                "22.05 kHz": "part of an attack's noise lies above 11 kHz",
            },
        ),
        title="attack slope",
    ),
    AudioTarget(
        "attack_sharpness",
        "articulation",
        "",
        "How suddenly notes begin, from a bow's swell to a hammer's blow.",
        "segment",
        articulation.attack_sharpness,
        _COUNTED,
    ),
    AudioTarget(
        "phrase_regularity",
        "phrasing",
        "",
        "How regularly phrases follow each other: near 1 for phrases of equal length.",
        "track",
        phrasing.phrase_regularity,
        Tolerance(absolute=0.03),
    ),
    AudioTarget(
        "num_phrases",
        "phrasing",
        "",
        "Into how many phrases harmony, timbre and loudness divide the music.",
        "track",
        phrasing.num_phrases,
        Tolerance(absolute=0.5),
        title="number of phrases",
    ),
)
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_failed: set[str] = set()  # plug-ins that were told to have failed on a recording


def _accept(name: str, package: str, offered: object) -> AudioTarget:
    """Return the target that a package offers, or raise why it cannot be used."""
    if not isinstance(offered, AudioTarget):
        raise TypeError(f"it is a {type(offered).__name__}, not a mess.targets.AudioTarget")
    if offered.name != name:
        raise ValueError(f"the target is called {offered.name!r}")
    if name in MIDI_TARGETS:
        raise ValueError("the name is taken")
    if not _NAME.fullmatch(name):
        raise ValueError("a name has small letters and digits, with '_' between")
    if offered.level not in ("segment", "track") or not isinstance(offered.tolerance, Tolerance):
        raise ValueError('level is "segment" or "track", tolerance a mess.targets.Tolerance')
    if not callable(offered.function) or not isinstance(offered.version, int):
        raise ValueError("function is called with an Analysis, version is a whole number")
    return replace(offered, package=package)


def _by_family(targets: Mapping[str, AudioTarget]) -> Mapping[str, AudioTarget]:
    """Return targets with the members of each family side by side."""
    families = list(dict.fromkeys([*FAMILIES, *(one.family for one in targets.values())]))
    ordered = sorted(targets.values(), key=lambda one: families.index(one.family))
    return {target.name: target for target in ordered}


TARGETS: Mapping[str, AudioTarget] = registry(
    {target.name: target for target in _ALL},
    kind="target",
    group="mess.targets",
    accept=_accept,
    sort=_by_family,
)
MIDI_TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("note_density", "performance", "1/s", "How many notes are played.", "track"),
        Target(
            "velocity_mean",
            "performance",
            "",
            "How hard the keys are struck.",
            "track",
            title="mean velocity",
        ),
        Target(
            "velocity_spread",
            "performance",
            "",
            "How far soft and hard strokes lie apart.",
            "track",
        ),
        Target("polyphony", "performance", "", "How many keys are down at a time.", "track"),
        Target(
            "register", "performance", "semitone", "How high it lies, as a MIDI pitch.", "track"
        ),
        Target(
            "articulation_ratio",
            "performance",
            "",
            "How long keys are held: near 1 legato, well below detached.",
            "track",
        ),
        Target(
            "tempo_spread",
            "performance",
            "octave",
            "How far the tempo bends: 0 is strict time.",
            "track",
        ),
        Target(
            "pedal_ratio", "performance", "", "How much of the time the pedal is down.", "track"
        ),
    )
}
ALL_TARGETS: Mapping[str, Target] = LazyMapping(lambda: {**TARGETS, **MIDI_TARGETS})


def plugin_targets() -> tuple[str, ...]:
    """Return the names of the targets that other packages bring.

    Examples
    --------
    >>> plugin_targets()  # where no package brings any
    ()
    """
    return tuple(name for name, target in TARGETS.items() if target.package)


def targets_version() -> int | str:
    """Return the version of all definitions: `TARGETS_VERSION`, and that of each plug-in.

    A table that another version made is stale.

    Examples
    --------
    >>> targets_version() == TARGETS_VERSION  # where no package brings any
    True
    """
    added = [f"{name} {TARGETS[name].version}" for name in plugin_targets()]
    return ", ".join([str(TARGETS_VERSION), *added]) if added else TARGETS_VERSION


def unit_of(name: str) -> str:
    """Return the unit of a target, "" for a pure number or a target that is not known (any more).

    Examples
    --------
    >>> unit_of("tempo"), unit_of("num_phrases"), unit_of("of_a_package_that_is_gone")
    ('BPM', '', '')
    """
    return ALL_TARGETS[name].unit if name in ALL_TARGETS else ""


def title_of(name: str) -> str:
    """Return the name of a target as people read it, without underscores if it is not known.

    Examples
    --------
    >>> title_of("num_phrases"), title_of("of_a_package_that_is_gone")
    ('number of phrases', 'of a package that is gone')
    """
    return ALL_TARGETS[name].title if name in ALL_TARGETS else as_words(name)


def title_with_unit(name: str) -> str:
    """Return the name of a target as people read it, with its unit if it has one.

    Examples
    --------
    >>> title_with_unit("spectral_centroid"), title_with_unit("num_phrases")
    ('spectral centroid (Hz)', 'number of phrases')
    """
    unit = unit_of(name)
    return f"{title_of(name)} ({unit})" if unit else title_of(name)


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
        If the signal has another rate, or holds nothing but silence.

    Examples
    --------
    >>> import numpy as np, soundfile
    >>> time = np.arange(6 * 24_000) / 24_000
    >>> beats = np.sin(2 * np.pi * 440 * time) * np.exp(-8 * (time % 0.5))  # 120 in a minute
    >>> soundfile.write("beats.wav", 0.3 * beats, 24_000)
    >>> from mess import TARGET_SAMPLE_RATE, decode
    >>> values = compute_targets(decode("beats.wav", TARGET_SAMPLE_RATE))
    >>> round(values.track["onset_density"])
    2
    >>> values.segments["onset_density"].shape
    (2,)
    """
    return measure_targets(analyse(signal), signal, segment_seconds=segment_seconds)


def measure_targets(
    analysis: Analysis, signal: Signal, *, segment_seconds: float = SEGMENT_SECONDS
) -> TargetValues:
    """Compute all targets of a recording that is analysed already; see `compute_targets`."""
    length = round(segment_seconds * signal.sample_rate)
    bounds = segment_bounds(signal.samples.size, length)
    music = analysis.sounding()
    segments = [
        analysis.cut(start / signal.sample_rate, stop / signal.sample_rate).sounding()
        for start, stop in bounds
    ]
    described = [describe_audio(part) for part in [music, *segments]]
    return TargetValues(
        track=track_targets(analysis),
        segments={
            name: np.array([_value(target, segment) for segment in segments], dtype=np.float64)
            for name, target in TARGETS.items()
            if target.level == "segment"
        },
        descriptors={
            name: np.stack([vectors[name] for vectors in described]) for name in BASELINES
        },
    )


def track_targets(analysis: Analysis) -> dict[str, float]:
    """Compute the targets of a whole recording alone; undefined values are NaN."""
    music = analysis.sounding()
    return {name: _value(target, music) for name, target in TARGETS.items()}


def _value(target: AudioTarget, music: Analysis) -> float:
    """Return a target's value; a plug-in that fails costs its own value, and a line once."""
    if not target.package:
        return target.function(music)
    try:
        return float(target.function(music))
    except Exception as error:  # whatever foreign code does
        if target.name not in _failed:
            _failed.add(target.name)
            leave_out(target.package, f"target {target.name!r} of what it fails on", told(error))
        return math.nan


def compute_midi_targets(notes: Notes) -> dict[str, float]:
    """Compute the MIDI targets of a whole performance.

    Examples
    --------
    >>> from mess.targets import Notes
    >>> time = np.arange(8.0)  # eight notes of half a second, one a second
    >>> notes = Notes(time, time + 0.5, np.full(8, 60.0), np.full(8, 64.0), np.empty((0, 2)))
    >>> compute_midi_targets(notes)["register"]
    60.0
    """
    return {name: midi_targets.FUNCTIONS[name](notes) for name in MIDI_TARGETS}
