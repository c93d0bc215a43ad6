"""Phrases are read from what moments predict, by the definitions of the measured targets."""

from collections.abc import Iterator

import numpy as np
import pytest

from mess.audio.decoding import Signal
from mess.audio.moments import moment_grid
from mess.curves.phrases import READ, phrase_columns, read_phrases
from mess.curves.windows import Windows
from mess.experiments.in_phrases import find_in_phrases
from mess.experiments.passes import TrackStates
from mess.probing.candidates import choose
from mess.probing.folds import assign_folds
from mess.targets.analysis import TARGET_SAMPLE_RATE, analyse
from mess.targets.phrasing import num_phrases, phrase_regularity

TRACKS, MOMENTS, DIM = 24, 120, 40


def sections(lengths: list[float]) -> Signal:
    """Return one held chord for each length in seconds, each unlike the last."""
    rng, rate = np.random.default_rng(len(lengths)), TARGET_SAMPLE_RATE
    parts = []
    for number, length in enumerate(lengths):
        time = np.arange(round(length * rate)) / rate
        pitches = 48 + 12 * (number % 2) + rng.choice(12, 3, replace=False)
        chord = sum(np.sin(2 * np.pi * 440 * 2 ** ((p - 69) / 12) * time) for p in pitches)
        parts.append((0.1 if number % 2 else 0.25) * chord)
    samples = np.concatenate(parts).astype(np.float32)
    return Signal(samples, rate, float(samples.mean()), float(samples.std()))


@pytest.mark.parametrize("lengths", [[12.0] * 4, [9.0, 15.0, 11.0]])
def test_measured_columns_give_the_measured_targets(lengths: list[float]) -> None:
    signal = sections(lengths)
    analysis = analyse(signal)
    grid = moment_grid(signal.samples.size, signal.sample_rate)
    columns = phrase_columns(analysis, Windows.of(grid))
    told = np.isfinite(columns).all(axis=1)
    phrases, regularity = read_phrases(columns[told].astype(np.float64), grid.start[told])
    assert phrases == num_phrases(analysis.sounding()) == len(lengths)
    assert regularity == pytest.approx(phrase_regularity(analysis.sounding()), abs=0.1)


def tracks(*, told: bool) -> tuple[list[TrackStates], np.ndarray]:
    """Return tracks of one to nine phrases, and their targets; the second layer may know them."""
    mixing = np.random.default_rng(0).standard_normal((29, DIM))
    found, targets = [], []
    for row in range(TRACKS):
        rng = np.random.default_rng([row, told])
        phrases = 1 + row % 9
        ends = np.linspace(0, MOMENTS, phrases + 1).astype(int)
        columns = np.zeros((MOMENTS, 29))
        for first, last in zip(ends[:-1], ends[1:], strict=True):
            columns[first:last, :12] = np.sqrt(rng.dirichlet(np.full(12, 0.3)))
        start = np.arange(MOMENTS) / 2
        targets.append(read_phrases(columns, start))
        noise = rng.standard_normal((2, MOMENTS, DIM))
        noise[1] = 0.2 * noise[1] + told * (columns @ mixing)
        found.append(TrackStates(row, noise, start, 0.5, columns))
    return found, np.array(targets)


@pytest.mark.parametrize("told", [True, False])
def test_phrases_of_unseen_works_are_read_where_a_layer_knows_what_changes(told: bool) -> None:
    found, targets = tracks(told=told)
    fold = assign_folds(np.arange(TRACKS), folds=4)

    def passes() -> Iterator[TrackStates]:
        return iter(found)

    candidates = find_in_phrases(passes, targets, fold, names=READ)
    assert candidates is not None
    chosen = choose(candidates, targets, fold, target=READ.index("num_phrases"))
    assert chosen is not None and chosen.r2 is not None
    if told:
        assert chosen.r2 > 0.7
        assert chosen.shares.tolist() == [0.0, 1.0]
    else:
        assert chosen.r2 < 0.3
