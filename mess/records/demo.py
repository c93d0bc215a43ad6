"""The record of a recording of the demo library."""

from dataclasses import dataclass

from mess.records.base import Record


@dataclass(frozen=True, kw_only=True)
class DemoRecord(Record):
    """How a recording of the demo library was made.

    Attributes
    ----------
    fingerprint : str
        Of the row of the recipe, the seed and the code.
    sha256 : dict of str to str
        The hash of each of its two files, by name.
    row : dict of str to str
        Its row in the table of all recordings.
    """

    fingerprint: str
    sha256: dict[str, str]
    row: dict[str, str]
