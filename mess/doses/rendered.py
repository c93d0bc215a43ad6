"""Edits of the notes: a recording with MIDI is rendered with one thing changed by known steps.

Task: change what no filter can change alone: how hard keys are struck, how long they are held, on
which instrument. The notes of the excerpt are changed and rendered as the demo library is
(`mess.datasets.rendering`). The version without an edit is a rendering, too. What the MIDI says of
the changed notes is known, and need not be measured.

Conventions: the sustain pedal, which the renderer does not know, holds keys down until it is lifted
or they are struck again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mess.datasets.expressive_performance import (
    MAX_VELOCITY,
    MIN_VELOCITY,
    TICKS_PER_QUARTER,
    Performance,
)
from mess.datasets.rendering import INSTRUMENTS, SAMPLE_RATE, level_gain, render
from mess.edits.registry import Edit
from mess.errors import MessError
from mess.targets import Notes, compute_midi_targets

Samples = NDArray[np.float32]
Array = NDArray[np.float64]
_QUARTER = 500_000  # microseconds, at which ticks are written
_TICKS = TICKS_PER_QUARTER * 1e6 / _QUARTER  # a second
_GAP = 0.01  # seconds between the release of a key and its next stroke
_UNRELEASED = 1.0  # seconds for which a key sounds that is never released
_FEWEST = 8  # notes in an excerpt
_STRUCK = ("velocity_mean", "velocity_spread")
_TIMBRE = ("spectral_centroid", "spectral_rolloff", "spectral_bandwidth", "zero_crossing_rate")


@dataclass(frozen=True)
class NoteEdit:
    """A known change of the notes.

    Attributes
    ----------
    name, unit, doses, neutral, description, moves
        As of `mess.edits.registry.Edit`.
    function : callable
        (notes, dose) → notes.
    is_instrument : bool
        Whether a dose is the instrument, a program of General MIDI counted from 0.
    speed : callable
        Dose → how much faster the notes come.
    """

    name: str
    unit: str
    doses: tuple[float, ...]
    neutral: float | None
    description: str
    moves: tuple[str, ...]
    function: Callable[[Notes, float], Notes]
    is_instrument: bool = False
    speed: Callable[[float], float] = lambda _: 1.0


def played_faster(notes: Notes, speed: float) -> Notes:
    """Play all notes so many times as fast."""
    return replace(
        notes,
        onset=notes.onset / speed,
        offset=notes.offset / speed,
        pedal=notes.pedal / speed,
    )


def struck_wider(notes: Notes, factor: float) -> Notes:
    """Strike keys softer and harder than the mean by so many times as much."""
    mean = notes.velocity.mean()
    wider = np.rint(mean + factor * (notes.velocity - mean))
    return replace(notes, velocity=np.clip(wider, MIN_VELOCITY, MAX_VELOCITY))


def held_longer(notes: Notes, factor: float) -> Notes:
    """Hold keys so many times as long, until they are struck again at most."""
    offset = notes.onset + factor * (notes.offset - notes.onset)
    return replace(notes, offset=_before_next_stroke(notes.onset, offset, notes.pitch))


def transposed(notes: Notes, semitones: float) -> Notes:
    """Play all notes so many semitones higher."""
    return replace(notes, pitch=notes.pitch + semitones)


def _same_notes(notes: Notes, dose: float) -> Notes:  # noqa: ARG001 (the dose is the instrument)
    return notes


_LISTED = (
    NoteEdit(
        "played tempo",
        "times as fast",
        (0.7, 0.85, 1.2, 1.4),
        1.0,
        "The notes are played slower or faster.",
        ("tempo", "onset_density", "note_density"),
        played_faster,
        speed=lambda dose: dose,
    ),
    NoteEdit(
        "played dynamics",
        "times",
        (0.0, 0.5, 1.5, 2.0),
        1.0,
        "Soft and hard strokes lie nearer to each other, or farther apart.",
        (
            "velocity_spread",
            "dynamic_range",
            "dynamic_variance",
            "crescendo_strength",
            "diminuendo_strength",
        ),
        struck_wider,
    ),
    NoteEdit(
        "articulation",
        "times as long",
        (0.3, 0.6, 1.5),
        1.0,
        "Keys are held shorter or longer.",
        ("articulation_ratio", "polyphony", "attack_slopes"),
        held_longer,
    ),
    NoteEdit(
        "transposition",
        "semitones",
        (-6.0, -3.0, 3.0, 6.0),
        0.0,
        "The notes lie lower or higher.",
        ("register", *_TIMBRE),
        transposed,
    ),
    NoteEdit(
        "instrument",
        "General MIDI",
        tuple(
            sorted(
                float(INSTRUMENTS[name])
                for name in ("electric piano", "harpsichord", "marimba", "nylon guitar", "strings")
            )
        ),
        None,
        "The same notes on an electric piano, harpsichord, marimba, guitar, or by strings.",
        (*_TIMBRE, "attack_slopes", "attack_sharpness"),
        _same_notes,
        is_instrument=True,
    ),
)
NOTE_EDITS: dict[str, NoteEdit] = {edit.name: edit for edit in _LISTED}


def cut_notes(notes: Notes, *, start: float, seconds: float) -> Notes:
    """Return the notes that begin in a part of a recording, timed from its beginning.

    Raises
    ------
    MessError
        If there are hardly any.
    """
    inside = (notes.onset >= start) & (notes.onset < start + seconds)
    if inside.sum() < _FEWEST:
        raise MessError(f"fewer than {_FEWEST} notes of its MIDI lie in the excerpt")
    down, up = notes.pedal[:, 0], notes.pedal[:, 1]
    pedal = notes.pedal[(up > start) & (down < start + seconds)]
    return Notes(
        onset=notes.onset[inside] - start,
        offset=np.minimum(notes.offset[inside] - start, seconds),
        pitch=notes.pitch[inside],
        velocity=notes.velocity[inside],
        pedal=np.clip(pedal - start, 0.0, seconds),
    )


def midi_truth(notes: Notes, edit: Edit | None, dose: float) -> dict[str, float]:
    """Return the targets on MIDI of an excerpt after an edit of its sound.

    What the edit leaves alone is as it was. The strokes are not known where the edit changes how
    loud notes are against each other.

    Parameters
    ----------
    notes : Notes
        Of the excerpt.
    edit : Edit, optional
    dose : float
    """
    if edit is not None:
        notes = transposed(played_faster(notes, edit.speed(dose)), edit.semitones(dose))
    values = compute_midi_targets(notes)
    if edit is not None and not edit.keeps_strokes:
        values |= dict.fromkeys(_STRUCK, float("nan"))
    return values


def render_notes(notes: Notes, *, program: int, rate: int) -> Samples:
    """Render notes, at the level of the demo library.

    Parameters
    ----------
    notes : Notes
    program : int
        General MIDI, counted from 0.
    rate : int
        Hz of the result.

    Raises
    ------
    MissingDependency
        If the renderer is not installed.
    """
    import soxr

    samples = render(_performance(notes, program))
    samples = samples * np.float32(level_gain(samples))
    return np.asarray(soxr.resample(samples, SAMPLE_RATE, rate, quality="HQ"), dtype=np.float32)


def program_of(instrument: str) -> int:
    """Return the program of an instrument of the demo library; a piano for any other name."""
    return INSTRUMENTS.get(instrument, 0)


def _performance(notes: Notes, program: int) -> Performance:
    offset = np.where(np.isfinite(notes.offset), notes.offset, notes.onset + _UNRELEASED)
    for down, up in notes.pedal:
        held = (offset >= down) & (offset < up)
        offset = np.where(held, max(up, 0.0), offset)
    offset = _before_next_stroke(notes.onset, offset, notes.pitch)
    inside = (notes.pitch >= 0) & (notes.pitch <= 127)
    onset = np.rint(notes.onset[inside] * _TICKS).astype(np.int64)
    until = np.rint(offset[inside] * _TICKS).astype(np.int64)
    return Performance(
        onset=onset,
        duration=np.maximum(until - onset, 1),
        pitch=np.rint(notes.pitch[inside]).astype(np.int64),
        velocity=notes.velocity[inside].astype(np.int64),
        tempo_onset=np.array([0]),
        tempo_value=np.array([_QUARTER]),
        meter=(4, 4),
        program=program,
    )


def _before_next_stroke(onset: Array, offset: Array, pitch: Array) -> Array:
    """Return offsets, each before the next stroke of its key."""
    order = np.lexsort((onset, pitch))
    again = np.append(np.diff(pitch[order]) == 0, False)
    following = np.append(onset[order][1:], np.inf)
    limit = np.where(again, np.maximum(following - _GAP, onset[order] + 1e-3), np.inf)
    result = offset.copy()
    result[order] = np.minimum(offset[order], limit)
    return result
