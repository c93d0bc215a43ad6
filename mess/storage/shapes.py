"""The shape of what is read from JSON: which keys there must be, and of which types.

A shape is a type, a tuple of types, ``[shape]`` for a list, ``{str: shape}`` for an object with any
keys, or ``{"key": shape, …}`` for one that has at least these; None is the value null.

>>> fits({"tracks": ["a"], "n": 1, "more": 0}, {"tracks": [str], "n": NUMBER})
True
>>> fits({"tracks": [1]}, {"tracks": [str]})
False
"""

from typing import Any

Shape = Any
NUMBER = (int, float)
MAYBE = (int, float, type(None))  # a number that may be undefined


def fits(value: object, shape: Shape) -> bool:
    """Tell whether a value has a shape."""
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(one, shape[0]) for one in value)
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return False
        if str in shape:
            return all(fits(one, shape[str]) for one in value.values())
        return all(key in value and fits(value[key], one) for key, one in shape.items())
    types = shape if isinstance(shape, tuple) else (shape,)
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))
