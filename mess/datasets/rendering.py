"""Rendering: write a performance as a MIDI file and as audio.

The tones come from symusic's synthesizer with the soundfont that pretty_midi installs: one long
tone per pitch. This module gives each note its loudness, brightness and release, because the
synthesizer (symusic 0.5.8) ignores velocity and ends a tone abruptly.

- Loudness: 40 · log10(velocity / 127) dB, the default of the SoundFont 2.04 specification
  (section 8.4.1).
- Brightness: a low-pass filter of second order. Its cutoff falls with velocity, from 20 kHz by 4800
  cents. The default of the specification (8.4.2) is 2400 cents, for soundfonts with recordings at
  several velocities. On a piano, soft notes are darker than that.
- Release: after the key is released, the tone decays by 60 dB in 0.3 s, like a damped string.

The sustain pedal is not used.

A soundfont's instruments differ in level by more than 20 dB, as staccato and legato do. So each
recording gets one gain (`level_gain`), as a published recording does: its mean level moves to
`LEVEL`, but a quarter of the difference stays. The gain is the same from its beginning to its end.
So loudness inside a recording stays as it was played.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mess.datasets.expressive_performance import TICKS_PER_QUARTER, Performance
from mess.errors import MissingDependency

SAMPLE_RATE = 44_100
TAIL_SECONDS = 1.0
CEILING = 0.97  # of full scale; a louder recording is scaled down instead of clipped
LEVEL = -26.0  # dB re full scale, mean square of a recording: what its gain aims at
_USUAL_LEVEL = -32.0  # of a rendering without its gain
_KEPT_DIFFERENCE = 0.25  # of its distance from that level, in dB
_LARGEST_DIFFERENCE = 4.0  # dB that a recording may differ from `LEVEL` by its gain
_RELEASE_SECONDS = 0.3
_VELOCITY_BAND = 8  # notes with similar velocities share a filter
_OPEN_CUTOFF = 20_000.0  # Hz
_CLOSED_CENTS = 4800.0
_QUALITY = 1
INSTRUMENTS = {  # General MIDI, counted from 0
    "piano": 0,
    "electric piano": 4,
    "harpsichord": 6,
    "celesta": 8,
    "vibraphone": 11,
    "marimba": 12,
    "church organ": 19,
    "accordion": 21,
    "nylon guitar": 24,
    "harp": 46,
    "strings": 48,
    "choir": 52,
    "clarinet": 71,
}

Samples = NDArray[np.float32]
Tone = Callable[[int, int, float], Samples]


def soundfont_path() -> Path:
    """Return the soundfont that pretty_midi installs, without importing pretty_midi.

    Raises
    ------
    MissingDependency
        If pretty_midi or its soundfont is not installed.
    """
    package = find_spec("pretty_midi")
    if package is None or package.origin is None:
        raise MissingDependency("pretty_midi", "demo")
    path = Path(package.origin).parent / "TimGM6mb.sf2"
    if not path.is_file():
        raise MissingDependency("pretty_midi with its soundfont", "demo")
    return path


def midi_bytes(performance: Performance, *, name: str) -> bytes:
    """Return a standard MIDI file: the beats of the score, at the tempo of the performance.

    Raises
    ------
    MissingDependency
        If symusic is not installed.
    """
    symusic = _symusic()
    score = symusic.Score(TICKS_PER_QUARTER)
    score.time_signatures.append(symusic.TimeSignature(0, *performance.meter))
    tempi = zip(performance.tempo_onset.tolist(), performance.tempo_value.tolist(), strict=True)
    for tick, value in tempi:
        score.tempos.append(symusic.Tempo(tick, mspq=value))
    track = symusic.Track(name, performance.program, False)
    notes = zip(
        performance.onset.tolist(),
        performance.duration.tolist(),
        performance.pitch.tolist(),
        performance.velocity.tolist(),
        strict=True,
    )
    for onset, duration, pitch, velocity in notes:
        track.notes.append(symusic.Note(onset, duration, pitch, velocity))
    score.tracks.append(track)
    return bytes(score.dumps_midi())


def render(performance: Performance) -> Samples:
    """Render a performance as audio.

    Returns
    -------
    ndarray [shape=(n,)]
        Mono, at `SAMPLE_RATE`, before `level_gain`: notes of the same velocity and instrument are
        equally loud in all performances. Ends `TAIL_SECONDS` after the last release.

    Raises
    ------
    MissingDependency
        If symusic or the soundfont is not installed.
    """
    synthesizer = _synthesizer(str(soundfont_path()))

    def tone(program: int, pitch: int, seconds: float) -> Samples:
        return _tone(synthesizer, program, pitch, seconds)

    return _mix(performance, tone)


def level_gain(samples: Samples) -> float:
    """Return the factor that brings a rendering near the level of the others.

    Its level, the mean square in dB, becomes `LEVEL` plus a quarter of what it differed from a
    usual rendering, at most ±4 dB. If a peak would exceed `CEILING`, the factor is smaller.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]

    Returns
    -------
    float
        1 for silence.
    """
    power = float(np.mean(np.square(samples, dtype=np.float64))) if samples.size else 0.0
    if power <= 0:
        return 1.0
    level = 10 * np.log10(power)
    difference = _KEPT_DIFFERENCE * (level - _USUAL_LEVEL)
    wanted = LEVEL + float(np.clip(difference, -_LARGEST_DIFFERENCE, _LARGEST_DIFFERENCE))
    return float(min(10 ** ((wanted - level) / 20), CEILING / np.abs(samples).max()))


def _mix(performance: Performance, tone: Tone) -> Samples:
    """Mix the notes; notes of one velocity band pass through one filter."""
    from scipy.signal import butter, sosfilt

    start = np.rint(performance.seconds(performance.onset) * SAMPLE_RATE).astype(np.int64)
    released = performance.seconds(performance.onset + performance.duration)
    held = np.maximum(np.rint(released * SAMPLE_RATE).astype(np.int64) - start, 1)
    release = _release_curve()
    total = int((start + held).max()) + round(TAIL_SECONDS * SAMPLE_RATE)
    longest: dict[int, int] = {}
    for pitch, samples in zip(performance.pitch.tolist(), held.tolist(), strict=True):
        longest[pitch] = max(longest.get(pitch, 0), samples)
    tones = {
        pitch: tone(performance.program, pitch, (samples + release.size) / SAMPLE_RATE)
        for pitch, samples in longest.items()
    }
    mix = np.zeros(total, dtype=np.float32)
    bands = performance.velocity // _VELOCITY_BAND
    for band in np.unique(bands):
        layer = np.zeros(total, dtype=np.float32)
        for note in np.flatnonzero(bands == band):
            begin, length = int(start[note]), int(held[note])
            source = tones[int(performance.pitch[note])][: length + release.size]
            gain = np.float32((performance.velocity[note] / 127.0) ** 2)
            layer[begin : begin + length] += gain * source[:length]
            tail = source[length:] * release[: source.size - length] * gain
            layer[begin + length : begin + length + tail.size] += tail
        middle = (float(band) + 0.5) * _VELOCITY_BAND
        cutoff = _OPEN_CUTOFF * 2 ** (-_CLOSED_CENTS / 1200 * (1 - middle / 127))
        sections = butter(2, min(cutoff, _OPEN_CUTOFF), fs=SAMPLE_RATE, output="sos")
        mix += sosfilt(sections.astype(np.float32), layer)
    return mix


def _release_curve() -> Samples:
    time = np.arange(round(_RELEASE_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    return np.power(10.0, -3.0 * time / _RELEASE_SECONDS).astype(np.float32)


def _tone(synthesizer: Any, program: int, pitch: int, seconds: float) -> Samples:
    """Return a tone of one pitch, mono."""
    symusic = _symusic()
    score = symusic.Score(TICKS_PER_QUARTER)  # at 120 quarter notes a minute
    track = symusic.Track("", program, False)
    ticks = int(np.ceil(seconds * 2 * TICKS_PER_QUARTER)) + 1
    track.notes.append(symusic.Note(0, ticks, pitch, 127))
    score.tracks.append(track)
    sound = np.asarray(synthesizer.render(score, stereo=True), dtype=np.float32)
    mono: Samples = sound.mean(axis=0)[: round(seconds * SAMPLE_RATE)]
    return mono


@lru_cache(maxsize=1)
def _synthesizer(soundfont: str) -> Any:
    return _symusic().Synthesizer(sf_path=soundfont, sample_rate=SAMPLE_RATE, quality=_QUALITY)


def _symusic() -> Any:
    try:
        import symusic
    except ImportError:
        raise MissingDependency("symusic", "demo") from None
    return symusic
