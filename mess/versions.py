"""Versions of the computed artifacts: raise one, and every artifact of an older version is stale.

The version of the proxy targets is `mess.targets.TARGETS_VERSION`.
"""

FEATURES_VERSION = 3  # raise when the same audio and encoder would give other features
DISCOVERY_VERSION = 11  # raise when the same features and targets would give other scores
INDEX_VERSION = 10  # raise when the same inputs would give another index
PASSAGES_VERSION = 8  # raise when the same inputs would give other passages
EVALUATION_VERSION = 5  # raise when the same index would be judged otherwise
FACTORS_VERSION = 1  # raise when the same index would get another factor table
MAPS_VERSION = 2  # raise when the same features and settings would give other points
COMPARISON_VERSION = 2  # raise when the same discoveries would be compared otherwise
UNTANGLED_VERSION = 1  # raise when the same inputs would give another erasure, code or table
CROSS_VERSION = 2  # raise when the same inputs would give another cross table
LISTENING_VERSION = 1  # raise when the same inputs would give another plan of listening
DOSES_VERSION = 1  # raise when the same changed recordings would give other responses
