"""Factor music: performances of two pieces in which each factor of the sound is varied alone.

Task: make recordings of which it is known what they share. A pair of pieces gives a cube with one
side for each factor: a *corner* takes each factor from the first or from the second side. So two
corners share exactly the factors in which they have the same side.

Factors
-------
* ``notes``: the order of sonorities (the pitches that are struck together). Those of the second
  piece are shifted by whole semitones to the register of the first.
* ``rhythm``: the pattern of the times between sonorities, at the same mean density.
* ``tempo``: 3 or 4.5 sonorities a second.
* ``timbre``: one of two instruments.
* ``dynamics``: a steady loudness, or a rise and fall in every eight sonorities.
* ``articulation``: each sonority sounds for 0.35 of the time to the next one, or for all of it.

All else is the same everywhere: no rubato, no ritardando, no unevenness. A corner always has
`EVENTS` sonorities.

Examples
--------
>>> import numpy as np
>>> from mess.datasets.sheet_music import Excerpt
>>> at = np.arange(EVENTS + 1.0)
>>> scale = Excerpt(at, np.ones(len(at)), 60 + np.arange(len(at)) % 8, at[::4], (4, 4))
>>> piece = read_material(scale, name="scale")
>>> float(piece.gaps.mean()), piece.sonorities[:2]
(1.0, ((60,), (61,)))
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mess.datasets.expressive_performance import Interpretation, Performance, perform
from mess.datasets.sheet_music import Excerpt, Floats

FACTORS = ("notes", "rhythm", "tempo", "timbre", "dynamics", "articulation")
EVENTS = 24  # sonorities of a recording
DENSITIES = (3.0, 4.5)  # sonorities a second
SPANS = (6.0, 66.0)  # velocity from the softest to the loudest
SOUNDING = (0.35, 1.0)  # share of the time to the next sonority
_OTHER_GAP = 1.25  # by this factor a gap is another one
_OTHER_RHYTHM = 1 / 3  # of the gaps differ at least
_LONGEST_GAP = 6.0  # times the mean: longer ones are rests between phrases
_LEVEL = 67.0
_WHOLE_BAR = 4
_TOGETHER = 1e-3  # quarter notes


@dataclass(frozen=True)
class Material:
    """What a piece gives to a pair.

    Attributes
    ----------
    name : str
    sonorities : tuple of tuple of int
        MIDI pitches that are struck together; `EVENTS` of them.
    gaps : ndarray [shape=(EVENTS,)]
        From each sonority to the next one, as a multiple of the mean gap.
    """

    name: str
    sonorities: tuple[tuple[int, ...], ...]
    gaps: Floats


@dataclass(frozen=True)
class Pair:
    """Two pieces and two instruments.

    Attributes
    ----------
    first, second : Material
    programs : tuple of int
        General MIDI programs, counted from 0.
    """

    first: Material
    second: Material
    programs: tuple[int, int]

    @property
    def name(self) -> str:
        """The names of both pieces."""
        return f"{self.first.name} / {self.second.name}"


def read_material(excerpt: Excerpt, *, name: str) -> Material | None:
    """Return the first sonorities of an excerpt and their rhythm; None if there are too few."""
    new = np.append(True, np.diff(excerpt.onset) > _TOGETHER)
    onsets = excerpt.onset[new]
    if len(onsets) <= EVENTS:
        return None
    chord = np.cumsum(new) - 1
    gaps = np.minimum(np.diff(onsets[: EVENTS + 1]), _LONGEST_GAP * np.diff(onsets).mean())
    return Material(
        name,
        tuple(tuple(excerpt.pitch[chord == event].tolist()) for event in range(EVENTS)),
        gaps / gaps.mean(),
    )


def can_pair(first: Material, second: Material) -> bool:
    """Tell whether two pieces differ in notes and in rhythm: two plain pulses do not."""
    ratio = np.maximum(first.gaps / second.gaps, second.gaps / first.gaps)
    same = [one == other for one, other in zip(first.sonorities, second.sonorities, strict=True)]
    return bool((ratio > _OTHER_GAP).mean() >= _OTHER_RHYTHM and np.mean(same) < _OTHER_RHYTHM)


def pair_up(
    pieces: Iterable[Material], *, left: list[Material]
) -> Iterator[tuple[Material, Material]]:
    """Yield pairs of pieces that differ in notes and rhythm; each piece is in one pair.

    Parameters
    ----------
    pieces : iterable of Material
    left : list of Material
        Those that found no other yet; changed in place.
    """
    for piece in pieces:
        place = next((n for n, one in enumerate(left) if can_pair(one, piece)), None)
        if place is None:
            left.append(piece)
        else:
            yield left.pop(place), piece


def corners(factors: Sequence[str] = FACTORS) -> list[int]:
    """Return the corners that triplets need.

    A corner is a number whose bit f says on which side it is in factor f. Of all 2^F corners, the
    two opposite ones are needed, and those that differ from one of them in one factor.

    >>> corners(("notes", "rhythm", "tempo"))
    [0, 7, 1, 6, 2, 5, 4, 3]
    """
    every = (1 << len(factors)) - 1
    single = [1 << place for place in range(len(factors))]
    return list(dict.fromkeys([0, every, *(c for bit in single for c in (bit, every ^ bit))]))


def play_corner(pair: Pair, corner: int) -> Performance:
    """Return the performance of one corner of a pair."""
    side = {factor: corner >> place & 1 for place, factor in enumerate(FACTORS)}
    notes = (pair.first.sonorities, _in_register(pair.second, pair.first))[side["notes"]]
    gaps = (pair.first.gaps, pair.second.gaps)[side["rhythm"]]
    starts = np.concatenate([[0.0], np.cumsum(gaps)])
    onset = np.concatenate([np.full(len(notes[event]), starts[event]) for event in range(EVENTS)])
    duration = np.concatenate([np.full(len(notes[event]), gaps[event]) for event in range(EVENTS)])
    excerpt = Excerpt(
        onset,
        duration,
        np.concatenate([np.array(one, dtype=np.int64) for one in notes]),
        np.arange(0.0, starts[-1] + _WHOLE_BAR, _WHOLE_BAR),
        (_WHOLE_BAR, 4),
    )
    plain = Interpretation(
        tempo=60 * DENSITIES[side["tempo"]],
        rubato=0.0,
        ritardando=1.0,
        phrase_bars=2,
        climax=0.5,
        level=_LEVEL,
        span=SPANS[side["dynamics"]],
        arch=1.0,
        trend=0.0,
        terrace=0.0,
        voicing=0.0,
        touch=0.0,
        asynchrony=0.0,
        melody_lead=0.0,
        articulation=SOUNDING[side["articulation"]],
        program=pair.programs[side["timbre"]],
    )
    return perform(excerpt, plain, seed=0, name=pair.name)


def _in_register(piece: Material, like: Material) -> tuple[tuple[int, ...], ...]:
    """Return the sonorities of a piece, shifted so that the median pitches are the same."""
    own, wanted = (
        float(np.median([pitch for one in of.sonorities for pitch in one])) for of in (piece, like)
    )
    shift = round(wanted - own)
    return tuple(tuple(pitch + shift for pitch in one) for one in piece.sonorities)
