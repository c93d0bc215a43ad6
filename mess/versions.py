"""The versions of what is computed: raise one, and what older code made is seen to be stale.

That of the proxy targets stands beside them, in `mess.targets`.
"""

FEATURES_VERSION = 3  # raise when the same audio and encoder would give other features
DISCOVERY_VERSION = 4  # raise when the same features and targets would give other scores
INDEX_VERSION = 5  # raise when the same inputs would give another index
PASSAGES_VERSION = 3  # raise when the same inputs would give other passages
EVALUATION_VERSION = 4  # raise when the same index would be judged otherwise
MAPS_VERSION = 2  # raise when the same features and settings would give other points
COMPARISON_VERSION = 2  # raise when the same discoveries would be compared otherwise
CROSS_VERSION = 2  # raise when the same inputs would give another cross table
