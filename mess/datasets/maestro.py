"""MAESTRO: performances of the International Piano-e-Competition, audio and aligned MIDI.

A list, ``maestro-v3.0.0.csv`` or ``.json`` (and the same for v1 and v2), states the composer,
title, split, year and files of every recording; the files of a year are in one folder. The JSON of
v1 and v2 is a list of records, that of v3 is a table of columns. A subset of the recordings is
enough, in any audio format.

References
----------
C. Hawthorne et al.: Enabling Factorized Piano Music Modeling and Generation with the MAESTRO
Dataset. ICLR 2019.
"""

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mess.datasets.base import Dataset, Track
from mess.datasets.listing import Listing, MidiByName, case_folded, list_files, unique_ids
from mess.errors import ArtifactError, MessError

LICENCE = "CC BY-NC-SA 4.0"
HOMEPAGE = "https://magenta.tensorflow.org/datasets/maestro"
_LIST = re.compile(r"maestro-v(\d+)\.(\d+)\.(\d+)\.(csv|json)", re.IGNORECASE)
_COLUMNS = (
    "canonical_composer",
    "canonical_title",
    "split",
    "year",
    "midi_filename",
    "audio_filename",
    "duration",
)
_CATALOGUE = re.compile(
    r"\b(op|bwv|woo|hob|kv|k|d|l|s|rv|wq|sz|h)(?:\b\.?\s*|(?=\d))"
    r"([ivxlc]+\s*[:/]\s*\d+|\d+[a-z]?)(?:\s*,?\s*(?:no\.?|/)\s*(\d+))?",
    re.IGNORECASE,
)


def work_of(title: str) -> str:
    """Return the work that a title names, the same for different spellings of one work.

    It is the catalogue number if there is one. Otherwise it is the title up to the first comma, in
    lower case and without punctuation.

    >>> work_of('Sonata No. 21, Op. 53, "Waldstein", I. Allegro con brio')
    'op 53'
    >>> work_of("Etude Op. 10 No. 4") == work_of("Etude Op. 10, No. 4 in C-sharp minor")
    True
    """
    match = _CATALOGUE.search(title)
    if match:
        name, number, part = match.groups()
        name = {"kv": "k"}.get(name.lower(), name.lower())
        number = re.sub(r"\s*[:/]\s*", ":", number.lower())
        return f"{name} {number}" + (f" no {part}" if part else "")
    return " ".join(re.findall(r"\w+", title.split(",")[0].casefold()))


Row = Mapping[str, str]


@dataclass(frozen=True)
class _MatchedList:
    """The recordings of a list that are present, each with its row, and the notes about them."""

    source: Path
    rows: list[tuple[Path, Row]]
    total: int
    notes: list[str]


def load_maestro(root: Path) -> Dataset:
    """Read the recordings of a list of MAESTRO whose audio is in ``root``.

    If there are several lists, in ``root`` or directly below, the list with the most recordings
    present is used; on a tie, the newest.

    Raises
    ------
    ArtifactError
        If a list or all of the audio is missing.
    MessError
        If no list can be read.
    """
    lists = sorted(
        (path for pattern in ("*", "*/*") for path in root.glob(pattern) if _version(path)),
        key=_version,
        reverse=True,
    )
    if not lists:
        raise _missing(f"needs {root / 'maestro-v3.0.0.csv'}")
    listing = list_files(root)
    matched: list[_MatchedList] = []
    damaged: list[MessError] = []
    for path in lists:
        try:
            matched.append(_match(path, _read_rows(path), listing))
        except MessError as error:
            damaged.append(error)
    if not matched:
        raise damaged[0]
    best = max(matched, key=lambda candidate: len(candidate.rows))
    if not best.rows:
        raise _missing(f"has none of its {best.total:,} recordings below {root}")
    tracks = _tracks(best, listing)
    notes = [*map(str, damaged), *best.notes, *listing.passed_over.lines()]
    return Dataset("maestro", root, tracks, LICENCE, HOMEPAGE, tuple(notes))


def _version(path: Path) -> tuple[int, int, int, bool] | tuple[()]:
    """Return the version in the name of a list, CSV above JSON; () if it is not a list."""
    match = _LIST.fullmatch(path.name)
    if match is None:
        return ()
    major, minor, patch = (int(number) for number in match.groups()[:3])
    return major, minor, patch, match[4].lower() == "csv"


