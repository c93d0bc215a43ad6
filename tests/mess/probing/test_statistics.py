"""Intervals cover, chance is called chance, and a planted layer is among the best."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, rankdata
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from mess.probing.controls import label_mean
from mess.probing.differences import Scores, compare
from mess.probing.discovery import discover
from mess.probing.layers import choose_layers, weigh_layers
from mess.probing.max_t import (
    false_discovery_rate,
    shuffle_keys,
    shuffled_rows,
    significance,
    significance_of_predictions,
)
from mess.probing.metrics import average_ranks, is_only_mean, spearman
from mess.probing.probes import out_of_fold
from mess.probing.remarks import HOLDS_ZERO, NO_BETTER, NO_INTERVAL, ONLY_MEAN, remarks
from mess.probing.results import Cell, DiscoverySettings
from mess.probing.statistics import (
    best_layers,
    influence,
    interval,
    resampled_r2,
    works_drawn,
)


def within_reach(scaler: StandardScaler, x: np.ndarray, *, rows: int) -> np.ndarray:
    """Standardise; no value counts as farther from the mean than one of the rows fitted can be."""
    farthest = np.sqrt(rows - 1)
    return np.clip(scaler.transform(x), -farthest, farthest)


def planted(*, works: int, seed: int, layers: int = 4, noise: float = 1.0) -> tuple:
    """Three rows a work; the target lies in layer 2 and is blurred; works have their own sound."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(works), 3)
    x = rng.standard_normal((works, layers, 12))[groups] + rng.standard_normal(
        (3 * works, layers, 12)
    )
    y = x[:, 2, :3].sum(axis=1) + noise * rng.standard_normal(3 * works)
    return x, y[:, None], groups


@given(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=40))
def test_q_is_scipys(p: list[float]) -> None:
    expected = false_discovery_control(p, method="bh")
    np.testing.assert_allclose(false_discovery_rate(np.array(p)), expected)


@given(sizes=st.lists(st.integers(1, 6), min_size=3, max_size=20), seed=st.integers(0, 9))
def test_a_shuffle_gives_every_work_the_rows_of_one_other(sizes: list[int], seed: int) -> None:
    groups = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    keys = shuffle_keys(len(sizes), permutations=5, seed=seed)
    for rows in shuffled_rows(groups, keys=keys, seed=seed):
        sources = [set(groups[rows[groups == work]]) for work in range(len(sizes))]
        assert all(len(source) == 1 for source in sources)
        assert set.union(*sources) == set(range(len(sizes)))
        for work, size in enumerate(sizes):
            taken = rows[groups == work]
            available = int((groups == next(iter(sources[work]))).sum())
            assert len(set(taken)) == min(size, available)


def test_shuffles_are_the_same_where_rows_are_missing() -> None:
    groups = np.repeat(np.arange(8), 2)
    keys = shuffle_keys(8, permutations=20)
    some = groups != 3
    whole, part = shuffled_rows(groups, keys=keys), shuffled_rows(groups[some], keys=keys)
    order = groups[whole[:, ::2]]
    kept = groups[some][part[:, ::2]]
    for all_works, few in zip(order, kept, strict=True):
        without = [work for work in np.argsort(np.argsort(all_works)) if work != 3]
        assert sorted(few) == sorted(without)


