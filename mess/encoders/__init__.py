"""From audio segments to hidden states.

An encoder maps ``[batch, samples]`` to ``[batch, layers, time, dim]``; `load_encoder` makes one
from a name, `PRESETS` lists the names that need no path. Importing this package loads neither
torch nor transformers.
"""

from mess.encoders.base import Encoder, load_encoder
from mess.encoders.presets import PRESETS, Preset, encoder_slug

__all__ = ["PRESETS", "Encoder", "Preset", "encoder_slug", "load_encoder"]
