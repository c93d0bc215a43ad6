"""Curves that are computed from the MIDI of a recording.

Conventions: a curve is a function of the `Notes` and of the moments. It is defined from the first
key stroke to the last release. Values of single notes are averaged in a Gaussian window of some
0.6 s around each moment, and interpolated linearly where there is no note.
"""

from collections.abc import Callable

import numpy as np

from mess.curves.windows import Floats, Windows, density_of, mean_around, mean_over
from mess.targets.midi_file import Notes
from mess.targets.midi_targets import held_ratios, local_tempo

_WIDTH = 0.25  # seconds, standard deviation: of what single notes tell
_DENSITY_WIDTH = 1.0
_RATE = 100  # values per second of what is on or off


def velocity(notes: Notes, windows: Windows) -> Floats:
    """Return how hard keys are struck, 1 to 127."""
    return mean_around(notes.onset, notes.velocity, windows, width=_WIDTH, span=_span(notes))


def note_density(notes: Notes, windows: Windows) -> Floats:
    """Return how many notes are struck per second, in a Gaussian window of some 2.4 s."""
    return density_of(notes.onset, windows, width=_DENSITY_WIDTH, span=_span(notes))


def polyphony(notes: Notes, windows: Windows) -> Floats:
    """Return how many keys are down while at least one is."""
    known = np.isfinite(notes.offset)
    down = _how_many(notes.onset[known], notes.offset[known], windows)
    found = mean_over(np.where(down > 0, down, np.nan), windows, rate=_RATE)
    told = np.isfinite(found)
    if told.any():
        found = np.interp(windows.centre, windows.centre[told], found[told])
    return np.where(windows.within(*_span(notes)), found, np.nan)


def register(notes: Notes, windows: Windows) -> Floats:
    """Return how high the notes lie, as a MIDI pitch; each counts by its length."""
    length = np.nan_to_num(notes.offset - notes.onset, nan=0.0) + 1e-3
    return mean_around(
        notes.onset, notes.pitch, windows, width=_WIDTH, span=_span(notes), weights=length
    )


def tempo_deviation(notes: Notes, windows: Windows) -> Floats:
    """Return how much faster the music goes than it does on the whole, in octaves.

    See `mess.targets.midi_targets.local_tempo`. NaN everywhere where it tells no tempo.
    """
    times, octaves = local_tempo(notes)
    if not len(times):
        return np.full(len(windows.start), np.nan)
    found = np.interp(windows.centre, times, octaves)
    return np.where(windows.within(*_span(notes)), found, np.nan)


def articulation(notes: Notes, windows: Windows) -> Floats:
    """Return the held time over the time to the next chord: near 1 legato, well below detached."""
    times, ratios = held_ratios(notes)
    if not len(times):
        return np.full(len(windows.start), np.nan)
    return mean_around(times, ratios, windows, width=_WIDTH, span=_span(notes))


def pedal(notes: Notes, windows: Windows) -> Floats:
    """Return the share of the moment in which the pedal is down."""
    down, up = notes.pedal.clip(notes.start, notes.end).T
    held = np.minimum(_how_many(down, up, windows), 1.0)
    found = mean_over(held, windows, rate=_RATE)
    return np.where(windows.within(*_span(notes)), found, np.nan)


def _span(notes: Notes) -> tuple[float, float]:
    return notes.start, notes.end


def _how_many(begins: Floats, ends: Floats, windows: Windows) -> Floats:
    """Return how many of some stretches of time hold on, `_RATE` values per second."""
    n = int(np.ceil(max(windows.stop, 0.0) * _RATE)) + 1
    change = np.zeros(n + 1)
    for times, step in ((begins, 1.0), (ends, -1.0)):
        place = np.clip(np.rint(times * _RATE).astype(np.int64), 0, n)
        np.add.at(change, place, step)
    return np.cumsum(change)[:n]


FUNCTIONS: dict[str, Callable[[Notes, Windows], Floats]] = {
    function.__name__: function
    for function in (
        velocity,
        note_density,
        polyphony,
        register,
        tempo_deviation,
        articulation,
        pedal,
    )
}
