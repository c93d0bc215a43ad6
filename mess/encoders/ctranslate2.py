"""Reader of ``model.bin``, the file format of CTranslate2: names and arrays.

The format is little-endian: version (u32), specification and its revision (string, u32), number of
variables (u32). Each variable has a name (string), rank (u8), dimensions (u32 each), type (u8),
number of bytes (u32) and values. The number of aliases follows (u32); each alias is two strings,
alias and variable. A string is its length (u16), including the final NUL, and its bytes. Every
length is compared with the remaining bytes before it is used.

References
----------
Klein et al., CTranslate2, https://opennmt.net/CTranslate2 (the format of version 6).
"""

import math
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError

VERSION = 6
_TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
_MAX_RANK = 8


@dataclass(frozen=True)
class Specification:
    """The content of a file.

    Attributes
    ----------
    name, revision : str, int
        The kind of model, as the converter names it.
    variables : dict of str to ndarray
        Read-only views of the file's bytes.
    aliases : dict of str to str
        Other names of variables.
    """

    name: str
    revision: int
    variables: dict[str, NDArray[np.generic]]
    aliases: dict[str, str]


def read_model(content: bytes, *, source: str) -> Specification:
    """Read the content of a ``model.bin``.

    Parameters
    ----------
    content : bytes
    source : str
        The name of the source, for error messages.

    Raises
    ------
    MessError
        If it is another kind of file, is truncated, or is inconsistent.
    """
    reader = _Reader(content, source)
    version = reader.number("I")
    if version != VERSION:
        raise reader.damaged(f"is of version {version}, not {VERSION}")
    name, revision = reader.string(), reader.number("I")
    variables: dict[str, NDArray[np.generic]] = {}
    for _ in range(reader.number("I")):
        key = reader.string()
        if key in variables:
            raise reader.damaged(f"holds {key!r} twice")
        variables[key] = reader.array()
    aliases = {}
    for _ in range(reader.number("I")):
        alias, variable = reader.string(), reader.string()
        if variable not in variables or alias in variables or alias in aliases:
            raise reader.damaged(f"names {alias!r} for {variable!r}, which cannot be")
        aliases[alias] = variable
    if reader.left:
        raise reader.damaged(f"has {reader.left} bytes after its end")
    return Specification(name, revision, variables, aliases)


class _Reader:
    """Reads values one after another, with a check of the remaining bytes."""

    def __init__(self, content: bytes, source: str) -> None:
        self._content = content
        self._at = 0
        self._source = source

    @property
    def left(self) -> int:
        return len(self._content) - self._at

    def damaged(self, reason: str) -> MessError:
        return MessError(f"{self._source}: {reason}; get the file again")

    def _skip(self, count: int) -> int:
        """Advance by ``count`` bytes; return the offset of the first."""
        if count > self.left:
            raise self.damaged("is cut short, or no model of CTranslate2")
        at, self._at = self._at, self._at + count
        return at

    def number(self, kind: str) -> int:
        value: int = struct.unpack_from(f"<{kind}", self._content, self._skip(_SIZES[kind]))[0]
        return value

    def string(self) -> str:
        length = self.number("H")
        at = self._skip(length)
        text = self._content[at : at + length]
        try:
            if text[-1:] != b"\0":
                raise ValueError
            name = text[:-1].decode("ascii")
        except ValueError:
            raise self.damaged("holds a name that is none") from None
        if not name.isprintable():
            raise self.damaged("holds a name that is none")
        return name

    def array(self) -> NDArray[np.generic]:
        rank = self.number("B")
        if rank > _MAX_RANK:
            raise self.damaged(f"holds an array of {rank} dimensions")
        shape = tuple(self.number("I") for _ in range(rank))
        kind, size = self.number("B"), self.number("I")
        if kind not in _TYPES:
            raise self.damaged(f"holds values of the unknown type {kind}")
        dtype = np.dtype(_TYPES[kind]).newbyteorder("<")
        count = math.prod(shape)
        if count * dtype.itemsize != size:
            raise self.damaged(f"holds {size} bytes where the shape {shape} is promised")
        at = self._skip(size)
        return np.frombuffer(self._content, dtype=dtype, count=count, offset=at).reshape(shape)


_SIZES = {"B": 1, "H": 2, "I": 4}
