"""The scores on shuffled works are those of a plain loop over shuffles, folds and penalties."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mess.probing.discovery import discover
from mess.probing.folds import assign_folds
from mess.probing.max_t import shuffle_keys, shuffled_rows
from mess.probing.probes import out_of_fold
from mess.probing.results import DiscoverySettings
from mess.probing.ridge import DEFAULT_ALPHAS, RidgePath
from mess.probing.standardising import ProductsByFold


def plain_r2(
    x: np.ndarray, y: np.ndarray, fold: np.ndarray, alphas: tuple[float, ...]
) -> np.ndarray:
    """Predict each fold by the penalty that suits the others best, from the largest on."""
    folds, grid = np.unique(fold), sorted(alphas, reverse=True)
    errors = np.empty((len(grid), len(folds), y.shape[1]))
    total = np.zeros(y.shape[1])
    for number, held_out in enumerate(folds):
        test = fold == held_out
        guesses = RidgePath(x[~test], y[~test]).predict(x[test], alphas=grid)
        errors[:, number] = np.square(guesses - y[test]).sum(axis=1)
        total += np.square(y[test] - y[~test].mean(axis=0)).sum(axis=0)
    r2 = np.empty(y.shape[1])
    for column in range(y.shape[1]):
        of = errors[:, :, column]
        elsewhere = of.sum(axis=1, keepdims=True) - of
        best = np.zeros(len(folds), dtype=int)
        for index in range(len(grid)):
            better = elsewhere[index] < np.take_along_axis(elsewhere, best[None], axis=0)[0]
            best[better] = index
            if (index - best >= 2).all():
                break
        r2[column] = 1 - of[best, np.arange(len(folds))].sum() / total[column]
    return r2


@settings(max_examples=25)
@given(
    works=st.integers(4, 25),
    per_work=st.integers(1, 4),
    dim=st.integers(1, 40),
    folds=st.integers(2, 6),
    told=st.floats(0, 3),
    decay=st.floats(0, 2),
    seed=st.integers(0, 1000),
)
@example(works=25, per_work=4, dim=6, folds=5, told=2.0, decay=1.0, seed=0)  # more rows
@example(works=8, per_work=2, dim=40, folds=4, told=2.0, decay=0.0, seed=1)  # more dimensions
@example(works=20, per_work=2, dim=33, folds=5, told=2.0, decay=0.5, seed=2)  # about as many
def test_shuffles_score_what_a_plain_loop_scores(
    works: int, per_work: int, dim: int, folds: int, told: float, decay: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(works), per_work))
    x = rng.standard_normal((len(groups), dim)) @ rng.standard_normal((dim, dim))
    x = 3 + x * np.arange(1, dim + 1) ** -decay
    y = np.stack([told * x[:, 0], 1e3 + x.sum(axis=1)], axis=1)
    y += rng.standard_normal(y.shape)
    fold = assign_folds(groups, folds=folds, seed=seed)
    sources = shuffled_rows(groups, keys=shuffle_keys(works, permutations=6, seed=seed))
    found = out_of_fold(x, y, groups, fold=fold, alphas=DEFAULT_ALPHAS, shuffled=sources).shuffled
    expected = np.stack([plain_r2(x, y[rows], fold, DEFAULT_ALPHAS) for rows in sources])
    for ours, theirs in (
        (found.null, expected),
        (found.true, plain_r2(x, y, fold, DEFAULT_ALPHAS)),
    ):
        # Penalties that do equally well to six digits may be swapped by rounding.
        missed = np.abs(ours - theirs) / np.maximum(1 - theirs, 1)
        assert np.median(missed) < 1e-5
        assert missed.max() < 5e-3


@pytest.mark.parametrize("deviation", [1e-9, 1e-6, 1e-3])
def test_what_varies_in_one_fold_alone_spoils_no_score(deviation: float) -> None:
    rng = np.random.default_rng(0)
    groups, fold = np.repeat(np.arange(20), 4), np.repeat(np.arange(5), 16)
    x = rng.standard_normal((80, 6))
    x[:, 5] *= np.where(fold == 2, 1.0, deviation)
    x[:, 5] += 5
    y = x[:, :2] + 0.5 * rng.standard_normal((80, 2))
    sources = shuffled_rows(groups, keys=shuffle_keys(20, permutations=4))
    found = out_of_fold(x, y, groups, fold=fold, alphas=DEFAULT_ALPHAS, shuffled=sources).shuffled
    np.testing.assert_allclose(found.true, plain_r2(x, y, fold, DEFAULT_ALPHAS), atol=1e-5)
    expected = [plain_r2(x, y[rows], fold, DEFAULT_ALPHAS) for rows in sources]
    np.testing.assert_allclose(found.null, expected, atol=1e-5)


def test_sums_of_folds_fit_what_the_rows_fit() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((90, 8)) * 10.0 ** np.arange(-4, 4) + 50
    x[:60, 7] = 3.0 + 1e-6 * x[:60, 7]  # hardly varies but in one fold
    y, fold = rng.standard_normal((90, 2)), np.repeat(np.arange(3), 30)
    for columns in (slice(0, 7), slice(0, 8)):
        products = ProductsByFold(x[:, columns], fold)
        for number in range(3):
            test = fold == number
            train, new = x[~test, columns], x[test, columns]
            known = products.without(number)
            assert (known is None) == (columns.stop == 8 and number == 2)
            np.testing.assert_allclose(
                RidgePath(train, y[~test], products=known).predict(new, alphas=[0.1, 10.0]),
                RidgePath(train, y[~test]).predict(new, alphas=[0.1, 10.0]),
                rtol=1e-8,
                atol=1e-8,
            )


def test_layers_side_by_side_give_what_one_after_another_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    x, works = rng.standard_normal((60, 4, 5)), np.arange(60) // 3
    y = x[:, 1, :2] + rng.standard_normal((60, 2))
    how = DiscoverySettings(folds=4, permutations=19)
    one_by_one = discover(x, y, works, names=["a", "b"], settings=how)
    monkeypatch.setattr("mess.probing.threads._WORTH_THREADS", 1)
    monkeypatch.setattr("mess.probing.threads.linear_algebra_threads", lambda: 3)
    finished: list[int] = []
    together = discover(x, y, works, names=["a", "b"], settings=how, on_layer=finished.append)
    assert finished == [0, 1, 2, 3]
    for a, b in zip(one_by_one.cells, together.cells, strict=True):
        assert (a.r2, a.low, a.p_family) == pytest.approx((b.r2, b.low, b.p_family))
