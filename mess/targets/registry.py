"""The registry: all proxy targets by name."""

import re
from collections.abc import Mapping
from dataclasses import replace

from mess.as_text import as_words
from mess.plugins import LazyMapping, registry
from mess.targets import articulation, dynamics, harmony, phrasing, rhythm, timbre
from mess.targets.target import AudioTarget, Target, Tolerance

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
