"""Targets of the family "performance": what the MIDI of a recording tells and audio does not.

Task: from the notes and the pedal of a performance to one number each. They are known only where
a dataset has MIDI, and are probed like any other target there.

Conventions: seconds; velocities from 1 to 127; a chord is the notes that begin within 35 ms of
each other. A number that the notes do not define is NaN.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mess.errors import MessError, MissingDependency

Array = NDArray[np.float64]
_CHORD = 0.035  # seconds
_SUSTAIN, _PRESSED = 64, 64  # MIDI controller, and the value from which the pedal is down
_PULSE_RATE = 50  # frames per second of the onset curve behind the local tempo
_WINDOW, _HOP = 8.0, 2.0  # seconds
_PERIODS = 0.3, 1.2  # seconds between beats, shortest and longest
_STRAY = 1.35  # the local beat is looked for within this factor of the whole track's


@dataclass(frozen=True)
class Notes:
    """A performance as its MIDI records it.

    Attributes
    ----------
    onset, offset, pitch, velocity : ndarray [shape=(n,)]
        Sorted by onset.
    pedal : ndarray [shape=(m, 2)]
        When the sustain pedal went down and up.
    end : float
        When the last key is released.
    """

    onset: Array
    offset: Array
    pitch: Array
    velocity: Array
    pedal: Array
    end: float


def read_notes(path: Path) -> Notes:
    """Read the notes of a MIDI file, all its instruments together.

    Raises
    ------
    MessError
        If the file cannot be read as MIDI or has no note.
    MissingDependency
        If pretty_midi is not installed.
    """
    try:
        import pretty_midi
    except ImportError:
        raise MissingDependency("pretty_midi", "ml") from None
    try:
        midi = pretty_midi.PrettyMIDI(str(path))
    except Exception as error:  # its parser raises whatever the bytes lead it to
        reason = f"is no MIDI that can be read ({type(error).__name__})"
        raise MessError(f"{path}: {reason}; copy it again") from None
    played = [i for i in midi.instruments if not i.is_drum and i.notes]
    if not played:
        raise MessError(f"{path}: has no notes; copy it again")
    rows = np.array(
        [(n.start, n.end, n.pitch, n.velocity) for i in played for n in i.notes], dtype=np.float64
    )
    rows = rows[np.lexsort((rows[:, 2], rows[:, 0]))]
    onset, offset, pitch, velocity = rows.T
    end = float(offset.max())
    pedal = [span for i in played for span in _pedal_spans(i.control_changes, end)]
    return Notes(onset, offset, pitch, velocity, np.array(pedal).reshape(-1, 2), end)


def _pedal_spans(changes: list, end: float) -> list[tuple[float, float]]:
    spans, down = [], None
    for change in sorted(changes, key=lambda change: change.time):
        if change.number != _SUSTAIN:
            continue
        if change.value >= _PRESSED and down is None:
            down = float(change.time)
        elif change.value < _PRESSED and down is not None:
            spans.append((down, float(change.time)))
            down = None
    if down is not None:
        spans.append((down, end))
    return [(start, min(stop, end)) for start, stop in spans if start < end]


def _sounding(notes: Notes) -> float:
    return notes.end - float(notes.onset[0])


def note_density(notes: Notes) -> float:
    """Notes per second, from the first onset to the last release."""
    span = _sounding(notes)
    return len(notes.onset) / span if span > 0 else float("nan")


def velocity_mean(notes: Notes) -> float:
    """Mean velocity."""
    return float(notes.velocity.mean())


def velocity_spread(notes: Notes) -> float:
    """Standard deviation of velocity."""
    return float(notes.velocity.std())


def polyphony(notes: Notes) -> float:
    """Mean number of keys that are down while at least one is."""
    times = np.concatenate([notes.onset, notes.offset])
    steps = np.concatenate([np.ones(len(notes.onset)), -np.ones(len(notes.offset))])
    order = np.argsort(times, kind="stable")
    down, length = np.cumsum(steps[order])[:-1], np.diff(times[order])
    busy = float(length[down > 0].sum())
    return float((down * length).sum() / busy) if busy > 0 else float("nan")


def register(notes: Notes) -> float:
    """Mean pitch, weighted by how long each note sounds."""
    length = notes.offset - notes.onset
    return float(np.average(notes.pitch, weights=length)) if length.sum() > 0 else float("nan")


def articulation_ratio(notes: Notes) -> float:
    """Median over chords of the held time over the time to the next chord: legato is near 1.

    Only steps of at most 2 s count, so a rest is not taken for staccato (R. Bresin, G. U.
    Battel: Articulation strategies in expressive piano performance. JNMR 29, 2000).
    """
    starts, held = _chords(notes)
    if len(starts) < 2:
        return float("nan")
    step = np.diff(starts)
    ratio = (held[:-1] / step)[step <= 2.0]
    return float(np.median(ratio)) if len(ratio) else float("nan")


def _chords(notes: Notes) -> tuple[Array, Array]:
    """Return when each chord begins, and how long its shortest note is held."""
    first = np.flatnonzero(np.append(True, np.diff(notes.onset) > _CHORD))
    held = np.minimum.reduceat(notes.offset - notes.onset, first)
    return notes.onset[first], held


def tempo_spread(notes: Notes) -> float:
    """Standard deviation of the local tempo in octaves: 0 is strict time.

    The beat of each 8 s is the best match of the onset curve with itself, shifted, near the beat
    of the whole performance (the tempogram of P. Grosche, M. Müller, F. Kurth: Cyclic tempogram.
    ICASSP 2010, on notes instead of audio).
    """
    curve = np.zeros(int(notes.end * _PULSE_RATE) + 2)
    np.add.at(curve, (notes.onset * _PULSE_RATE).round().astype(int), 1.0)
    width = np.hanning(7)[1:-1]
    curve = np.convolve(np.minimum(curve, 3.0), width / width.sum(), mode="same")
    lags = np.arange(int(_PERIODS[0] * _PULSE_RATE), int(_PERIODS[1] * _PULSE_RATE) + 1)
    frames, hop = int(_WINDOW * _PULSE_RATE), int(_HOP * _PULSE_RATE)
    if len(curve) < 2 * frames:
        return float("nan")
    beat = lags[np.argmax(_match(curve, lags))]
    near = np.arange(int(beat / _STRAY), int(np.ceil(beat * _STRAY)) + 1)
    periods = [
        _peak(near, _match(curve[start : start + frames], near))
        for start in range(0, len(curve) - frames, hop)
    ]
    return float(np.std(np.log2(periods)))


def _match(curve: Array, lags: NDArray[np.int64]) -> Array:
    """Return how well a curve agrees with itself, shifted by each lag."""
    centred = curve - curve.mean()
    return np.array([float(centred[:-lag] @ centred[lag:]) / (len(curve) - lag) for lag in lags])


def _peak(lags: NDArray[np.int64], match: Array) -> float:
    """Return the lag of the highest match, between two lags where a parabola says so."""
    best = int(np.argmax(match))
    if not 0 < best < len(lags) - 1:
        return float(lags[best])
    left, middle, right = match[best - 1 : best + 2]
    curvature = left - 2 * middle + right
    shift = 0.5 * (left - right) / curvature if curvature < 0 else 0.0
    return float(lags[best] + np.clip(shift, -0.5, 0.5))


def pedal_ratio(notes: Notes) -> float:
    """Share of the time in which the sustain pedal is down."""
    span = _sounding(notes)
    if span <= 0:
        return float("nan")
    covered, last = 0.0, -np.inf
    for start, stop in notes.pedal[np.argsort(notes.pedal[:, 0])]:
        covered += max(0.0, stop - max(start, last))
        last = max(last, stop)
    return float(min(covered / span, 1.0))


FUNCTIONS: dict[str, Callable[[Notes], float]] = {
    function.__name__: function
    for function in (
        note_density,
        velocity_mean,
        velocity_spread,
        polyphony,
        register,
        articulation_ratio,
        tempo_spread,
        pedal_ratio,
    )
}
