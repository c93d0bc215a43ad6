"""The record of a selection: the recordings or passages that a person picked on a map."""

from dataclasses import dataclass, field
from typing import Literal

from mess.records.base import Record

MOST_ROWS = 100_000


@dataclass(frozen=True, kw_only=True)
class SelectionRecord(Record):
    """What was picked.

    Attributes
    ----------
    format : "mess selection"
    dataset : str
    rows : list of str
        Ids of tracks; of a segment, its track, ``@`` and its number. The id of a whole track that
        ends like one of a segment has ``@`` once more at its end.
    """

    format: Literal["mess selection"] = "mess selection"
    dataset: str
    rows: list[str] = field(default_factory=list)
