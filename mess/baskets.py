"""Baskets as files: what was exported, or a playlist of another program, is read again.

A file names recordings by their ids (CSV, JSON) or by their paths (M3U8). What is not among the
known recordings is named, and the rest is taken.

Examples
--------
>>> found = read_basket("mine.csv", b"track,note\\na,slow\\nx,\\n", known={"a": "/music/a.flac"})
>>> found.items[0].note, found.missing
('slow', ['x'])
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import unquote, urlsplit

from mess.errors import MessError, shown_path
from mess.records.basket import (
    KINDS,
    LONGEST_NOTE,
    LONGEST_TAG,
    MOST_ITEMS,
    MOST_TAGS,
    BasketItem,
    Kept,
)

SUFFIXES = ("csv", "json", "m3u8", "m3u")
_LISTS = ("items", "results", "steps", "rows")  # of an exported JSON file
_BETWEEN_TAGS = ";"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a cell that begins so


@dataclass(frozen=True)
class Imported:
    """What a file holds.

    Attributes
    ----------
    items : list of BasketItem
        Each track once; the time is 0.
    missing : list of str
        What the file names and is not known, in its order.
    """

    items: list[BasketItem]
    missing: list[str]


def as_cell(text: str) -> str:
    """Return a text as a spreadsheet shows it: never as a formula.

    >>> as_cell("=1+1"), from_cell("'=1+1"), from_cell("'tis")
    ("'=1+1", '=1+1', "'tis")
    """
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def from_cell(text: str) -> str:
    """Return the text of a cell; see `as_cell`."""
    return text.removeprefix("'") if text.lstrip("'").startswith(_FORMULA) else text


def split_tags(text: str) -> list[str]:
    """Return the tags in a text, each once.

    >>> split_tags("slow; Slow ;slow;;")
    ['slow', 'Slow']
    """
    found = (" ".join(tag.split())[:LONGEST_TAG].strip() for tag in text.split(_BETWEEN_TAGS))
    return list(dict.fromkeys(filter(None, found)))[:MOST_TAGS]


def join_tags(tags: list[str]) -> str:
    """Return tags as one text; see `split_tags`."""
    return f"{_BETWEEN_TAGS} ".join(tags)


def make_item(track: str, *, kept: object = "", tags: object = "", note: object = "") -> BasketItem:
    """Return an item of what somebody typed or a file holds; what does not fit is cut."""
    words = join_tags([str(tag) for tag in tags]) if isinstance(tags, list) else str(tags or "")
    text = str(note or "").strip()[:LONGEST_NOTE].rstrip()
    known: Kept = next((kind for kind in KINDS if kind == kept), "found")
    return BasketItem(track=track, kept=known, tags=split_tags(words), note=text)


def read_basket(name: str, content: bytes, *, known: Mapping[str, str]) -> Imported:
    """Read an exported basket, list or path, or a playlist.

    Parameters
    ----------
    name : str
        Of the file; its suffix tells what it is.
    content : bytes
    known : mapping of str to str
        The path of each recording, by its id.

    Raises
    ------
    MessError
        If the file is none of these.
    """
    suffix = name.rpartition(".")[2].lower()
    if suffix not in SUFFIXES:
        raise _refuse(name, "the name has another suffix")
    try:
        text = content.decode("utf-8-sig")
        if suffix == "csv":
            rows = list(_rows_of_csv(text))
        elif suffix == "json":
            rows = list(_rows_of_json(json.loads(text)))
        else:
            rows = list(_rows_of_playlist(text, known))
    except (ValueError, csv.Error, RecursionError) as error:
        raise _refuse(name, str(error)) from None
    if len(rows) > MOST_ITEMS:
        raise MessError(f"{shown_path(name)}: names more than {MOST_ITEMS} recordings")
    items: dict[str, BasketItem] = {}
    missing: dict[str, None] = {}
    for track, row in rows:
        if track in known:
            kinds = {one: row.get(one) for one in ("kept", "tags", "note")}
            items.setdefault(track, make_item(track, **kinds))
        else:
            missing[track] = None
    return Imported(list(items.values()), list(missing))


def _refuse(name: str, reason: str) -> MessError:
    reason = " ".join(reason.split())[:120]
    return MessError(
        f"{shown_path(name)[:80]}: cannot be taken ({reason}); give a CSV, JSON or M3U8 file with "
        "the ids or paths of recordings"
    )


def _rows_of_csv(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    lines = csv.DictReader(io.StringIO(text, newline=""))
    if "track" not in (lines.fieldnames or ()):
        raise ValueError("no column is named track")
    for row in lines:
        cells = {name: from_cell(row.get(name) or "") for name in ("track", "kept", "tags", "note")}
        if cells["track"]:
            yield cells["track"], cells


def _rows_of_json(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the rows of a basket, a list of recommendations, a path, or a pick on the map."""
    content = value if isinstance(value, dict) else {}
    rows = next((content[k] for k in _LISTS if k in content), None)
    if not isinstance(rows, list):
        raise ValueError(f"it has none of {', '.join(_LISTS)}")
    for row in rows:
        track = row.get("track", row.get("track_id")) if isinstance(row, dict) else None
        if not isinstance(track, str):
            raise ValueError("an item has no track")
        yield track, row


def _rows_of_playlist(
    text: str, known: Mapping[str, str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    by_path = {str(Path(path).absolute()): track for track, path in known.items()}
    by_name: dict[str, list[str]] = {}
    for track, path in known.items():
        by_name.setdefault(PurePosixPath(path).name, []).append(track)
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        place = line
        if line.lower().startswith("file:"):
            with suppress(ValueError):  # what is no address is known under no name
                place = unquote(urlsplit(line).path)
        names = by_name.get(PureWindowsPath(place).name, [])
        track = by_path.get(place) or (names[0] if len(names) == 1 else line)
        yield track, {}
