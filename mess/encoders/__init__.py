"""Encoders: models that turn audio segments into hidden states.

An encoder maps ``[batch, samples]`` to ``[batch, layers, time, dim]``; `load_encoder` makes one
from a name, `PRESETS` lists the names that need no path. Importing this package loads neither
torch nor transformers.
"""

from mess.encoders.at_hand import require_weights, weights_at_hand
from mess.encoders.base import Encoder, load_encoder
from mess.encoders.catalogue import PRESETS, Preset, by_interest, encoder_slug

__all__ = [
    "PRESETS",
    "Encoder",
    "Preset",
    "by_interest",
    "encoder_slug",
    "load_encoder",
    "require_weights",
    "weights_at_hand",
]
