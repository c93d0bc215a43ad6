"""SynTheory: synthetic notes, intervals, scales, chords, progressions, tempi and metres (2024).

Each concept is a folder (``notes/``, ``tempos/``, …) with WAV and MIDI files and a table
``info.csv``, as the code of the authors writes it. What the table states of a recording is probed
as a target: numbers as they are, a pitch class as a point on a circle, a kind (of chord, of scale)
as a 0 or 1 for each kind. Any of the folders is enough, and any part of its recordings.

The work of a track is its instrument, so that a probe is tested on instruments that it never heard;
of clicks it is the tempo and the click, because the excerpts of one rendering are nearly alike.

References
----------
M. Wei, M. Freeman, C. Donahue, C. Sun: Do music generation models encode music theory? ISMIR 2024.
"""

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mess.audio.addresses import Address
from mess.datasets.base import Dataset, Track, state
from mess.errors import ArtifactError

LICENCE = "MIT"
HOMEPAGE = "https://github.com/brown-palm/syntheory"
TABLE = "info.csv"
CHORDS = ("major", "minor", "aug", "dim")
MODES = ("ionian", "dorian", "phrygian", "lydian", "mixolydian", "aeolian", "locrian")
_INVERSIONS = {"5": 0.0, "6": 1.0, "64": 2.0}

Row = Mapping[str, str]
Stated = dict[str, float]


def load_syntheory(root: Path) -> Dataset:
    """Read the concepts below ``root`` whose folders are there.

    Recordings that the table calls silent are left out; a note counts them.

    Raises
    ------
    ArtifactError
        If there is no table, or none of its recordings.
    """
    tracks: list[Track] = []
    notes: list[str] = []
    tables = 0
    for concept, stated in CONCEPTS.items():
        path = root / concept / TABLE
        if isinstance(root, Address) or not path.is_file():
            continue
        tables += 1
        try:
            rows = list(_rows(path))
        except (OSError, UnicodeDecodeError, csv.Error):
            notes.append(f"{concept}/{TABLE}: is damaged; make it again by {HOMEPAGE}")
            continue
        silent = missing = odd = 0
        for row in rows:
            if row.get("is_silent", "").lower() == "true":
                silent += 1
                continue
            name = row.get("offset_file_path") or row.get("synth_file_path") or ""
            if not name or Path(name).name != name:  # never a path elsewhere
                odd += 1
                continue
            audio = root / concept / name
            if not audio.is_file():
                missing += 1
                continue
            tracks.append(_track(concept, audio, row, stated(row)))
        for count, what in (
            (missing, "recordings are not here"),
            (silent, "are silent and left out"),
            (odd, "rows name no file"),
        ):
            if count:
                notes.append(f"{concept}: {count:,} of {len(rows):,} {what}")
    if not tracks:
        reason = (
            f"has none of the recordings of its tables below {root}"
            if tables
            else f"needs a folder such as {root / 'notes'} with {TABLE}"
        )
        raise ArtifactError(
            "dataset 'syntheory'",
            f"{reason}: the code of its authors makes it ({HOMEPAGE}); put its folders there, then",
            "mess extract --dataset syntheory",
        )
    return Dataset("syntheory", root, tuple(tracks), LICENCE, HOMEPAGE, tuple(notes))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as handle:
        for row in csv.DictReader(handle):
            yield {key: value or "" for key, value in row.items() if isinstance(key, str)}


def _track(concept: str, audio: Path, row: Row, stated: Stated) -> Track:
    midi_name = row.get("midi_file_path", "")
    midi = audio.parent / midi_name if midi_name and Path(midi_name).name == midi_name else None
    clicks = row.get("click_config_name", "")
    instrument = row.get("midi_program_name") or clicks
    excerpt = Path(row.get("synth_file_path", "") or audio.name).stem
    return Track(
        id=f"{concept}_{audio.stem}",
        path=audio,
        work=excerpt if clicks else instrument,
        title=f"{concept}: {audio.stem}",
        # The MIDI of an excerpt of clicks is that of the whole rendering.
        midi_path=midi if midi is not None and not clicks and midi.is_file() else None,
        extra={
            "instrument": instrument,
            "category": row.get("midi_category", ""),
            "concept": concept,
        }
        | state(stated),
    )


# What each table states ------------------------------------------------------------------------


def _number(row: Row, column: str) -> float:
    try:
        return float(row.get(column, ""))
    except ValueError:
        return math.nan


def _circle(row: Row, column: str) -> Stated:
    """Return a pitch class as a point: 11 and 0 are neighbours."""
    angle = 2 * math.pi * _number(row, column) / 12
    return {
        "stated_pitch_class_cos": math.cos(angle),
        "stated_pitch_class_sin": math.sin(angle),
    }


def _kinds(name: str, value: str, known: tuple[str, ...]) -> Stated:
    """Return a 0 or 1 for each kind; NaN where the kind is not known."""
    return {
        f"stated_{name}_{kind}": float(value == kind) if value in known else math.nan
        for kind in known
    }


def _notes(row: Row) -> Stated:
    return {
        "stated_pitch": _number(row, "midi_note_val"),
        "stated_register": _number(row, "register"),
        **_circle(row, "root_note_pitch_class"),
    }


def _intervals(row: Row) -> Stated:
    return {"stated_interval": _number(row, "interval"), **_circle(row, "root_note_pitch_class")}


def _chords(row: Row) -> Stated:
    return {
        **_kinds("chord", row.get("chord_type", ""), CHORDS),
        "stated_inversion": _INVERSIONS.get(row.get("inversion", ""), math.nan),
        **_circle(row, "root_note_pitch_class"),
    }


def _scales(row: Row) -> Stated:
    return _kinds("scale", row.get("mode", ""), MODES)


def _progressions(row: Row) -> Stated:
    mode = row.get("chord_progression", "").partition("-")[0]
    return {**_kinds("key", mode, ("ionian", "aeolian")), **_circle(row, "key_note_pitch_class")}


def _tempos(row: Row) -> Stated:
    return {"stated_tempo": _number(row, "bpm")}


def _metres(row: Row) -> Stated:
    return {
        "stated_beats": _number(row, "time_signature_beats"),
        "stated_compound": _number(row, "is_compound"),
    }


CONCEPTS: Mapping[str, Callable[[Row], Stated]] = {
    "notes": _notes,
    "intervals": _intervals,
    "scales": _scales,
    "chords": _chords,
    "chord_progressions": _progressions,
    "tempos": _tempos,
    "time_signatures": _metres,
}
