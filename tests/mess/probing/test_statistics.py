"""Intervals cover, chance is called chance, and a planted layer is among the best."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from mess.probing.discovery import discover
from mess.probing.layers import choose_layers, weigh_layers
from mess.probing.probes import out_of_fold
from mess.probing.ridge import RidgePath
from mess.probing.shuffles import shuffle_keys, shuffled_rows
from mess.probing.statistics import (
    best_layers,
    false_discovery_rate,
    interval,
    resampled_r2,
    significance,
    works_drawn,
)


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
    keys = shuffle_keys(len(sizes), shuffles=5, seed=seed)
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
    keys = shuffle_keys(8, shuffles=20)
    some = groups != 3
    whole, part = shuffled_rows(groups, keys=keys), shuffled_rows(groups[some], keys=keys)
    order = groups[whole[:, ::2]]
    kept = groups[some][part[:, ::2]]
    for all_works, few in zip(order, kept, strict=True):
        without = [work for work in np.argsort(np.argsort(all_works)) if work != 3]
        assert sorted(few) == sorted(without)


@pytest.mark.parametrize(("n", "d"), [(24, 40), (40, 8)])
def test_a_shuffle_scores_what_a_plain_loop_scores(n: int, d: int) -> None:
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(n)
    x, y = rng.standard_normal((n, d)), rng.standard_normal((n, 2))
    groups = np.repeat(np.arange(n // 2), 2)
    fold = groups % 4
    rows = shuffled_rows(groups, keys=shuffle_keys(n // 2, shuffles=3))
    found = out_of_fold(x, y, groups, fold=fold, alphas=[5.0], shuffled=rows)
    for draw, source in enumerate(rows):
        moved = y[source]
        error = total = np.zeros(2)
        for held_out in range(4):
            test = fold == held_out
            scaler = StandardScaler().fit(x[~test])
            model = Ridge(alpha=5.0).fit(scaler.transform(x[~test]), moved[~test])
            guess = model.predict(scaler.transform(x[test]))
            error = error + np.square(moved[test] - guess).sum(axis=0)
            total = total + np.square(moved[test] - moved[~test].mean(axis=0)).sum(axis=0)
        np.testing.assert_allclose(found.null[draw], 1 - error / total, atol=1e-5)


def test_a_smoother_predicts_what_the_fit_predicts() -> None:
    rng = np.random.default_rng(0)
    for n, d in ((20, 30), (30, 20)):
        x, y, new = (
            rng.standard_normal((n, d)),
            rng.standard_normal((n, 3)),
            rng.standard_normal((5, d)),
        )
        path = RidgePath(x, y)
        fitted = y.mean(axis=0) + path.smoother(new, alpha=2.0) @ (y - y.mean(axis=0))
        np.testing.assert_allclose(fitted, path.predict(new, alphas=[2.0])[0], atol=1e-8)


def test_chance_is_called_chance_and_a_planted_cell_is_not() -> None:
    x, y, groups = planted(works=30, seed=0)
    y = np.hstack([y, np.random.default_rng(1).standard_normal((90, 3))])
    found = discover(x, y, groups, names=["real", "a", "b", "c"], folds=6, shuffles=199)
    for cell in found.cells:
        assert cell.p is not None and cell.p_family is not None and cell.q is not None
        assert 1 / 200 <= cell.p <= cell.p_family <= 1
        assert cell.p <= cell.q
        if (cell.target, cell.layer) == ("real", 2):
            assert cell.p_family <= 0.01
            assert cell.r2 is not None and cell.low is not None and cell.high is not None
            assert 0 < cell.low < cell.r2 < cell.high < 1
            assert cell.selectivity is not None and cell.selectivity > cell.r2 - 0.1
        elif cell.target != "real":
            assert cell.p_family > 0.02


def test_the_planted_layer_wins_and_nested_choice_finds_it() -> None:
    x, y, groups = planted(works=30, seed=3)
    found = discover(x, y, groups, names=["t"], folds=6)
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
    for seed in range(12):
        x = rng.standard_normal((60, 12, 3))
        y = rng.standard_normal((60, 1))
        found = discover(x, y, np.arange(60), names=["t"], folds=5, alpha=1.0, seed=seed)
        best.append(max(cell.r2 or 0 for cell in found.cells))
        nested.append(found.summaries[0].nested.r2)
    assert np.mean(best) > np.mean(nested)
    assert np.mean(nested) < 0


def test_nested_choice_does_not_see_the_held_out_fold() -> None:
    x, y, groups = planted(works=20, seed=5)
    before = discover(x, y, groups, names=["t"], folds=4)
    fold = before.fold
    moved = y.copy()
    moved[fold == 1] = 1000 * np.random.default_rng(0).standard_normal(moved[fold == 1].shape)
    after = discover(x, moved, groups, names=["t"], folds=4)
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
    assert np.isnan([found.p[2], found.p_family[2], found.q[2], found.selectivity[2]]).all()
    assert found.p[3] == pytest.approx(1)
    assert found.selectivity[0] == pytest.approx(2.0 - null[:, 0].mean())


def test_draws_and_intervals_follow_the_errors() -> None:
    draws = works_drawn(20, resamples=500, seed=1)
    assert (draws.sum(axis=1) == 20).all()
    rng = np.random.default_rng(0)
    total = rng.uniform(0.5, 1.5, (20, 2))
    error = np.stack([0.3 * total[:, 0], rng.uniform(0, 2, 20)], axis=1)
    resampled = resampled_r2(error, total, draws=draws)
    low, high = interval(error, total, resampled)
    np.testing.assert_allclose([low[0], high[0]], 0.7)  # every work has the same R²
    assert low[1] < 1 - error[:, 1].sum() / total[:, 1].sum() < high[1]
    plain = [1 - error[rows, 1].sum() / total[rows, 1].sum() for rows in _as_rows(draws)]
    np.testing.assert_allclose(resampled[:, 1], plain)


def _as_rows(draws: np.ndarray) -> list[np.ndarray]:
    return [np.repeat(np.arange(draws.shape[1]), counts) for counts in draws]


def test_an_undefined_target_has_no_best_layer() -> None:
    assert best_layers(np.full(3, np.nan), np.full((10, 3), np.nan)) is None
