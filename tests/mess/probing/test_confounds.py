"""Readings with a confound held apart, and beside it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulated_untangling import simulate_confound
from mess.errors import MessError
from mess.probing.confounds import Confound, apart_splits, hold_apart
from mess.probing.splits import partial_scores, probe_splits, splits_of

WORKS = np.arange(60)


def test_a_reading_of_the_instrument_falls_and_a_true_one_stays() -> None:
    found = [simulate_confound(seed) for seed in range(5)]
    assert min(one.instrument_usual for one in found) > 0.4
    assert np.median([one.instrument_apart for one in found]) <= 0
    assert np.median([one.instrument_partial for one in found]) <= 0.05
    assert min(min(one.true_apart, one.true_partial) for one in found) > 0.5


@given(st.integers(0, 30), st.integers(3, 9))
def test_no_level_and_no_work_is_in_training_and_test(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    level = np.concatenate([np.arange(levels), rng.integers(levels, size=60)]).astype(str)
    works = rng.integers(15, size=level.size)  # a work may be played on several instruments
    tested = np.zeros(level.size, dtype=int)
    for train, test in apart_splits(level, works, folds=5, seed=seed):
        assert not set(level[train]) & set(level[test])
        assert not set(works[train]) & set(works[test])
        tested += test
    assert (tested == 1).all()


def test_numbers_have_their_quarters_as_levels_and_unknown_ones_none() -> None:
    numbers = np.append(np.arange(40.0), np.nan)
    confound = Confound.of_numbers("loudness", numbers)
    assert [(confound.levels == str(one)).sum() for one in (1, 2, 3, 4)] == [10, 10, 10, 10]
    assert not confound.known[-1] and not confound.design[-1].any()


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ([""] * 60, "no track states it"),
        (["piano"] * 60, "1 level, 3 needed"),
        (["piano", "organ"] * 30, "2 levels, 3 needed"),
        (["piano"] * 55 + ["organ"] * 3 + ["harp"] * 2, "55 of 60 tracks are of one level (piano)"),
    ],
)
def test_what_cannot_be_held_apart_says_why(labels: list[str], why: str) -> None:
    confound = Confound.of_labels("instrument", labels)
    assert confound.why_not(WORKS) == why
    with pytest.raises(MessError, match="instrument cannot be held apart"):
        hold_apart(np.ones((60, 1, 2)), np.ones((60, 1)), WORKS, names=["a"], confound=confound)


def test_rows_of_unknown_level_take_no_part_in_any_score() -> None:
    rng = np.random.default_rng(0)
    layer = rng.standard_normal((80, 1, 5))
    labels = np.array(["a", "b", "c", "d"] * 15 + [""] * 20)
    target = layer[:, 0, :1].copy()
    target[60:] = 1e6  # would spoil every score
    (found,) = hold_apart(
        layer,
        target,
        np.arange(80),
        names=["t"],
        confound=Confound.of_labels("instrument", labels),
        folds=4,
    )
    assert min(found.usual or 0, found.apart or 0, found.partial or 0) > 0.95
    assert found.alone is not None and found.alone < 0.1


def test_partial_r2_is_the_share_of_what_was_left_untold() -> None:
    rng = np.random.default_rng(1)
    given_, more, noise = rng.standard_normal((3, 200))
    target = (given_ + more + noise)[:, None]  # a third each
    splits = splits_of(np.arange(200) % 5)
    rows = np.column_stack([given_, more])[:, None]
    together = probe_splits(rows, target, np.arange(200), splits=splits)
    alone = probe_splits(rows[:, :, :1], target, np.arange(200), splits=splits)
    found = partial_scores(together, alone)
    assert found.r2[0] == pytest.approx((together.r2[0] - alone.r2[0]) / (1 - alone.r2[0]))
    assert 0.1 < found.low[0] < found.r2[0] < found.high[0] < 0.7
