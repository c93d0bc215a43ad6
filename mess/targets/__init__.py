"""Proxy targets: musical properties as numbers that are measured on audio (or told by MIDI).

>>> from mess.audio.decoding import decode
>>> from mess.targets import TARGET_SAMPLE_RATE, compute_targets
>>> values = compute_targets(decode("piece.flac", TARGET_SAMPLE_RATE))  # doctest: +SKIP
>>> values.track["tempo"]                                               # doctest: +SKIP

`registry` lists them; there is one file for each family. All are functions of an `Analysis`, the
curves of one shared short-time Fourier transform; but those of the family "performance" are
functions of the `Notes` of a MIDI file.
"""

from mess.targets.analysis import TARGET_SAMPLE_RATE, Analysis, analyse
from mess.targets.midi_file import Notes, read_notes
from mess.targets.registry import (
    ALL_TARGETS,
    FAMILIES,
    MIDI_TARGETS,
    TARGETS,
    TARGETS_VERSION,
    Target,
    TargetValues,
    compute_midi_targets,
    compute_targets,
)

__all__ = [
    "ALL_TARGETS",
    "FAMILIES",
    "MIDI_TARGETS",
    "TARGETS",
    "TARGETS_VERSION",
    "TARGET_SAMPLE_RATE",
    "Analysis",
    "Notes",
    "Target",
    "TargetValues",
    "analyse",
    "compute_midi_targets",
    "compute_targets",
    "read_notes",
]
