"""Sheet music: read the notes of an encoded score, and cut excerpts from it.

Conventions: positions and durations are in quarter notes from the beginning of the score. Pitches
are MIDI note numbers as they sound. Ties are joined, grace notes precede their main note, chord
symbols and unpitched percussion are left out, and repeats are played once.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError, MissingDependency

GRACE_QUARTERS = 0.125
_TOLERANCE = 1e-3  # quarter notes; the durations of encoded tuplets are rounded

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Excerpt:
    """The notes of a score, or of a part of it.

    Attributes
    ----------
    onset, duration : ndarray [shape=(n,)]
        Quarter notes; sorted by onset, then by pitch.
    pitch : ndarray [shape=(n,)]
        MIDI note numbers.
    barlines : ndarray [shape=(bars + 1,)]
        Where the bars begin, and where the last one ends.
    meter : tuple of int
        The time signature at its beginning.
    """

    onset: Floats
    duration: Floats
    pitch: Ints
    barlines: Floats
    meter: tuple[int, int]

    @property
    def quarters(self) -> float:
        """Length in quarter notes."""
        return float(self.barlines[-1])


def corpus_path(name: str) -> Path:
    """Return where music21's corpus holds a score, without importing music21.

    Raises
    ------
    MissingDependency
        If music21 is not installed.
    MessError
        If its corpus has no such score.
    """
    package = find_spec("music21")
    if package is None or package.origin is None:
        raise MissingDependency("music21", "demo")
    path = Path(package.origin).parent / "corpus" / name
    if not path.is_file():
        raise MessError(f"{name}: music21's corpus has no such score: install music21 10")
    return path


def read_score(path: Path) -> Excerpt:
    """Read the notes of a score in any format that music21 knows.

    Raises
    ------
    MissingDependency
        If music21 is not installed.
    MessError
        If the score cannot be read or holds no note.
    """
    try:
        from music21 import converter, stream
    except ImportError:
        raise MissingDependency("music21", "demo") from None
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # warnings about bars that are too long by the rounding of tuplets
        try:
            parsed: Any = converter.parse(path, forceSource=True, storePickle=False)
        except Exception as error:  # the parsers' errors have no common base class
            raise MessError(f"{path}: is no score that can be read ({error})") from None
        if isinstance(parsed, stream.Opus):  # an ABC file may hold each voice as a separate tune
            parsed = parsed.mergeScores()
        parts = list(parsed.parts)
        notes = [note for part in parts for note in _join_ties(list(_notes_of(part)))]
    if not notes:
        raise MessError(f"{path}: holds no note")
    onset, duration, pitch = (
        np.array(column, dtype=np.float64) for column in zip(*notes, strict=True)
    )
    end = max(float((onset + duration).max()), float(parsed.highestTime))
    bars = [float(measure.offset) for measure in parts[0].getElementsByClass("Measure")]
    meter = next(iter(parts[0].recurse().getElementsByClass("TimeSignature")), None)
    return _sorted_excerpt(
        onset,
        duration,
        pitch,
        barlines=_barlines(bars, end),
        meter=(meter.numerator, meter.denominator) if meter else (4, 4),
    )


def excerpt(score: Excerpt, *, start: float, quarters: float) -> Excerpt:
    """Cut whole bars from a score; one that is too short is repeated from ``start``.

    Parameters
    ----------
    score : Excerpt
    start : float
        Quarter notes; moved to the nearest barline.
    quarters : float
        Wanted length; the result ends with the bar whose end is nearest to it.

    Returns
    -------
    Excerpt
        Positions count from its beginning. Notes that begin before ``start`` are left out; notes
        that last beyond the end are shortened.
    """
    first = int(np.abs(score.barlines[:-1] - start).argmin())
    rest = score.barlines[first:] - score.barlines[first]
    rounds = max(1, int(np.ceil((quarters - _TOLERANCE) / rest[-1])))
    ends = np.concatenate([rest[1:] + turn * rest[-1] for turn in range(rounds)])
    length = float(ends[np.abs(ends - quarters).argmin()])
    inside = score.onset >= score.barlines[first] - _TOLERANCE
    once = score.onset[inside] - score.barlines[first]
    onset = np.concatenate([once + turn * rest[-1] for turn in range(rounds)])
    duration = np.tile(score.duration[inside], rounds)
    pitch = np.tile(score.pitch[inside], rounds)
    kept = onset < length - _TOLERANCE
    barlines = np.concatenate([[0.0], ends[ends <= length + _TOLERANCE]])
    return _sorted_excerpt(
        onset[kept],
        np.minimum(duration[kept], length - onset[kept]),
        pitch[kept],
        barlines=barlines,
        meter=score.meter,
    )


def _notes_of(part: Any) -> Iterator[tuple[float, float, int, str]]:
    """Yield onset, duration, pitch and tie of each note of a music21 part."""
    from music21 import harmony, note, percussion

    written = part.atSoundingPitch is False
    transposition = part.getInstrument(returnDefault=True).transposition if written else None
    shift = int(transposition.semitones) if transposition else 0
    flat = part.flatten()
    graces: list[int] = []
    for element in flat.notes:
        if isinstance(element, harmony.Harmony | note.Unpitched | percussion.PercussionChord):
            continue
        pitches = [(n.pitch.midi + shift, n.tie) for n in _members(element)]
        if element.duration.isGrace:
            graces.extend(midi for midi, _ in pitches)
            continue
        onset = float(flat.elementOffset(element))
        for index, midi in enumerate(graces):
            before = onset - (len(graces) - index) * GRACE_QUARTERS
            yield max(before, 0.0), GRACE_QUARTERS, midi, ""
        graces.clear()
        for midi, tie in pitches:
            length = float(element.duration.quarterLength)
            if length > 0:
                yield onset, length, midi, tie.type if tie else ""


def _members(element: Any) -> tuple[Any, ...]:
    return tuple(element.notes) if element.isChord else (element,)


def _join_ties(
    notes: list[tuple[float, float, int, str]],
) -> list[tuple[float, float, int]]:
    """Join the tied notes of one part."""
    joined: list[tuple[float, float, int]] = []
    open_ties: dict[int, int] = {}  # pitch -> index of the note that a tie may lengthen
    for onset, duration, pitch, tie in sorted(notes):
        before = open_ties.pop(pitch, None) if tie in {"stop", "continue"} else None
        if before is not None and abs(_end(joined[before]) - onset) < _TOLERANCE:
            index = before
            joined[index] = (joined[index][0], joined[index][1] + duration, pitch)
        else:
            index = len(joined)
            joined.append((onset, duration, pitch))
        if tie in {"start", "continue"}:
            open_ties[pitch] = index
    return joined


def _end(note: tuple[float, float, int]) -> float:
    return note[0] + note[1]


def _barlines(starts: list[float], end: float) -> Floats:
    """Return barlines without repetition; a score without bars gets one each four quarters."""
    if len(starts) < 2:
        starts = list(np.arange(0.0, end, 4.0))
    lines = np.unique(np.append([0.0, end], starts))
    lines = lines[lines <= end + _TOLERANCE]
    return lines[np.append(True, np.diff(lines) > _TOLERANCE)]


def _sorted_excerpt(
    onset: Floats,
    duration: Floats,
    pitch: NDArray[Any],
    *,
    barlines: Floats,
    meter: tuple[int, int],
) -> Excerpt:
    """Sort the notes; if several parts share a note, keep the longest."""
    order = np.lexsort((-duration, pitch, onset))
    onset, duration, pitch = onset[order], duration[order], pitch[order].astype(np.int64)
    fresh = np.append(True, (np.diff(onset) > 0) | (np.diff(pitch) != 0))
    return Excerpt(onset[fresh], duration[fresh], pitch[fresh], barlines, meter)
