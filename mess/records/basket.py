"""The record of a basket: recordings that a person keeps, each with tags and a note."""

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from mess.records.base import Record

Kept = Literal["found", "like", "unlike"]
KINDS: tuple[Kept, ...] = get_args(Kept)
MOST_ITEMS = 10_000
LONGEST_NOTE = 2000  # letters
LONGEST_TAG = 60
MOST_TAGS = 20


@dataclass(frozen=True, kw_only=True)
class BasketItem(Record):
    """A recording that is kept.

    Attributes
    ----------
    track : str
    kept : "found", "like" or "unlike"
        Why it is kept: it was found, or searches should be like it or unlike it.
    tags : list of str
    note : str
    added : float
        Seconds since the epoch.
    """

    track: str
    kept: Kept = "found"
    tags: list[str] = field(default_factory=list)
    note: str = ""
    added: float = 0.0


@dataclass(frozen=True, kw_only=True)
class BasketRecord(Record):
    """The recordings of a dataset that are kept.

    Attributes
    ----------
    format : "mess basket"
    dataset : str
    items : list of BasketItem
        In the order in which they came; each track is there once.

    Examples
    --------
    >>> basket = BasketRecord(dataset="demo").put(BasketItem(track="a", note="slow"))
    >>> basket.put(BasketItem(track="a", kept="like")).items[0].note
    'slow'
    """

    format: Literal["mess basket"] = "mess basket"
    dataset: str
    items: list[BasketItem] = field(default_factory=list)

    def get(self, track: str) -> BasketItem | None:
        """Return the item of a track, None if it is not kept."""
        return next((item for item in self.items if item.track == track), None)

    def tracks(self, kept: Kept) -> list[str]:
        """Return the tracks that are kept for one reason."""
        return [item.track for item in self.items if item.kept == kept]

    def put(self, *items: BasketItem) -> "BasketRecord":
        """Return the basket with one or more items.

        A track that is there keeps its place and time, its tags beside the new ones, and its note
        where the new item has none.
        """
        found = {item.track: item for item in self.items}
        for item in items:
            old = found.get(item.track)
            found[item.track] = item if old is None else _joined(old, item)
        return replace(self, items=list(found.values()))

    def change(self, item: BasketItem) -> "BasketRecord":
        """Return the basket with an item in the place of the one of its track."""
        return replace(self, items=[item if one.track == item.track else one for one in self.items])

    def drop(self, track: str) -> "BasketRecord":
        """Return the basket without a track."""
        return replace(self, items=[item for item in self.items if item.track != track])


def _joined(old: BasketItem, new: BasketItem) -> BasketItem:
    return replace(
        new,
        tags=list(dict.fromkeys([*old.tags, *new.tags])),
        note=new.note or old.note,
        added=old.added,
    )