@pytest.mark.parametrize(("n", "d"), [(24, 40), (40, 8)])
def test_a_shuffle_scores_what_a_plain_loop_scores(n: int, d: int) -> None:
    rng = np.random.default_rng(n)
    x, y = rng.standard_normal((n, d)), rng.standard_normal((n, 2))
    groups = np.repeat(np.arange(n // 2), 2)
    fold = groups % 4
    rows = shuffled_rows(groups, keys=shuffle_keys(n // 2, permutations=3))
    found = out_of_fold(x, y, groups, fold=fold, alphas=[5.0], shuffled=rows)
    for draw, source in enumerate(rows):
        moved = y[source]
        error = total = np.zeros(2)
        for held_out in range(4):
            test = fold == held_out
            scaler = StandardScaler().fit(x[~test])
            model = Ridge(alpha=5.0).fit(scaler.transform(x[~test]), moved[~test])
            guess = model.predict(within_reach(scaler, x[test], rows=int((~test).sum())))
            error = error + np.square(moved[test] - guess).sum(axis=0)
            total = total + np.square(moved[test] - moved[~test].mean(axis=0)).sum(axis=0)
        np.testing.assert_allclose(found.shuffled.null[draw], 1 - error / total, atol=1e-5)


def test_chance_is_called_chance_and_a_planted_cell_is_not() -> None:
    x, y, groups = planted(works=30, seed=0)
    y = np.hstack([y, np.random.default_rng(1).standard_normal((90, 3))])
    found = discover(
        x,
        y,
        groups,
        names=["real", "a", "b", "c"],
        settings=DiscoverySettings(folds=6, permutations=199),
    )
    for cell in found.cells:
        assert cell.p is not None and cell.p_family is not None and cell.q is not None
        assert 1 / 200 <= cell.p <= cell.p_family <= 1
        assert cell.p <= cell.q
        if (cell.target, cell.layer) == ("real", 2):
            assert cell.p_family <= 0.01
            assert cell.r2 is not None and cell.low is not None and cell.high is not None
            assert 0 < cell.low < cell.r2 < cell.high < 1
        elif cell.target != "real":
            assert cell.p_family > 0.02


def test_the_planted_layer_wins_and_nested_choice_finds_it() -> None:
    x, y, groups = planted(works=30, seed=3)
    found = discover(x, y, groups, names=["t"], settings=DiscoverySettings(folds=6))
    (summary,) = found.summaries
    assert summary.best == 2
    assert 2 in summary.within
    assert sum(summary.wins) == pytest.approx(1)
    assert summary.wins[2] > 0.9
    assert summary.nested.layers[2] > 0.9
    assert sum(summary.weighted.layers) == pytest.approx(1)
    assert summary.weighted.layers[2] > 0.8
    best = next(cell for cell in found.cells if cell.layer == 2)
    assert summary.nested.r2 == pytest.approx(best.r2, abs=0.05)


def test_the_best_of_many_is_optimistic_and_the_nested_choice_is_not() -> None:
    rng = np.random.default_rng(0)
    best, nested = [], []
    for seed in range(6):
        x = rng.standard_normal((60, 12, 3))
        y = rng.standard_normal((60, 1))
        found = discover(
            x,
            y,
            np.arange(60),
            names=["t"],
            settings=DiscoverySettings(folds=5, alpha=1.0, seed=seed, bootstrap=10),
        )
        best.append(max(cell.r2 or 0 for cell in found.cells))
        nested.append(found.summaries[0].nested.r2)
    assert np.mean(best) > np.mean(nested)
    assert np.mean(nested) < 0


def test_nested_choice_does_not_see_the_held_out_fold() -> None:
    x, y, groups = planted(works=20, seed=5)
    before = discover(x, y, groups, names=["t"], settings=DiscoverySettings(folds=4))
    fold = before.fold
    moved = y.copy()
    moved[fold == 1] = 1000 * np.random.default_rng(0).standard_normal(moved[fold == 1].shape)
    after = discover(x, moved, groups, names=["t"], settings=DiscoverySettings(folds=4))
    np.testing.assert_allclose(
        before.predicted[:, fold == 1], after.predicted[:, fold == 1], rtol=1e-8
    )


def test_weights_are_a_convex_combination_that_mixes_what_helps() -> None:
    rng = np.random.default_rng(0)
    y = rng.standard_normal(400)
    inner = np.stack(
        [y + rng.standard_normal(400), y + rng.standard_normal(400), 9 * rng.standard_normal(400)]
    )[:, None]
    weights = weigh_layers(y, inner)
    assert weights.shape == (1, 3)
    assert weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(weights[0], [0.5, 0.5, 0.0], atol=0.1)
    assert choose_layers(y, inner).tolist() in ([0], [1])


def test_significance_counts_the_observed_as_a_shuffle() -> None:
    null = np.random.default_rng(0).standard_normal((99, 5)) - 3
    observed = np.array([2.0, -3.0, np.nan, -9.0, -2.9])
    found = significance(observed, null)
    assert found.p[0] == found.p_family[0] == pytest.approx(0.01)
    assert np.isnan([found.p[2], found.p_family[2], found.q[2]]).all()
    assert found.p[3] == pytest.approx(1)


def test_a_probe_that_predicts_only_the_mean_has_neither_ranks_nor_layers() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 2)
    x = rng.standard_normal((40, 3, 6))
    y = np.stack([rng.standard_normal(40), x[:, 1, 0]], axis=1)
    # A penalty without measure leaves the mean of the training rows, and nothing else.
    found = discover(
        x, y, groups, names=["noise", "known"], settings=DiscoverySettings(alpha=1e9, folds=10)
    )
    for cell in found.cells:
        assert cell.only_mean
        assert cell.spearman is None
        assert cell.r2 == pytest.approx(0, abs=1e-6)
        rows = np.isfinite(found.predicted[cell.layer, :, 0])
        column = ["noise", "known"].index(cell.target)
        guess = found.predicted[cell.layer, rows, column]
        assert (spearman(y[rows, column], guess) or 0) < -0.1  # what was shown before
    for summary in found.summaries:
        assert not summary.beyond_mean
        assert summary.within == []
        assert summary.nested.spearman is summary.weighted.spearman is None
    read = discover(x, y, groups, names=["noise", "known"], settings=DiscoverySettings(folds=10))
    known = read.summaries[1]
    assert (known.best, known.within, known.beyond_mean) == (1, [1], True)
    assert known.nested.spearman is not None and known.nested.spearman > 0.9
    (mean, _) = label_mean("training mean", [""] * 40, y, groups, names=["noise", "known"])
    assert (mean.r2, mean.spearman) == (0, None)


def test_predictions_that_hardly_vary_tell_nothing_beyond_the_mean() -> None:
    y = np.random.default_rng(0).standard_normal(200)
    for share, only_mean in ((0.03, True), (0.08, False)):
        assert is_only_mean(y, share * y, np.zeros(200)) == only_mean


def test_predictions_are_significant_only_where_they_follow_the_truth() -> None:
    rng = np.random.default_rng(0)
    works = np.repeat(np.arange(30), 2)
    y = rng.standard_normal((30, 3))[works] + 0.3 * rng.standard_normal((60, 3))
    predicted = np.column_stack(
        [0.6 * y[:, 0], 0.6 * rng.standard_normal(30)[works], -0.6 * y[:, 2]]
    )
    y[:4, 0] = np.nan  # a target that some rows lack
    p = significance_of_predictions(y, predicted, works, fold=works % 5, permutations=199)
    assert p[0] <= 0.01
    assert p[1] > 0.2
    assert p[2] > 0.9  # a reversed prediction is none
    nothing = np.full(60, -1)
    assert np.isnan(significance_of_predictions(y, predicted, works, fold=nothing)).all()


def test_under_ten_works_there_is_no_interval_and_no_encoder_beats_another() -> None:
    for works in (9, 10):
        x, y, groups = planted(works=works, seed=0)
        found = discover(x, y, groups, names=["t"], settings=DiscoverySettings(folds=5))
        ends = [cell.low for cell in found.cells] + [found.summaries[0].nested.high]
        assert [end is None for end in ends] == [works < 10] * len(ends)
        good, poor = (Scores(np.array([r2]), found.influence * 0) for r2 in (0.9, 0.1))
        told = compare(good, poor)
        assert told.verdicts == ["not told apart" if works < 10 else "beats"]
        assert np.isnan(told.low[0]) == (works < 10)
        assert told.difference[0] == pytest.approx(0.8)


def test_what_must_be_said_beside_a_cell() -> None:
    cell = Cell(0, "t", r2=0.2, spearman=0.5, rmse=1.0, fold_r2=[], alpha=[], n=90, works=45)
    doubtful = replace(cell, low=-0.1, high=0.4, p_family=0.05)
    assert remarks(doubtful) == [HOLDS_ZERO]
    assert remarks(replace(doubtful, low=0.01)) == remarks(replace(doubtful, p_family=0.06)) == []
    assert remarks(replace(doubtful, r2=None)) == []
    assert remarks(replace(doubtful, r2=-0.1, p_family=None)) == [NO_BETTER]
    assert remarks(replace(cell, works=9)) == [NO_INTERVAL]
    assert remarks(replace(doubtful, only_mean=True, p_family=None)) == [ONLY_MEAN]


def test_the_errors_without_a_work_are_those_of_the_experiment_without_it() -> None:
    rng = np.random.default_rng(0)
    for n, d in ((24, 40), (36, 8)):
        groups = np.arange(n) // 3
        x, y = rng.standard_normal((n, d)), rng.standard_normal((n, 2))
        fold = groups % 3
        found = out_of_fold(x, y, groups, fold=fold, alphas=[4.0])
        for held_out in range(3):
            scaler = StandardScaler().fit(x[fold != held_out])  # stays that of all rows
            seen = int((fold != held_out).sum())
            for work in np.unique(groups):
                train = (fold != held_out) & (groups != work)
                test = (fold == held_out) & (groups != work)
                model = Ridge(alpha=4.0).fit(scaler.transform(x[train]), y[train])
                guess = model.predict(within_reach(scaler, x[test], rows=seen))
                errors = np.square(y[test] - guess), np.square(y[test] - y[train].mean(axis=0))
                expected = [error.sum(axis=0) for error in errors]
                np.testing.assert_allclose(found.without[:, held_out, work], expected, rtol=1e-8)


def test_influence_is_the_jackknife_of_a_mean() -> None:
    values = np.random.default_rng(0).standard_normal(12)
    without = np.array([np.delete(values, work).mean() for work in range(12)])[:, None]
    moves = influence(values[None].mean(axis=1), without)
    assert moves.sum() == pytest.approx(0)
    assert np.square(moves).sum() == pytest.approx(values.var(ddof=1) / 12)
    unknown = np.vstack([without, [[np.nan]]])
    np.testing.assert_array_equal(influence(values[None].mean(axis=1), unknown)[:-1], moves)


def test_draws_move_r2_as_often_as_a_work_is_drawn() -> None:
    draws = works_drawn(20, bootstrap=4000, seed=1)
    assert (draws.sum(axis=1) == 20).all()
    moves = np.random.default_rng(0).normal(0, 0.05, (20, 1))
    moves -= moves.mean()
    resampled = resampled_r2(np.log([0.4]), moves, draws=draws)
    assert np.log(1 - resampled).std() == pytest.approx(np.sqrt(np.square(moves).sum()), rel=0.05)
    low, high = interval(resampled)
    assert ((resampled >= low) & (resampled <= high)).mean() == pytest.approx(0.95, abs=0.002)
    assert low < 0.6 < high


def test_an_undefined_target_has_no_best_layer() -> None:
    assert best_layers(np.full(3, np.nan), np.full((10, 3), np.nan)) is None


@given(st.lists(st.integers(-3, 3) | st.floats(-1e300, 1e300), min_size=1, max_size=30))
def test_equal_numbers_share_the_mean_of_their_ranks(values: list[float]) -> None:
    numbers = np.array(values, dtype=np.float64)
    assert average_ranks(numbers).tolist() == rankdata(numbers).tolist()
