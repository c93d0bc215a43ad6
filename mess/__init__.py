"""MESS: hear what a music model knows.

The library is pure: arrays and paths in, arrays and results out. Audio flows one way,
through features and proxy targets to probes, aspects, an index and recommendations;
`mess.storage` alone knows where each of them lies on disk.

The names below are the public interface. Each is loaded when it is first used, so that
``import mess`` itself loads nothing.

Examples
--------
>>> import mess
>>> mess.segment_bounds(12, 5)
[(0, 5), (5, 10), (7, 12)]
>>> from mess import Recommendation
>>> Recommendation("Bach_BWV846_p1", score=0.9, contributions={"tempo": 0.9}).track_id
'Bach_BWV846_p1'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mess.audio.decoding import Signal, decode, segment_bounds
    from mess.datasets import Dataset, Track, available_datasets, load_dataset
    from mess.encoders import Encoder, load_encoder
    from mess.encoders.pooling import Pooled, pool_segments
    from mess.errors import MessError
    from mess.probing.discovery import discover
    from mess.probing.results import Discovery, DiscoverySettings
    from mess.search.layer_based_recommender import LayerBasedRecommender, Recommendation
    from mess.search.passages.recommender import Passage, PassageRecommender
    from mess.storage.store import Store
    from mess.targets import TARGET_SAMPLE_RATE, Target, TargetValues, compute_targets

__version__ = "0.1.0"

__all__ = [
    "TARGET_SAMPLE_RATE",
    "Dataset",
    "Discovery",
    "DiscoverySettings",
    "Encoder",
    "LayerBasedRecommender",
    "MessError",
    "Passage",
    "PassageRecommender",
    "Pooled",
    "Recommendation",
    "Signal",
    "Store",
    "Target",
    "TargetValues",
    "Track",
    "available_datasets",
    "compute_targets",
    "decode",
    "discover",
    "load_dataset",
    "load_encoder",
    "pool_segments",
    "segment_bounds",
]

# Where each public name is defined; a test holds it to the imports above.
_MODULES = {
    "mess.audio.decoding": ("Signal", "decode", "segment_bounds"),
    "mess.datasets": ("Dataset", "Track", "available_datasets", "load_dataset"),
    "mess.encoders": ("Encoder", "load_encoder"),
    "mess.encoders.pooling": ("Pooled", "pool_segments"),
    "mess.errors": ("MessError",),
    "mess.probing.discovery": ("discover",),
    "mess.probing.results": ("Discovery", "DiscoverySettings"),
    "mess.search.layer_based_recommender": ("LayerBasedRecommender", "Recommendation"),
    "mess.search.passages.recommender": ("Passage", "PassageRecommender"),
    "mess.storage.store": ("Store",),
    "mess.targets": ("TARGET_SAMPLE_RATE", "Target", "TargetValues", "compute_targets"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mess' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return every name, loaded or not."""
    return sorted({*globals(), *__all__})
