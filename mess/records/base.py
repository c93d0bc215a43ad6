"""The base of all records: from JSON with every type checked, and back.

A record is a frozen dataclass whose fields are the keys of its file. `Record.from_json` is the only
reader and `Record.to_json` the only writer; `mess.storage` reads and writes the files.

Examples
--------
>>> from dataclasses import dataclass
>>> @dataclass(frozen=True, kw_only=True)
... class Count(Record):
...     tracks: int
>>> Count.from_json({"tracks": 3}).to_json()
{'tracks': 3}
>>> Count.from_json({})
Traceback (most recent call last):
    ...
mess.records.base.DoesNotFit: object missing required field `tracks`
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import msgspec

Json = dict[str, Any]
Parts = dict[str, str | int | None]  # digests of the parts of a manifest; see `Manifest.parts`


class DoesNotFit(ValueError):
    """A JSON value is not the record that was asked for; the text says what is wrong."""


@dataclass(frozen=True)
class Origin:
    """What a conclusion was drawn from.

    Attributes
    ----------
    code_version : int
    digests : mapping of str to (str or None)
        Source (features, targets, index or discovery) → its digest at that time; None where there
        was none.
    inputs : mapping of str to (dict or None)
        The parts of the digests of features and targets, where they are kept.
    """

    code_version: int
    digests: Mapping[str, str | None]
    inputs: Mapping[str, Parts | None] = field(default_factory=dict)


class Record:
    """A dataclass that is kept as a JSON object."""

    OPTIONAL: ClassVar[frozenset[str]] = frozenset()  # fields that are not written if they are None

    @classmethod
    def from_json(cls, content: object) -> Self:
        """Return the record that a JSON object holds; more keys do no harm.

        Raises
        ------
        DoesNotFit
            If a key is missing or a value is of another type.
        """
        try:
            return msgspec.convert(content, cls, str_keys=True)
        except msgspec.ValidationError as error:
            reason = str(error)
            raise DoesNotFit(reason[:1].lower() + reason[1:]) from None

    def to_json(self) -> Json:
        """Return the record as plain values."""
        content: Json = msgspec.to_builtins(self, str_keys=True, enc_hook=_plain)
        return {k: one for k, one in content.items() if one is not None or k not in self.OPTIONAL}


def _plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python."""
    import numpy as np

    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is nothing that a record holds")
