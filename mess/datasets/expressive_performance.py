"""Expressive performance: play a score with tempo, dynamics, articulation and touch.

A score has strict time and one loudness. An `Interpretation` holds the parameters of a performance,
drawn from a seed. `perform` applies them to an excerpt and returns timed notes with velocities. The
models are simple forms of results that were measured on pianists, after the overview of Friberg,
Bresin and Sundberg (2006):

- phrases slow down and soften towards their boundaries (Todd 1992; Repp 1992, 1998), here a
  parabola for tempo and a rise and fall for loudness, per group of bars;
- the tempo decreases at the end like the speed of a stopping runner (Friberg and Sundberg 1999);
- higher notes and the melody are louder, and the melody leads by up to some 30 ms (Goebl 2001);
- a note sounds for a part of its notated length (staccato), up to an overlap with the next one
  (Bresin and Battel 2000);
- onsets and velocities scatter randomly.

Four properties can be changed one at a time (`with_change`). Each has its own random numbers, and
timing is stored in ticks of the score with a separate tempo. So a change of one property leaves the
others exactly as they were.

References
----------
N. P. M. Todd: The dynamics of dynamics: a model of musical expression. JASA 91(6), 1992.
B. H. Repp: Diversity and commonality in music performance: an analysis of timing microstructure
in Schumann's "Träumerei". JASA 92(5), 1992.
B. H. Repp: A microcosm of musical expression: I. Quantitative analysis of pianists' timing in the
initial measures of Chopin's Etude in E major. JASA 104(2), 1998.
A. Friberg, J. Sundberg: Does music performance allude to locomotion? A model of final ritardandi
derived from measurements of stopping runners. JASA 105(3), 1999.
R. Bresin, G. U. Battel: Articulation strategies in expressive piano performance. Journal of New
Music Research 29(3), 2000.
W. Goebl: Melody lead in piano performance: expressive device or artifact? JASA 110(1), 2001.
A. Friberg, R. Bresin, J. Sundberg: Overview of the KTH rule system for musical performance.
Advances in Cognitive Psychology 2(2-3), 2006.
"""

import zlib
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mess.datasets.sheet_music import Excerpt, Floats, Ints
from mess.errors import UnknownName

TICKS_PER_QUARTER = 960
PIANO = 0  # General MIDI program
MIN_VELOCITY, MAX_VELOCITY = 10, 124
_TEMPO_GRID = 0.5  # quarter notes between two tempo events
_KEY_GAP = 12  # ticks between the release of a key and its next stroke
_RITARDANDO_CURVATURE = 3.0  # q of Friberg and Sundberg; their runners brake with q = 3
_HIGH_LOUD = 0.08  # velocity per semitone

Change = Literal["tempo", "dynamics", "articulation", "instrument"]
CHANGES: tuple[Change, ...] = ("tempo", "dynamics", "articulation", "instrument")


@dataclass(frozen=True, kw_only=True)
class Interpretation:
    """The parameters of a performance.

    Attributes
    ----------
    tempo : float
        Quarter notes per minute before rubato.
    rubato : float
        Depth of the phrase arch in tempo; 0.3 is 20 % slower at phrase boundaries and 10 %
        faster in the middle.
    ritardando : float
        Tempo at the very end as a fraction of ``tempo``.
    phrase_bars : int
        Bars in a phrase.
    climax : float
        Where in a phrase the loudest point lies, 0 to 1.
    level : float
        Mean velocity.
    span : float
        Velocity from the softest to the loudest point of the dynamic curve.
    arch, trend, terrace : float
        The components of the dynamic curve: rise and fall in each phrase, a crescendo (positive)
        or diminuendo over the whole excerpt, a step from phrase to phrase.
    voicing : float
        How far the velocity of the top note exceeds that of the middle of its chord.
    touch : float
        Standard deviation of velocity from note to note.
    asynchrony, melody_lead : float
        Standard deviation of onsets, and how early the top note is; quarter notes.
    articulation : float
        Sounding over notated duration: 0.35 staccato, 1.05 legato.
    program : int
        General MIDI program, counted from 0.
    """

    tempo: float
    rubato: float
    ritardando: float
    phrase_bars: int
    climax: float
    level: float
    span: float
    arch: float
    trend: float
    terrace: float
    voicing: float
    touch: float
    asynchrony: float
    melody_lead: float
    articulation: float
    program: int = PIANO


