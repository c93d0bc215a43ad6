"""Proxy targets: musical properties as numbers that are measured on audio.

>>> from mess.audio import decode
>>> from mess.targets import TARGET_SAMPLE_RATE, compute_targets
>>> values = compute_targets(decode("piece.flac", TARGET_SAMPLE_RATE))  # doctest: +SKIP
>>> values.track["tempo"]                                               # doctest: +SKIP

`registry` lists them; there is one file for each family. All are functions of an `Analysis`, the
curves of one shared short-time Fourier transform.
"""

from mess.targets.analysis import TARGET_SAMPLE_RATE, Analysis, analyse
from mess.targets.registry import (
    FAMILIES,
    TARGETS,
    TARGETS_VERSION,
    Target,
    TargetValues,
    compute_targets,
)

__all__ = [
    "FAMILIES",
    "TARGETS",
    "TARGETS_VERSION",
    "TARGET_SAMPLE_RATE",
    "Analysis",
    "Target",
    "TargetValues",
    "analyse",
    "compute_targets",
]
