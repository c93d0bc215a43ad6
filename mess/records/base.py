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
from dataclasses import Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import msgspec

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Json = dict[str, Any]  # JSON as it lies on disk: only `from_json` makes a record of it


class DoesNotFit(ValueError):
    """A JSON value is not the record that was asked for; the text says what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The digests of the parts of a manifest. Two of them tell what has changed in between.

    Attributes
    ----------
    audio : str
        Of the hashes of the audio files.
    settings : str
        Of the header, without the version of the code.
    code : int or str
        The version of the code.
    labels : str
        Of works, composers and other metadata, from which conclusions are drawn.
    values : str
        Of the checksums of all files.
    """

    audio: str
    settings: str
    code: int | str
    labels: str
    values: str


@dataclass(frozen=True)
class Origin:
    """What a conclusion was drawn from.

    Attributes
    ----------
    code_version : int
    digests : mapping of str to (str or None)
        Source (features, targets, index or discovery) → its digest at that time; None where there
        was none.
    inputs : mapping of str to (Parts or None)
        Of features and targets, where they are kept.
    """

    code_version: int
    digests: Mapping[str, str | None]
    inputs: Mapping[str, Parts | None] = field(default_factory=dict)


class Record:
    """A dataclass that is kept as a JSON object."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

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

    @classmethod
    def of(cls, *parts: object, **more: object) -> Self:
        """Return the record that has the fields of some dataclasses, and more.

        Raises
        ------
        DoesNotFit
            If a field is missing or a value is of another type.
        """
        content = {
            one.name: getattr(part, one.name)
            for part in parts
            for one in fields(cast("DataclassInstance", part))
        }
        return cls.from_json(msgspec.to_builtins(content | more, enc_hook=_plain))

    def to_json(self) -> Json:
        """Return the record as plain values."""
        # By name: msgspec leaves out a default that `from_json` filled in.
        named = {one.name: getattr(self, one.name) for one in fields(self)}
        content: Json = msgspec.to_builtins(named, str_keys=True, enc_hook=_plain)
        for name in self.OPTIONAL:
            if content[name] is None:
                del content[name]
        return content


def _plain(value: object) -> object:
    """Return a number of NumPy as one of Python."""
    import numpy as np

    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is nothing that a record holds")