@dataclass(frozen=True)
class Performance:
    """Timed notes; all times in ticks, `TICKS_PER_QUARTER` to a quarter note.

    Attributes
    ----------
    onset, duration, pitch, velocity : ndarray [shape=(n,), dtype=int]
        Sorted by onset, then by pitch.
    tempo_onset, tempo_value : ndarray [shape=(m,), dtype=int]
        Ticks, and microseconds per quarter note from there on.
    meter : tuple of int
        Time signature.
    program : int
        General MIDI program, counted from 0.
    """

    onset: Ints
    duration: Ints
    pitch: Ints
    velocity: Ints
    tempo_onset: Ints
    tempo_value: Ints
    meter: tuple[int, int]
    program: int

    def seconds(self, ticks: Ints) -> Floats:
        """Convert positions in ticks to seconds."""
        steps = np.diff(self.tempo_onset) * self.tempo_value[:-1]
        at_event = np.append(0, np.cumsum(steps))
        index = np.searchsorted(self.tempo_onset, ticks, side="right") - 1
        micro = at_event[index] + (ticks - self.tempo_onset[index]) * self.tempo_value[index]
        seconds: Floats = micro / (TICKS_PER_QUARTER * 1e6)
        return seconds

    @property
    def end(self) -> float:
        """When the last key is released, in seconds."""
        return float(self.seconds((self.onset + self.duration).max(keepdims=True))[0])


def random_stream(seed: int, *names: str) -> np.random.Generator:
    """Return a generator of random numbers that depends on the seed and the names alone."""
    return np.random.default_rng([seed, zlib.crc32("/".join(names).encode())])


def draw_interpretation(
    rng: np.random.Generator,
    *,
    base_tempo: float,
    tempo_bounds: tuple[float, float] = (0.0, np.inf),
    program: int = PIANO,
) -> Interpretation:
    """Draw the parameters of a performance, from ranges wide enough that recordings differ.

    Parameters
    ----------
    rng : Generator
    base_tempo : float
        A sensible tempo for the piece, quarter notes per minute; 0.7 to 1.35 of it is drawn,
        evenly on a logarithmic scale.
    tempo_bounds : tuple of float
        The slowest and the fastest tempo that may result.
    program : int
        The instrument; it changes nothing else.

    Returns
    -------
    Interpretation
    """
    drawn = base_tempo * float(np.exp(rng.uniform(np.log(0.7), np.log(1.35))))
    tempo = float(np.clip(drawn, *tempo_bounds))
    quarters_per_ms = tempo / 60_000
    span = float(rng.uniform(6, 66))
    return Interpretation(
        tempo=tempo,
        rubato=float(rng.uniform(0.0, 0.35)),
        ritardando=float(rng.uniform(0.5, 0.95)),
        phrase_bars=int(rng.choice([2, 4, 4, 8])),
        climax=float(rng.uniform(0.25, 0.8)),
        # A wide dynamic range leaves a narrower range for its middle.
        level=float(rng.uniform(44 + span / 4, 110 - span / 2)),
        span=span,
        arch=float(rng.uniform(0.3, 1.0)),
        trend=float(rng.uniform(-1.0, 1.0)),
        terrace=float(rng.uniform(0.0, 0.8)),
        voicing=float(rng.uniform(0, 14)),
        touch=float(rng.uniform(1, 5)),
        asynchrony=float(rng.uniform(3, 14)) * quarters_per_ms,
        melody_lead=float(rng.uniform(0, 30)) * quarters_per_ms,
        articulation=float(rng.uniform(0.35, 1.05)),
        program=program,
    )


