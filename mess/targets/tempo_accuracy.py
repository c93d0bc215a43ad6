"""Tempo accuracy: how well the tempo is estimated, by the measures of the field.

Task: compare estimated tempi with annotated ones. Conventions are those of Gouyon et al. (2006).
Accuracy 1: an estimate is correct within 4 % of the annotation. Accuracy 2: an estimate is also
correct within 4 % of a half, a third, the double or the triple of the annotation, which count the
same music differently. A missing estimate is not correct; the coverage is the share of recordings
with an estimate. So an accuracy never exceeds the coverage.

Examples
--------
>>> import numpy as np
>>> tempo_accuracy(np.array([120.0, 60.0, np.nan, 90.0]), np.array([121.0, 120.0, 80.0, 120.0]))
TempoAccuracy(recordings=4, accuracy_1=0.25, accuracy_2=0.5, coverage=0.75)

References
----------
F. Gouyon et al.: An experimental comparison of audio tempo induction algorithms. IEEE TASLP 14(5),
2006.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mess.audio.decoding import Signal
from mess.errors import MissingDependency
from mess.records.reliability import TempoAccuracy
from mess.targets.analysis import TARGET_SAMPLE_RATE, analyse
from mess.targets.rhythm import tempo

Array = NDArray[np.float64]

TOLERANCE = 0.04
OCTAVES = (1 / 3, 1 / 2, 1.0, 2.0, 3.0)
CLICK_TEMPI = (40, *range(45, 240, 10), 240)  # BPM
SUBDIVISIONS = (1, 2, 3)  # clicks a beat
_CLICK_SECONDS = 12.0
_SUBDIVISION_LEVEL = -8.0  # dB; between the beats
_DECAY = 0.03  # seconds


def tempo_accuracy(estimates: Array, references: Array) -> TempoAccuracy:
    """Compare estimated tempi, NaN where there is none, with annotated ones.

    Raises
    ------
    ValueError
        If there is nothing to compare, or a reference is not a positive number.
    """
    if estimates.shape != references.shape or not references.size:
        raise ValueError(f"{estimates.size} estimates and {references.size} references")
    if not (np.isfinite(references) & (references > 0)).all():
        raise ValueError("a reference is no tempo")
    ratio = estimates[:, None] / (references[:, None] * np.array(OCTAVES))
    right = np.abs(ratio - 1) <= TOLERANCE  # False for NaN
    return TempoAccuracy(
        recordings=references.size,
        accuracy_1=float(right[:, OCTAVES.index(1.0)].mean()),
        accuracy_2=float(right.any(axis=1).mean()),
        coverage=float(np.isfinite(estimates).mean()),
    )


def click_track(bpm: float, *, subdivisions: int = 1, level: float = _SUBDIVISION_LEVEL) -> Signal:
    """Return 12 s of clicks: a decaying tone on each beat, softer ones between the beats.

    Parameters
    ----------
    bpm : float
    subdivisions : int
        Clicks a beat.
    level : float
        dB of the clicks between the beats.
    """
    rate = TARGET_SAMPLE_RATE
    samples = np.zeros(round(_CLICK_SECONDS * rate), dtype=np.float32)
    time = np.arange(round(0.2 * rate)) / rate
    click = 0.5 * np.sin(2 * np.pi * 1000 * time) * np.exp(-time / _DECAY)
    begins = np.arange(0.3, _CLICK_SECONDS - 0.3, 60 / bpm / subdivisions)
    for number, begin in enumerate(begins):
        first = round(begin * rate)
        gain = 1.0 if number % subdivisions == 0 else 10 ** (level / 20)
        samples[first : first + click.size] += (gain * click).astype(np.float32)
    return Signal(samples, rate, float(samples.mean()), float(samples.std()))


def click_accuracy() -> dict[int, TempoAccuracy]:
    """Return how well the tempo of click tracks from 40 to 240 BPM is found, by `SUBDIVISIONS`."""
    references = np.array(CLICK_TEMPI, dtype=np.float64)
    return {
        number: tempo_accuracy(
            np.array(
                [_estimated_tempo(click_track(bpm, subdivisions=number)) for bpm in CLICK_TEMPI]
            ),
            references,
        )
        for number in SUBDIVISIONS
    }


def false_tempi(*, signals: int = 10) -> float:
    """Return how often a tempo is estimated for notes at random times, which have none."""
    return float(
        np.mean([np.isfinite(_estimated_tempo(scattered_notes(seed))) for seed in range(signals)])
    )


def scattered_notes(seed: int) -> Signal:
    """Return 30 s of decaying tones that begin at random times, one to four a second."""
    rng, rate = np.random.default_rng([seed, 1]), TARGET_SAMPLE_RATE
    samples = np.zeros(30 * rate, dtype=np.float32)
    time = np.arange(round(0.3 * rate)) / rate
    for begin in rng.uniform(0, 29.5, rng.integers(30, 120)):
        tone = np.sin(2 * np.pi * rng.uniform(200, 2000) * time) * np.exp(-time / 0.08)
        first = round(begin * rate)
        samples[first : first + tone.size] += (rng.uniform(0.1, 0.5) * tone).astype(np.float32)
    return Signal(samples, rate, float(samples.mean()), float(samples.std()))


def notated_tempo(path: Path) -> float:
    """Return the median over time of the tempo that a MIDI file states, in quarters per minute.

    NaN for fewer than two tempo marks: recording software writes a single default tempo.

    Raises
    ------
    MissingDependency
        If pretty_midi is not installed.
    """
    try:
        import pretty_midi
    except ImportError:
        raise MissingDependency("pretty_midi", "demo") from None
    try:
        midi = pretty_midi.PrettyMIDI(str(path))
    except Exception:  # pretty_midi raises many kinds of errors on damaged files
        return float("nan")
    begins, tempi = midi.get_tempo_changes()
    if len(tempi) < 2:
        return float("nan")
    lengths = np.diff(np.append(begins, midi.get_end_time()))
    order = np.argsort(tempi)
    passed = np.cumsum(lengths[order])
    return float(tempi[order][np.searchsorted(passed, passed[-1] / 2)])


def _estimated_tempo(signal: Signal) -> float:
    return tempo(analyse(signal).sounding())
