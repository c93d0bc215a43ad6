"""The tempo is read from the onset strength that single states predict, of works never seen."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from mess.audio.moments import frame_grid
from mess.curves.frames import Beats
from mess.experiments.in_frames import find_in_frames
from mess.experiments.passes import TrackStates
from mess.probing.candidates import choose
from mess.probing.folds import assign_folds
from mess.targets.analysis import analyse
from mess.targets.rhythm import tempo
from mess.targets.tempo_accuracy import click_track

TEMPI = np.array([66.0, 78.0, 90.0, 104.0, 118.0, 132.0, 148.0, 164.0, 72.0, 84.0, 97.0, 111.0])
FRAMES, RATE, DIM = 374, 75, 12  # a segment of MERT; fewer states than values of the onset strength
NAMES = ["spectral_centroid", "tempo"]


@pytest.fixture(scope="module")
def music() -> tuple[list[Beats], np.ndarray]:
    """Click tracks, and the targets of each; the tempo of the last is not known."""
    analyses = [analyse(click_track(bpm)) for bpm in TEMPI]
    measured = np.array([tempo(one.sounding()) for one in analyses])
    np.testing.assert_allclose(measured, TEMPI, rtol=0.04)
    targets = np.stack([np.full(len(TEMPI), np.nan), measured], axis=1)
    targets[-1] = np.nan
    return [Beats.of(one) for one in analyses], targets


def states_of(beats: list[Beats], *, told: tuple[bool, ...]) -> Iterator[TrackStates]:
    """Yield states of layers that know the music or do not, in noise."""
    grid = frame_grid(12 * 24_000, 24_000, frames=FRAMES, rate=RATE)
    for row, one in enumerate(beats):
        rng = np.random.default_rng(row)
        columns = one.columns(grid)
        noise = rng.standard_normal((len(told), len(columns), DIM))
        known = columns @ np.random.default_rng(99).standard_normal((columns.shape[1], DIM))
        states = noise + known * np.array(told)[:, None, None]
        yield TrackStates(row, states.astype(np.float16), grid.start, grid.seconds, columns)


def test_the_tempo_of_unseen_works_is_read_from_the_layer_that_knows_it(
    music: tuple[list[Beats], np.ndarray],
) -> None:
    beats, targets = music
    fold = assign_folds(np.arange(len(beats)), folds=4)
    found = find_in_frames(lambda: states_of(beats, told=(False, True)), targets, fold, names=NAMES)
    assert found is not None and found.tempo is not None
    assert found.tempo.recordings == len(beats) - 1
    assert found.tempo.layers == [0.0, 1.0]
    assert found.tempo.strength_r2 > 0.8
    assert found.tempo.accuracy_1 == found.tempo.accuracy_2 == found.tempo.coverage == 1.0
    chosen = choose(found.candidates, targets, fold, target=1)
    assert chosen is not None and chosen.r2 > 0.95
    assert chosen.shares.tolist() == [0.0, 1.0]
    assert choose(found.candidates, targets, fold, target=0) is None


def test_states_that_know_nothing_tell_no_tempo(music: tuple[list[Beats], np.ndarray]) -> None:
    beats, targets = music
    fold = assign_folds(np.arange(len(beats)), folds=4)
    found = find_in_frames(lambda: states_of(beats, told=(False,)), targets, fold, names=NAMES)
    assert found is not None and found.tempo is not None
    assert found.tempo.accuracy_1 <= 0.2
    assert found.tempo.strength_r2 < 0.05
    chosen = choose(found.candidates, targets, fold, target=1)
    assert chosen is None or chosen.r2 < 0.2


def test_the_inner_tempo_of_a_track_comes_from_fits_without_the_fold_that_is_held_out(
    music: tuple[list[Beats], np.ndarray],
) -> None:
    beats, targets = music
    fold = assign_folds(np.arange(len(beats)), folds=4)

    def spoiled() -> Iterator[TrackStates]:
        """Yield states that tell the opposite in one fold."""
        for one in states_of(beats, told=(True,)):
            sign = -1 if fold[one.row] == 0 else 1
            yield replace(one, states=sign * one.states)

    clean = find_in_frames(lambda: states_of(beats, told=(True,)), targets, fold, names=NAMES)
    other = find_in_frames(spoiled, targets, fold, names=NAMES)
    assert clean is not None and other is not None
    kept = np.isfinite(clean.candidates.inner[0, 0, :, 1])
    assert kept[fold != 0].all() and not kept[fold == 0].any()
    np.testing.assert_array_equal(
        clean.candidates.inner[0, 0, :, 1], other.candidates.inner[0, 0, :, 1]
    )
