"""Simulated beats: the tempo that is read from single states, where they know it and where not.

Each dataset has works of one recording with a tempo of its own. Onsets come at every beat and often
between beats. The states are noise, and one layer may know the onset strength.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mess.audio.moments import frame_grid
from mess.curves.frames import Beats
from mess.experiments.in_frames import find_in_frames
from mess.experiments.passes import TrackStates
from mess.probing.candidates import choose
from mess.probing.folds import assign_folds
from mess.targets.onsets import LEVEL_FLOOR
from mess.targets.rhythm import tempo_of_accents, weigh_onsets
from mess.targets.spectrum import FRAME_RATE

LAYERS, DIM, WORKS, SECONDS, RATE, FOLDS = 2, 8, 20, 20, 50, 5
PLANTED = 1


@dataclass(frozen=True)
class ReadTempo:
    """What was found in one simulated dataset.

    Attributes
    ----------
    accuracy_1 : float
    r2 : float
        Of the tempo, by the layer that each training fold chose.
    """

    accuracy_1: float
    r2: float


def beats_at(rng: np.random.Generator, bpm: float) -> Beats:
    """Draw onsets at every beat, and at half of the places between beats."""
    places = np.arange(0.2, SECONDS - 0.2, 30 / bpm)
    on_beat = np.arange(len(places)) % 2 == 0
    heard = on_beat | (rng.random(len(places)) < 0.5)
    strength = np.zeros(SECONDS * FRAME_RATE)
    level = np.full(strength.size, LEVEL_FLOOR / 2)
    for place, strong in zip(places[heard], on_beat[heard], strict=True):
        first = round(place * FRAME_RATE)
        strength[first : first + 3] = (6.0 if strong else 3.0) * np.array([0.5, 1.0, 0.5])
        level[first : first + 20] = -2.0 if strong else -8.0
    onsets = places[heard].astype(np.float32)
    return Beats(strength.astype(np.float16), level.astype(np.float16), onsets)


def simulate_tempo(seed: int, *, planted: bool) -> ReadTempo:
    """Draw a dataset and read its tempi as `mess probe` does."""
    rng = np.random.default_rng(seed)
    music = [beats_at(rng, bpm) for bpm in rng.uniform(60, 160, WORKS)]
    tempi = np.array([_tempo(one) for one in music])[:, None]
    fold = assign_folds(np.arange(WORKS), folds=FOLDS, seed=seed)
    grid = frame_grid(SECONDS * 16_000, 16_000, frames=5 * RATE, rate=RATE)
    mixing: NDArray[np.float64] | None = None
    tracks = []
    for row, one in enumerate(music):
        columns = one.columns(grid)
        states = rng.standard_normal((LAYERS, len(columns), DIM))
        mixing = rng.standard_normal((columns.shape[1], DIM)) if mixing is None else mixing
        if planted:
            states[PLANTED] += columns @ mixing
        tracks.append(TrackStates(row, states, grid.start, grid.seconds, columns))

    def passes() -> Iterator[TrackStates]:
        return iter(tracks)

    found = find_in_frames(passes, tempi, fold, names=["tempo"])
    if found is None or found.tempo is None:
        return ReadTempo(0.0, 0.0)
    chosen = choose(found.candidates, tempi, fold, target=0)
    r2 = 0.0 if chosen is None or chosen.r2 is None else chosen.r2
    return ReadTempo(found.tempo.accuracy_1, r2)


def _tempo(beats: Beats) -> float:
    """Return the tempo by the definition of the measured one."""
    accents = weigh_onsets(beats.strength.astype(np.float64), beats.level.astype(np.float64))
    return tempo_of_accents(accents, density=len(beats.onsets) / SECONDS)
