"""The licence of each encoder's weights, as its authors state it on the hub.

The key is the name in `mess.encoders.catalogue.PRESETS`, the value an SPDX identifier. A licence
with "NC" allows no commercial use. The licence of any other checkpoint is unknown to MESS: its
model card states it.
"""

from collections.abc import Mapping
from types import MappingProxyType

LICENCES: Mapping[str, str] = MappingProxyType(
    {
        "mert-v1-95m": "CC-BY-NC-4.0",
        "mert-v1-330m": "CC-BY-NC-4.0",
        "music2vec": "CC-BY-NC-4.0",
        "hubert-base": "Apache-2.0",
        "whisper-tiny": "MIT",
        "spectral": "Apache-2.0",  # no weights: the licence of this code
    }
)
