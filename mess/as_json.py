"""JSON as programs read it: any result in one line of text, and never NaN, which JSON lacks.

Examples
--------
>>> as_json({"r2": float("nan"), "layers": (1, 2)})
b'{"r2":null,"layers":[1,2]}'
"""

import json
import math
from typing import Any

import msgspec


def as_json(value: object, *, indent: int = 0) -> bytes:
    """Return a value as JSON.

    Parameters
    ----------
    value : object
        Of plain values, lists, dicts, dataclasses, records and numbers of NumPy.
    indent : int
        Spaces for each level; 0 for one line.

    Returns
    -------
    bytes
        A number that is not finite becomes null. A name that is no UTF-8 (a file may have one)
        is escaped.

    Examples
    --------
    >>> print(as_json([1], indent=1).decode())
    [
     1
    ]
    """
    try:
        content = msgspec.json.encode(value, enc_hook=_plain)
    except UnicodeEncodeError:  # msgspec does not escape; such names are rare
        plain = _finite(msgspec.to_builtins(value, enc_hook=_plain))
        content = json.dumps(plain, separators=(",", ":"), allow_nan=False).encode()
    return msgspec.json.format(content, indent=indent) if indent else content


def _plain(value: object) -> object:
    """Return a number or an array of NumPy as plain values."""
    tolist = getattr(value, "tolist", None)
    if tolist is None:
        raise TypeError(f"{type(value).__name__} is nothing that JSON holds")
    return tolist()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return value
