"""Differences of two encoders: what is claimed on data whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulated_encoders import compared, encoders
from mess.probing.differences import Scores, compare, holm
from mess.probing.discovery import discover
from mess.probing.results import DiscoverySettings


def test_equal_encoders_are_not_told_apart() -> None:
    """In 5 % of the datasets, and two of ten are within the error of counting.

    `make validate` counts over more datasets.
    """
    found = [compared(seed) for seed in range(10)]
    claimed = sum(any(one != "not told apart" for one in each.verdicts) for each in found)
    assert claimed <= 2
    assert sum(each.mean_verdict != "not told apart" for each in found) <= 2
    alone = np.mean([(each.p <= 0.05).mean() for each in found])  # without Holm's correction
    assert 0 < alone <= 0.08


def test_an_encoder_that_is_deaf_to_a_target_is_found_out() -> None:
    found = [compared(500 + seed, deaf=True) for seed in range(6)]
    assert all(each.difference[0] > 0.5 for each in found)
    assert sum(each.verdicts[0] == "beats" for each in found) >= 5  # of 6
    claimed = sum(any(one != "not told apart" for one in each.verdicts[1:]) for each in found)
    assert claimed <= 1  # of 6: 5 % and the error of counting


def test_the_interval_is_that_of_the_paired_jackknife() -> None:
    """Errors that two encoders share do not make their difference uncertain."""
    rng = np.random.default_rng(0)
    shared, own = rng.normal(0, 0.05, (2, 60, 1))
    shared, own = shared - shared.mean(), own - own.mean()
    a = Scores(np.array([0.6]), shared + 0.1 * own)
    b = Scores(np.array([0.5]), shared)
    found = compare(a, b)
    moved = 0.5 * shared - 0.4 * (shared + 0.1 * own)  # by the errors, 1 − R²
    width = 3.92 * np.sqrt(np.square(moved).sum())
    assert (found.high - found.low)[0] == pytest.approx(width, rel=0.08)
    assert found.verdicts == ["beats"]
    assert compare(Scores(a.r2, a.influence[::-1]), b).verdicts == ["not told apart"]


def test_an_encoder_does_not_beat_itself_and_the_other_way_round_is_the_opposite() -> None:
    a, b, targets, works = encoders(3, deaf=True)
    names = [str(number) for number in range(targets.shape[1])]
    scores = []
    for features in (a, b):
        found = discover(
            features, targets, works, names=names, settings=DiscoverySettings(folds=5, bootstrap=10)
        )
        scores.append(Scores(np.array([one.nested.r2 for one in found.summaries]), found.influence))
    same = compare(scores[0], scores[0])
    assert set(same.verdicts) == {"not told apart"}
    np.testing.assert_allclose([same.difference, same.low, same.high], 0)
    there, back = compare(scores[0], scores[1]), compare(scores[1], scores[0])
    np.testing.assert_allclose(there.difference, -back.difference)
    np.testing.assert_allclose(there.low, -back.high)
    np.testing.assert_allclose(there.p, back.p)
    assert there.verdicts[0] == "loses" and back.verdicts[0] == "beats"


def test_a_target_that_one_does_not_know_is_not_compared() -> None:
    rng = np.random.default_rng(0)
    moves = rng.normal(0, 0.02, (30, 2))
    found = compare(Scores(np.array([0.9, np.nan]), moves), Scores(np.array([0.1, 0.2]), moves))
    assert found.verdicts == ["beats", None]
    assert found.mean == pytest.approx(0.8)
    assert found.p_holm[0] == found.p[0]
    nothing = compare(Scores(np.full(2, np.nan), moves), Scores(np.full(2, 0.5), moves))
    assert nothing.verdicts == [None, None] and nothing.mean_verdict is None


def test_nested_predictions_are_those_that_are_scored() -> None:
    a, _, targets, works = encoders(1, deaf=False)
    targets[:4, 1] = np.nan
    names = [str(number) for number in range(targets.shape[1])]
    found = discover(
        a, targets, works, names=names, settings=DiscoverySettings(folds=5, bootstrap=10)
    )
    assert np.isnan(found.nested[:4, 1]).all()
    np.testing.assert_allclose(found.influence.sum(axis=0), 0, atol=1e-9)
    for column, one in enumerate(found.summaries):
        rows = np.isfinite(targets[:, column])
        assert (found.nested[rows, column] == found.predicted[:, rows, column]).any(axis=0).all()
        error = total = 0.0
        for fold in np.unique(found.fold):
            held_out = rows & (found.fold == fold)
            mean = targets[rows & (found.fold != fold), column].mean()
            error += np.square(targets[held_out, column] - found.nested[held_out, column]).sum()
            total += np.square(targets[held_out, column] - mean).sum()
        assert one.nested.r2 == pytest.approx(1 - error / total)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_holm_lies_between_no_correction_and_bonferroni(values: list[float]) -> None:
    p = np.array(values)
    corrected = holm(p)
    assert (corrected >= p).all()
    assert (corrected <= np.minimum(p * len(p), 1) + 1e-12).all()
    assert corrected[np.argmin(p)] == pytest.approx(min(1.0, p.min() * len(p)))
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()


def test_rounding_is_no_difference() -> None:
    moves = np.random.default_rng(0).normal(0, 0.02, (40, 1))
    rounded = Scores(np.array([0.5 - 1e-9]), moves + 1e-9)
    found = compare(Scores(np.array([0.5]), moves), rounded)
    assert found.p[0] == 1.0
    assert found.verdicts == ["not told apart"]