def _read_rows(path: Path) -> list[dict[str, object]]:
    """Read the rows of a list; a row may lack columns.

    Raises
    ------
    MessError
        If it is damaged or a column is missing altogether.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = _from_json(text) if path.suffix.lower() == ".json" else _from_csv(text)
    except OSError as error:
        raise MessError(f"{path}: cannot be read ({error.strerror}); download it again") from None
    except (ValueError, RecursionError, csv.Error):
        raise MessError(f"{path}: is damaged; download the list again") from None
    absent = [column for column in _COLUMNS if not any(column in row for row in rows)]
    if absent:
        raise MessError(f"{path}: has no column {absent[0]!r}; download the list again")
    return rows


def _from_csv(text: str) -> list[dict[str, object]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    rows: list[dict[str, object]] = [dict(row) for row in reader]
    return rows or [dict.fromkeys(reader.fieldnames or (), "")]


def _from_json(text: str) -> list[dict[str, object]]:
    table = json.loads(text)
    if isinstance(table, dict):  # column → row number → value
        columns = {name: column for name, column in table.items() if isinstance(column, dict)}
        numbers = dict.fromkeys(number for column in columns.values() for number in column)
        return [
            {name: column[number] for name, column in columns.items() if number in column}
            for number in numbers
        ]
    if not isinstance(table, list):
        raise ValueError
    return [row if isinstance(row, dict) else {} for row in table]


def _match(source: Path, rows: Sequence[Mapping[str, object]], listing: Listing) -> _MatchedList:
    """Find the recordings of a list among the files; the paths in the list are never opened."""
    by_name = {path.as_posix(): path for path in listing.audio}
    by_stem = {_stem(name): path for name, path in reversed(by_name.items())}
    present: dict[Path, Row] = {}
    odd = twice = missing = 0
    for row in rows:
        plain = {name: _text(row.get(name)) for name in _COLUMNS}
        if not all(plain[name] for name in ("audio_filename", "canonical_title")):
            odd += 1
            continue
        wanted = (source.parent / plain["audio_filename"]).as_posix()
        path = by_name.get(wanted) or by_stem.get(_stem(wanted))
        if path is None:
            missing += 1
        elif path in present:
            twice += 1
        else:
            present[path] = plain
    counts = (
        (missing, f"{missing:,} of {len(rows):,} recordings are not here"),
        (odd, f"damaged rows, left out: {odd:,}"),
        (twice, f"rows that name a recording again, left out: {twice:,}"),
    )
    notes = [f"{source.name}: {note}" for count, note in counts if count]
    return _MatchedList(source, list(present.items()), len(rows), notes)


def _stem(name: str) -> str:
    """Return a path without its suffix, case-folded and in one Unicode form."""
    return case_folded(re.sub(r"\.[^./]*$", "", name))


def _text(value: object) -> str:
    """Return a field as text; "" if it is neither text nor a number."""
    known = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value).strip() if known else ""


def _tracks(matched: _MatchedList, listing: Listing) -> tuple[Track, ...]:
    """Return a track for each recording; note files without a row and tracks without MIDI."""
    by_name = {path.as_posix(): path for path in listing.midi}
    beside = MidiByName(listing.midi)
    names = [listing.name(path) for path, _ in matched.rows]
    stems = [path.stem for path, _ in matched.rows]
    ids = stems if len(set(stems)) == len(stems) else unique_ids(names)
    tracks = tuple(
        Track(
            id=track_id,
            path=path,
            stated_duration=_seconds(row["duration"]),
            composer=row["canonical_composer"],
            work=work_of(row["canonical_title"]),
            title=row["canonical_title"],
            midi_path=by_name.get((matched.source.parent / row["midi_filename"]).as_posix())
            or beside.find(path),
            extra={"split": row["split"], "year": row["year"]},
        )
        for (path, row), track_id in zip(matched.rows, ids, strict=True)
    )
    silent = sum(track.midi_path is None for track in tracks)
    if silent:
        matched.notes.append(f"recordings without MIDI here: {silent:,} of {len(tracks):,}")
    for stray in set(listing.audio) - {track.path for track in tracks}:
        listing.passed_over.add(listing.name(stray), f"not in {matched.source.name}")
    return tracks


def _seconds(text: str) -> float | None:
    """Return the stated length; None without a valid one, so that the file's header is used."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 < seconds < math.inf else None


def _missing(reason: str) -> ArtifactError:
    return ArtifactError(
        "dataset 'maestro'",
        f"{reason}: its authors publish it at {HOMEPAGE}; unpack it there, or download it",
        "mess fetch maestro",
    )
