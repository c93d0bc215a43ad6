"""Search by name: find a track by composer, work, title or id, as a person types it.

Every typed word must occur in the name; case, accents and punctuation are ignored. Tracks in which
every typed word is the beginning of a word come first.

Examples
--------
>>> names = Names(["a", "b"], ["Frédéric Chopin: Prelude Op. 28 No. 4", "Bach: Präludium"])
>>> names.find("chopin op 28"), names.find("PRÄLUD"), names.find("lude")
(['a'], ['b'], ['a'])
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice

_LONGEST = 200  # characters of the typed text that are used
_SAMPLED = 16  # every 16th name is used to estimate which word is rare
_BETWEEN = re.compile(r"[\W_]+")


def normalise_text(text: str) -> str:
    """Return ``text`` in lower case, without accents, its words separated by single spaces.

    >>> normalise_text("  Dvořák: Op.46/No_8 ")
    'dvorak op 46 no 8'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        text = "".join(sign for sign in text if not unicodedata.combining(sign))
    return _BETWEEN.sub(" ", text.casefold()).strip()


class Names:
    """A text index of the names of many tracks.

    All names are joined into one string, which is searched some ten times faster than 100,000
    strings. The rarest typed word is searched first; the other words are tested in its rows only.

    Parameters
    ----------
    ids : sequence of str
        The ids, in the order of equally good results.
    texts : sequence of str
        The searchable text of each track.
    """

    def __init__(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        self._ids = list(ids)
        normalised = [f" {normalise_text(text)}\n" for text in texts]
        self._text = "".join(normalised)
        self._starts = [0, *accumulate(map(len, normalised))]
        self._sample = "".join(normalised[::_SAMPLED])

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, typed: str, *, limit: int = 12) -> list[str]:
        """Return the ids of at most ``limit`` tracks; without a typed word, the first ones."""
        words = list(dict.fromkeys(normalise_text(typed[:_LONGEST]).split()))
        if not words:
            return self._ids[:limit]
        rows = list(islice(self._holding([" " + word for word in words]), limit))
        if len(rows) < limit:
            known = set(rows)
            more = (row for row in self._holding(words) if row not in known)
            rows += islice(more, limit - len(rows))
        return [self._ids[row] for row in rows]

    def _holding(self, parts: list[str]) -> Iterator[int]:
        """Yield the rows that contain every part."""
        rarest, *others = sorted(parts, key=lambda part: (self._sample.count(part), -len(part)))
        at = self._text.find(rarest)
        while at >= 0:
            row = bisect_right(self._starts, at) - 1
            begin, end = self._starts[row], self._starts[row + 1]
            if all(self._text.find(part, begin, end) >= 0 for part in others):
                yield row
            at = self._text.find(rarest, end)