def with_change(
    interpretation: Interpretation, change: Change, *, tempo_factor: float, program: int
) -> tuple[Interpretation, float]:
    """Change exactly one property, by an audible amount.

    Parameters
    ----------
    interpretation : Interpretation
    change : {"tempo", "dynamics", "articulation", "instrument"}
        Dynamics become flat if they were wide and wide if they were flat; likewise staccato and
        legato.
    tempo_factor : float
        Faster (above 1) or slower.
    program : int
        The other instrument.

    Returns
    -------
    Interpretation, float
        The changed parameters, and the new value: tempo factor, velocity span, duration ratio or
        program.
    """
    if change == "tempo":
        return replace(interpretation, tempo=interpretation.tempo * tempo_factor), tempo_factor
    if change == "dynamics":
        span = 6.0 if interpretation.span > 36 else 66.0
        return replace(interpretation, span=span), span
    if change == "articulation":
        ratio = 0.35 if interpretation.articulation > 0.7 else 1.05
        return replace(interpretation, articulation=ratio), ratio
    if change == "instrument":
        return replace(interpretation, program=program), float(program)
    raise UnknownName("change", change, CHANGES)


def perform(
    excerpt: Excerpt, interpretation: Interpretation, *, seed: int, name: str
) -> Performance:
    """Play an excerpt.

    Parameters
    ----------
    excerpt : Excerpt
    interpretation : Interpretation
    seed : int
    name : str
        The name of the recording. With ``seed`` it determines all random numbers. Recordings that
        differ in one property only have the same name.

    Returns
    -------
    Performance
    """
    tempo_onset, tempo_value = tempo_curve(excerpt, interpretation)
    onset = _onsets(excerpt, interpretation, random_stream(seed, name, "timing"))
    velocity = _velocities(
        excerpt,
        interpretation,
        steps=random_stream(seed, name, "terraces"),
        touch=random_stream(seed, name, "touch"),
    )
    duration = _durations(excerpt, interpretation, random_stream(seed, name, "articulation"))
    order = np.lexsort((excerpt.pitch, onset))
    onset, pitch = onset[order], excerpt.pitch[order]
    duration = _release_before_repetition(onset, duration[order], pitch)
    return Performance(
        onset=onset,
        duration=duration,
        pitch=pitch,
        velocity=velocity[order],
        tempo_onset=tempo_onset,
        tempo_value=tempo_value,
        meter=excerpt.meter,
        program=interpretation.program,
    )


def tempo_curve(excerpt: Excerpt, interpretation: Interpretation) -> tuple[Ints, Ints]:
    """Return tempo events: ticks, and microseconds per quarter note.

    In a phrase, at position p, speed is 1 + rubato · (1/3 − (2p − 1)²); towards the end it is
    (1 + (w³ − 1) u)^(1/3), where u runs from 0 to 1 over the last bars and w is the final tempo.
    """
    grid = np.arange(0.0, excerpt.quarters, _TEMPO_GRID)
    middle = grid + _TEMPO_GRID / 2
    position, _ = phrase_position(excerpt, interpretation.phrase_bars, middle)
    arch = 1 + interpretation.rubato * (1 / 3 - (2 * position - 1) ** 2)
    braking = min(max(4.0, excerpt.quarters / 12), excerpt.quarters)
    progress = np.clip((middle - (excerpt.quarters - braking)) / braking, 0.0, 1.0)
    q = _RITARDANDO_CURVATURE
    stopping = (1 + (interpretation.ritardando**q - 1) * progress) ** (1 / q)
    value = np.rint(60e6 / (interpretation.tempo * arch * stopping))
    return np.rint(grid * TICKS_PER_QUARTER).astype(np.int64), value.astype(np.int64)


def phrase_position(
    excerpt: Excerpt, phrase_bars: int, at: NDArray[np.float64]
) -> tuple[Floats, Ints]:
    """Return the relative position (0 to 1) within its phrase, and the number of the phrase."""
    bounds = excerpt.barlines[:-1:phrase_bars]
    if bounds.size > 1 and excerpt.quarters - bounds[-1] < (bounds[1] - bounds[0]) / 2:
        bounds = bounds[:-1]  # a remainder belongs to the phrase before it
    bounds = np.append(bounds, excerpt.quarters)
    index = np.clip(np.searchsorted(bounds, at, side="right") - 1, 0, bounds.size - 2)
    position = (at - bounds[index]) / (bounds[index + 1] - bounds[index])
    return np.clip(position, 0.0, 1.0), index.astype(np.int64)


