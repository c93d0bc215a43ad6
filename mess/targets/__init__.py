"""Proxy targets: musical properties as numbers, measured on audio or read from MIDI.

Examples
--------
>>> from mess.targets import ALL_TARGETS
>>> ALL_TARGETS["tempo"].description
'How fast the beat is; half or double of it may be felt as well.'

`registry` lists all targets, `measuring` measures them; each family has a module. A target on audio
is a function of an `Analysis`: curves that share one short-time Fourier transform. A MIDI target
(the family "performance", in `midi_targets`) is a function of the `Notes` of a MIDI file.
"""

from mess.targets.analysis import TARGET_SAMPLE_RATE, Analysis, analyse
from mess.targets.measuring import TargetValues, compute_midi_targets, compute_targets
from mess.targets.midi_file import Notes, read_notes
from mess.targets.registry import (
    ALL_TARGETS,
    FAMILIES,
    MIDI_TARGETS,
    TARGETS,
    TARGETS_VERSION,
    plugin_targets,
    targets_version,
    title_of,
    title_with_unit,
    unit_of,
)
from mess.targets.target import AudioTarget, Target, Tolerance

__all__ = [
    "ALL_TARGETS",
    "FAMILIES",
    "MIDI_TARGETS",
    "TARGETS",
    "TARGETS_VERSION",
    "TARGET_SAMPLE_RATE",
    "Analysis",
    "AudioTarget",
    "Notes",
    "Target",
    "TargetValues",
    "Tolerance",
    "analyse",
    "compute_midi_targets",
    "compute_targets",
    "plugin_targets",
    "read_notes",
    "targets_version",
    "title_of",
    "title_with_unit",
    "unit_of",
]
