"""MIDI targets (the family "performance"): properties that MIDI states and audio does not.

Task: compute one number each from the notes and the pedal of a performance. These targets are known
only if a dataset has MIDI. There they are probed like any other target. A new MIDI target is one
function in this module, an entry in `FUNCTIONS`, and an entry in `mess.targets.registry`.

Conventions: times are in seconds and velocities from 1 to 127. A chord is a group of notes that
begin within 35 ms of each other. A number that the notes do not define is NaN.
"""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from mess.targets.midi_file import Notes

Array = NDArray[np.float64]
_CHORD = 0.035  # seconds
_PULSE_RATE = 100  # frames per second of the onset curve behind the local tempo
_WINDOW, _HOP = 8.0, 2.0  # seconds
_FEWEST = 8  # onsets that a window needs to have a tempo
_SHIFTS = 0.15, 1.0  # seconds by which the onset curve is shifted, least and most
_BINS = 48  # shifts in an octave
_STRAY = 0.5  # octaves; largest distance of the local tempo from the mean
_ROUNDS = 3
_BLOCK = 256  # windows whose autocorrelation is computed at once
_LONGEST = 24 * 3600  # seconds; a longer file is not a performance


def _sounding(notes: Notes) -> float:
    return notes.end - notes.start


def note_density(notes: Notes) -> float:
    """Return notes per second, from the first onset to the last release."""
    span = _sounding(notes)
    return len(notes.onset) / span if span > 0 else float("nan")


def velocity_mean(notes: Notes) -> float:
    """Return the mean velocity."""
    return float(notes.velocity.mean())


def velocity_spread(notes: Notes) -> float:
    """Return the standard deviation of velocity."""
    return float(notes.velocity.std())


def polyphony(notes: Notes) -> float:
    """Return the mean number of keys that are down while at least one is."""
    known = np.isfinite(notes.offset)
    times = np.concatenate([notes.onset[known], notes.offset[known]])
    steps = np.repeat([1.0, -1.0], known.sum())
    order = np.argsort(times, kind="stable")
    down, length = np.cumsum(steps[order])[:-1], np.diff(times[order])
    busy = float(length[down > 0].sum())
    return float((down * length).sum() / busy) if busy > 0 else float("nan")


def register(notes: Notes) -> float:
    """Return the mean pitch, weighted by the duration of each note."""
    length = np.nan_to_num(notes.offset - notes.onset)
    return float(np.average(notes.pitch, weights=length)) if length.sum() > 0 else float("nan")


def articulation_ratio(notes: Notes) -> float:
    """Return the median over chords of held time / time to the next chord: legato is near 1.

    Only steps of at most 2 s count, so a rest does not count as staccato (R. Bresin, G. U.
    Battel: Articulation strategies in expressive piano performance. JNMR 29, 2000).
    """
    _, ratio = held_ratios(notes)
    return float(np.median(ratio)) if len(ratio) else float("nan")


def held_ratios(notes: Notes) -> tuple[Array, Array]:
    """Return when each chord begins that tells an articulation, and its held ratio."""
    starts, held = _chords(notes)
    if len(starts) < 2:
        return np.empty(0), np.empty(0)
    step = np.diff(starts)
    told = (step <= 2.0) & np.isfinite(held[:-1])
    return starts[:-1][told], (held[:-1] / step)[told]


def _chords(notes: Notes) -> tuple[Array, Array]:
    """Return when each chord begins, and how long its shortest note is held."""
    first = np.flatnonzero(np.append(True, np.diff(notes.onset) > _CHORD))
    held = np.minimum.reduceat(notes.offset - notes.onset, first)
    return notes.onset[first], held


def tempo_spread(notes: Notes) -> float:
    """Return the standard deviation of the local tempo in octaves: 0 is strict time.

    The autocorrelation of the onset curve is computed in windows of 8 s (an autocorrelation
    tempogram, P. Grosche, M. Müller, F. Kurth: Cyclic tempogram. ICASSP 2010, on notes instead of
    audio). On a logarithmic axis of lags, a change of tempo shifts the whole autocorrelation. The
    local tempo is the shift at which a window agrees best with the mean over all windows, so no
    beat has to be chosen. Windows with fewer than 8 onsets are left out.
    """
    _, octaves = local_tempo(notes)
    return float(np.std(octaves)) if len(octaves) else float("nan")


