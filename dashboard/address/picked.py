"""The points that were picked on the map, in its address: by the ids of what they stand for.

So they stay picked when colour, layer or method of the map change, and after a reload. Few ids
stand in the address itself. Many are kept by the server, under a token that stands there.
"""

import re
from collections.abc import Collection, Sequence

from dashboard.address.controls import Controls
from dashboard.readers import store
from mess.errors import MessError

Row = tuple[str, int]  # track, segment (−1 for a whole track)
NAMES = ("pick", "picked")
_LONGEST = 1500  # letters of ids that an address holds
_BETWEEN = "@"
_NUMBERED = re.compile(rf"{_BETWEEN}[0-9]*\Z")


def keep_picked(controls: Controls, rows: Sequence[Row]) -> None:
    """Write the rows that are picked.

    Raises
    ------
    MessError
        If they are too many to be kept.
    """
    texts = [as_text(row) for row in rows]
    short = sum(map(len, texts)) <= _LONGEST
    token = "" if short else store().selections.keep(controls.dataset, texts)
    controls.keep("pick", texts if short else [])
    controls.keep("picked", [token] if token else [])


def read_picked(controls: Controls, known: Collection[str]) -> tuple[list[Row], list[str]]:
    """Return the rows that are picked, and what is picked and not here.

    Parameters
    ----------
    controls : Controls
    known : collection of str
        The ids of all tracks.
    """
    texts = controls.value("pick")
    problems = []
    if token := controls.value("picked"):
        try:
            texts = store().selections.read(controls.dataset, token[-1])
        except MessError:
            controls.keep("picked", [])
            problems.append("a selection that is no longer kept")
    asked = [from_text(text, known) for text in texts]
    rows = [row for row in asked if row[0] in known]
    if len(rows) < len(asked):
        problems.append(f"{len(asked) - len(rows)} of the points")
        keep_picked(controls, rows)
    return rows, problems


def as_text(row: Row) -> str:
    """Return a row as an address names it.

    A whole track whose id looks like a segment of another one has the sign once more at its end.

    >>> as_text(("bwv846", -1)), as_text(("bwv846", 12)), as_text(("a@1", -1))
    ('bwv846', 'bwv846@12', 'a@1@')
    """
    track, segment = row
    if segment >= 0:
        return f"{track}{_BETWEEN}{segment}"
    return f"{track}{_BETWEEN}" if _NUMBERED.search(track) else track


def from_text(text: str, known: Collection[str]) -> Row:
    """Return the row that an address names.

    An address that a person wrote may name a whole track without the sign at its end: that is
    understood where it names no segment of a known track.

    >>> from_text("bwv846@12", {"bwv846"}), from_text("a@1@", {"a", "a@1"})
    (('bwv846', 12), ('a@1', -1))
    >>> from_text("a@1", {"a", "a@1"}), from_text("a@1", {"a@1"})
    (('a', 1), ('a@1', -1))
    """
    if not _NUMBERED.search(text):
        return text, -1
    track, _, number = text.rpartition(_BETWEEN)
    if track not in known and text in known:
        return text, -1
    return track, int(number[:9]) if number else -1
