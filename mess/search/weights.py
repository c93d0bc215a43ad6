"""Weights and moves: check what a person gives, and normalise weights."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from mess.errors import MessError, UnknownName

FARTHEST = 100.0  # standard deviations that a query can be moved


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
    if not np.isfinite(total):  # the sum of very large numbers
        largest = max(map(abs, used.values()))
        return share_weights({name: one / largest for name, one in used.items()}, names)
    return {name: weight / total for name, weight in used.items()}


def check_apart(liked: Iterable[str], unlike: Collection[str]) -> None:
    """Raise `MessError` if something is to be like and unlike at once.

    Both cancel: all scores would be 0, and their order by chance.

    >>> check_apart(["a", "b"], ["c"])
    """
    for name in liked:
        if name in unlike:
            raise MessError(f"{name!r} is to be like and to be unlike at once: name it once")


def check_moves(moves: Mapping[str, float]) -> dict[str, float]:
    """Return how far a query is moved along each aspect, in standard deviations.

    >>> check_moves({"tempo": -1})
    {'tempo': -1.0}

    Raises
    ------
    MessError
        If a distance is not finite, or so large that all tracks are equally far.
    """
    for name, by in moves.items():
        if not abs(by) <= FARTHEST:
            raise MessError(
                f"{name!r} cannot be moved by {by:g}: at most {FARTHEST:g} standard deviations"
            )
    return {name: float(by) for name, by in moves.items()}