def local_tempo(notes: Notes) -> tuple[Array, Array]:
    """Return the local tempo: the middles of windows of 8 s, and the deviations in octaves.

    The deviation is that from the mean over all windows; see `tempo_spread`.
    """
    measured = _tempogram(notes.onset)
    if measured is None:
        return np.empty(0), np.empty(0)
    middles, tempogram = measured
    middle = round(_STRAY * _BINS)
    size = tempogram.shape[1] - 2 * middle
    views = [tempogram[:, start : start + size] for start in range(2 * middle + 1)]
    lengths = np.stack([np.linalg.norm(view, axis=1) for view in views], axis=1)
    mean = views[middle].mean(axis=0)
    for _ in range(_ROUNDS):  # aligning the windows sharpens their mean
        alike = np.stack([view @ mean for view in views], axis=1) / lengths
        moved = alike.argmax(axis=1)
        mean = sliding_window_view(tempogram, size, axis=1)[np.arange(len(moved)), moved].mean(
            axis=0
        )
    octaves = (np.array([_peak(row) for row in alike]) - middle) / _BINS
    return middles, octaves


def _tempogram(onset: Array) -> tuple[Array, Array] | None:
    """Return the middle of each window, and its autocorrelation by logarithmic lag.

    Rests are shortened to the length of a window, so no window contains notes before and after one.
    """
    steps = np.minimum(np.diff(onset, prepend=onset[0]), _WINDOW)
    at = np.rint(np.cumsum(steps) * _PULSE_RATE).astype(np.int64)
    frames, hop = round(_WINDOW * _PULSE_RATE), round(_HOP * _PULSE_RATE)
    if not 2 * frames <= at[-1] <= _LONGEST * _PULSE_RATE:
        return None
    counts = np.bincount(at).astype(np.float64)
    shape = np.hanning(11)[1:-1]
    curve = np.convolve(np.minimum(counts, 3.0), shape / shape.sum(), mode="same")
    windows = sliding_window_view(curve, frames)[::hop]
    played = sliding_window_view(counts > 0, frames)[::hop].sum(axis=1) >= _FEWEST
    told = np.flatnonzero(played)
    if len(told) < 2:
        return None
    blocks = np.array_split(told, -(-len(told) // _BLOCK))
    middles = np.interp((told * hop + frames / 2) / _PULSE_RATE, np.cumsum(steps), onset)
    return middles, np.concatenate([_autocorrelation(windows[block]) for block in blocks])


def _autocorrelation(windows: Array) -> Array:
    """Return the autocorrelation of each window at logarithmic lags; it is 1 at lag 0."""
    frames = windows.shape[1]
    windows = windows - windows.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(windows, 2 * frames)) ** 2
    match = np.fft.irfft(power)[:, :frames] / (frames - np.arange(frames))
    low, high = _BINS * np.log2(np.array(_SHIFTS) * _PULSE_RATE)
    stray = _STRAY * _BINS
    shifts = 2 ** (np.arange(low - stray, high + stray) / _BINS)
    before = shifts.astype(np.int64)
    part = shifts - before
    values: Array = match[:, before] * (1 - part) + match[:, before + 1] * part
    return values / match[:, :1]


def _peak(row: Array) -> float:
    """Return the position of the maximum of a row, refined by a parabola."""
    best = int(np.argmax(row))
    if not 0 < best < len(row) - 1:
        return float(best)
    left, middle, right = row[best - 1 : best + 2]
    curvature = left - 2 * middle + right
    shift = 0.5 * (left - right) / curvature if curvature < 0 else 0.0
    return float(best + np.clip(shift, -0.5, 0.5))


def pedal_ratio(notes: Notes) -> float:
    """Return the share of the time from first onset to last release in which the pedal is down."""
    span = _sounding(notes)
    if span <= 0:
        return float("nan")
    covered, last = 0.0, notes.start
    for start, stop in notes.pedal[np.argsort(notes.pedal[:, 0])].clip(notes.start, notes.end):
        covered += max(0.0, stop - max(start, last))
        last = max(last, stop)
    return covered / span


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