def dynamic_curve(
    excerpt: Excerpt,
    interpretation: Interpretation,
    at: NDArray[np.float64],
    steps: np.random.Generator,
) -> Floats:
    """Return the planned velocity at positions in quarter notes.

    Arch, trend and terraces are summed by weight; the sum is scaled so that it spans
    ``interpretation.span`` over the excerpt, around ``interpretation.level``.
    """
    grid = np.linspace(0.0, excerpt.quarters, 256, endpoint=False)
    where = np.concatenate([grid, np.clip(at, 0.0, excerpt.quarters)])
    position, phrase = phrase_position(excerpt, interpretation.phrase_bars, where)
    heights = steps.uniform(-1.0, 1.0, size=int(phrase.max()) + 1)
    peak = interpretation.climax
    rise = np.where(position < peak, position / peak, (1 - position) / (1 - peak))
    curve = (
        interpretation.arch * np.sin(np.pi / 2 * rise)
        + interpretation.trend * where / excerpt.quarters
        + interpretation.terrace * heights[phrase]
    )
    low, high = curve[: grid.size].min(), curve[: grid.size].max()
    shape: Floats = (curve[grid.size :] - (low + high) / 2) / max(high - low, 1e-9)
    return interpretation.level + interpretation.span * shape


def _chords(excerpt: Excerpt) -> tuple[Ints, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the chord of each note, and whether it is the top or the bottom note of the chord."""
    new = np.append(True, np.diff(excerpt.onset) > 0)
    last = np.append(new[1:], True)
    return np.cumsum(new) - 1, last, new & ~last


def _onsets(excerpt: Excerpt, interpretation: Interpretation, rng: np.random.Generator) -> Ints:
    chord, top, _ = _chords(excerpt)
    together = rng.standard_normal(int(chord[-1]) + 1)[chord]
    alone = rng.standard_normal(excerpt.onset.size)
    scatter = interpretation.asynchrony * (0.6 * together + 0.8 * alone)
    lead = interpretation.melody_lead * (top & ~np.append(True, np.diff(excerpt.onset) > 0))
    ticks = np.rint((excerpt.onset + scatter - lead) * TICKS_PER_QUARTER)
    return np.maximum(ticks, 0).astype(np.int64)


def _velocities(
    excerpt: Excerpt,
    interpretation: Interpretation,
    *,
    steps: np.random.Generator,
    touch: np.random.Generator,
) -> Ints:
    _, top, bottom = _chords(excerpt)
    voice = np.where(top, 0.5, np.where(bottom, -0.2, -0.5)) * interpretation.voicing
    velocity = (
        dynamic_curve(excerpt, interpretation, excerpt.onset, steps)
        + voice
        + _HIGH_LOUD * (excerpt.pitch - 62)
        + interpretation.touch * touch.standard_normal(excerpt.pitch.size)
    )
    return np.clip(np.rint(velocity), MIN_VELOCITY, MAX_VELOCITY).astype(np.int64)


def _durations(excerpt: Excerpt, interpretation: Interpretation, rng: np.random.Generator) -> Ints:
    scatter = np.clip(1 + 0.05 * rng.standard_normal(excerpt.duration.size), 0.8, 1.2)
    quarters = excerpt.duration * interpretation.articulation * scatter
    return np.maximum(np.rint(quarters * TICKS_PER_QUARTER), 1).astype(np.int64)


def _release_before_repetition(onset: Ints, duration: Ints, pitch: Ints) -> Ints:
    """Shorten a note whose key is struck again before its end."""
    order = np.lexsort((onset, pitch))
    again = np.append(np.diff(pitch[order]) == 0, False)
    until = np.append(np.diff(onset[order]), 0)
    limited = np.minimum(duration[order], np.maximum(until - _KEY_GAP, 1))
    result = duration.copy()
    result[order] = np.where(again, limited, duration[order])
    return result
