"""Curves: musical properties over time, at two values per second.

A *curve* is a target with one value for each moment (`mess.audio.moments`). Many scalar targets are
computed from a curve; `mess.curves.readings` lists these targets and their functions.

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
