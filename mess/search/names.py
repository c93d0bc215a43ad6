"""Search by name: find a track by composer, work, title or id, as a person types it.

Every typed word must occur in the name; case, accents and punctuation are ignored. Tracks in which
every typed word is the beginning of a word come first.

A typed word of four letters or more that occurs in no name is taken for a slip: the nearest words
stand for it. A slip is a letter too many, too few or wrong, or two letters exchanged (Damerau
1964); a word of eight letters may have two. The first letter counts as right: slips there are rare
(Yannakoudakis and Fawthrop 1983).

Examples
--------
>>> names = Names(["a", "b"], ["Frédéric Chopin: Prelude Op. 28 No. 4", "Bach: Präludium"])
>>> names.find("chopin op 28"), names.find("PRÄLUD"), names.find("lude"), names.find("chpoin")
(['a'], ['b'], ['a'], ['a'])

References
----------
F. J. Damerau: A technique for computer detection and correction of spelling errors. Communications
of the ACM 7(3), 1964.
E. J. Yannakoudakis, D. Fawthrop: The rules of spelling errors. Information Processing & Management
19(2), 1983.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate, islice, product

_LONGEST = 200  # characters of the typed text that are used
_SAMPLED = 16  # every 16th name is used to estimate which word is rare
_SHORTEST_SLIP = 4  # letters of a word that may have a slip
_TWO_SLIPS = 8  # letters from which on it may have two
_MEANT = 6  # the largest number of words that one typed word may stand for
_TRIED = 36  # the largest number of their combinations
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


def slips(typed: str, word: str, *, most: int) -> int:
    """Return how many slips lie between what was typed and the beginning of a word.

    The end of the word need not be typed yet. More than ``most`` are counted as ``most`` + 1.

    >>> slips("beethovn", "beethoven", most=2), slips("dovrak", "dvorak", most=2)
    (1, 1)
    >>> slips("bethov", "beethoven", most=2), slips("bach", "brahms", most=1)
    (1, 2)
    """
    word = word[: len(typed) + most]
    before: list[int] = []
    row = list(range(len(word) + 1))
    for at, letter in enumerate(typed, start=1):
        earlier, before, row = before, row, [at]
        for place, other in enumerate(word, start=1):
            cost = min(row[-1], before[place]) + 1
            cost = min(cost, before[place - 1] + (letter != other))
            if at > 1 and place > 1 and letter == word[place - 2] and typed[at - 2] == other:
                cost = min(cost, earlier[place - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(min(row), most + 1)


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
        meant = [self._meant(word) for word in words]
        rows: list[int] = []
        for choice in islice(product(*meant), _TRIED):
            known = set(rows)
            found = self._rows(list(dict.fromkeys(choice)), limit + len(known))
            rows += islice((row for row in found if row not in known), limit - len(rows))
            if len(rows) == limit:
                break
        return [self._ids[row] for row in rows]

    def _meant(self, word: str) -> list[str]:
        """Return the word, or those that it may stand for, the nearest first."""
        if len(word) < _SHORTEST_SLIP or word in self._text:
            return [word]
        most = 2 if len(word) >= _TWO_SLIPS else 1
        letters = set(word)
        found = [
            (slips(word, known, most=most), known)
            for known in self._words.get(word[0], ())
            if len(letters.difference(known)) <= most  # each slip brings in one letter at most
        ]
        near = sorted(pair for pair in found if pair[0] <= most)
        least = near[0][0] if near else 0
        return [known for number, known in near if number == least][:_MEANT] or [word]

    @cached_property
    def _words(self) -> dict[str, list[str]]:
        """All words of the names by their first letter; made when something is mistyped first."""
        found: dict[str, list[str]] = {}
        for word in sorted(set(self._text.split())):
            if not word[0].isdigit():
                found.setdefault(word[0], []).append(word)
        return found

    def _rows(self, words: list[str], limit: int) -> list[int]:
        rows = list(islice(self._holding([" " + word for word in words]), limit))
        if len(rows) < limit:
            known = set(rows)
            more = (row for row in self._holding(words) if row not in known)
            rows += islice(more, limit - len(rows))
        return rows

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
