"""Curves: musical properties over time, at two values a second.

A *curve* is a target that a probe reads moment by moment (`mess.audio.moments`). Many a scalar
target is a number that is made from a curve: `mess.curves.readings` says which, and how.

>>> from mess.curves import CURVES, compute_curves
>>> CURVES["level"].unit
'dB'
"""

from mess.curves.registry import (
    AUDIO_CURVES,
    CURVES,
    CURVES_VERSION,
    MIDI_CURVES,
    Curve,
    compute_curves,
)

__all__ = [
    "AUDIO_CURVES",
    "CURVES",
    "CURVES_VERSION",
    "MIDI_CURVES",
    "Curve",
    "compute_curves",
]
