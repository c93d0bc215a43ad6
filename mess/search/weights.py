"""Weights: check the weights that a person gives, and normalise them."""

from collections.abc import Collection, Mapping

import numpy as np

from mess.errors import MessError, UnknownName


def share_weights(wanted: Mapping[str, float], names: Collection[str]) -> dict[str, float]:
    """Return weights whose magnitudes sum to 1; weights of 0 are left out.

    >>> share_weights({"tempo": 3, "texture": -1, "warmth": 0}, ["tempo", "texture", "warmth"])
    {'tempo': 0.75, 'texture': -0.25}

    Raises
    ------
    UnknownName
        If a weight has a name that is not in ``names``.
    MessError
        If a weight is not finite, or all are 0.
    """
    for name, weight in wanted.items():
        if name not in names:
            raise UnknownName("aspect", name, names)
        if not np.isfinite(weight):
            raise MessError(f"the weight of {name!r} must be a number, not {weight}")
    used = {name: float(weight) for name, weight in wanted.items() if weight}
    if not used:
        raise MessError("give at least one aspect a weight other than 0")
    total = sum(map(abs, used.values()))
    return {name: weight / total for name, weight in used.items()}
