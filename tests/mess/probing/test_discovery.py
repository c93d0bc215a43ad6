"""Discovery finds what was planted, finds nothing in noise, and is not fooled by repeated works."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score as sklearn_r2
from sklearn.preprocessing import StandardScaler

from mess.errors import MessError
from mess.probing.discovery import (
    discover,
)
from mess.probing.folds import MIN_ROWS, assign_folds, parts_of_groups
from mess.probing.metrics import r2_score
from mess.probing.probes import choose_alpha, out_of_fold
from mess.probing.results import Cell, Discovery, DiscoverySettings
from mess.probing.ridge import DEFAULT_ALPHAS, RidgePath
from mess.probing.stacking import stack

LAYERS, DIM = 5, 24


def noise(n: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, LAYERS, DIM))


def works_of(n: int, *, per_work: int = 3) -> np.ndarray:
    return np.array([f"work {row // per_work}" for row in range(n)])


def cell(found: Discovery, *, layer: int, target: str) -> Cell:
    return next(c for c in found.cells if (c.layer, c.target) == (layer, target))


def best_layer(found: Discovery, target: str) -> int:
    scored = [c for c in found.cells if c.target == target and c.r2 is not None]
    return max(scored, key=lambda c: c.r2).layer


@given(
    sizes=st.lists(st.integers(1, 8), min_size=3, max_size=40),
    folds=st.integers(2, 12),
    seed=st.integers(0, 99),
)
def test_folds_never_share_a_work_and_none_is_empty(
    sizes: list[int], folds: int, seed: int
) -> None:
    groups = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    fold = assign_folds(groups, folds=folds, seed=seed)
    for group in np.unique(groups):
        assert len(np.unique(fold[groups == group])) == 1
    assert set(fold) == set(range(min(folds, len(sizes))))
    load = np.bincount(fold)
    assert load.max() - load.min() <= max(sizes)


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from(["train", "validation", "test"])),
        min_size=6,
        max_size=60,
    ),
    folds=st.integers(2, 12),
    seed=st.integers(0, 9),
)
def test_folds_stay_within_the_parts_of_a_split_and_never_share_a_work(
    rows: list[tuple[int, str]], folds: int, seed: int
) -> None:
    works, parts = [f"work {n}" for n, _ in rows], [part for _, part in rows]
    part_of = parts_of_groups(works, parts)
    assume(len(set(works)) >= 3)
    fold = assign_folds(works, folds=folds, seed=seed, part_of=part_of)
    held_out = [
        {work for work, one in zip(works, fold, strict=True) if one == k} for k in set(fold)
    ]
    assert sum(map(len, held_out)) == len(set(works))  # a work is in one fold
    assert len(held_out) == min(folds, len(set(works)))  # and no fold is empty
    if part_of and folds >= 3:
        assert all(len({part_of[work] for work in one}) == 1 for one in held_out)
    for work, part in part_of.items():
        own = [p for w, p in zip(works, parts, strict=True) if w == work]
        assert own.count(part) == max(own.count(p) for p in set(own))


def test_ten_folds_of_maestro_are_its_test_part_its_validation_part_and_eight_of_training() -> None:
    # MAESTRO v3: 962 recordings for training, 137 for validation, 177 for the test.
    parts = ["train"] * 962 + ["validation"] * 137 + ["test"] * 177
    works = [f"work {n}" for n in range(len(parts))]
    fold = assign_folds(works, folds=10, part_of=parts_of_groups(works, parts))
    assert np.unique(fold[:962]).size == 8
    assert np.unique(fold[962:1099]).size == np.unique(fold[1099:]).size == 1


def test_probes_and_sliders_hold_the_parts_of_a_split_out_by_themselves() -> None:
    works = [f"work {n}" for n in range(30)]
    parts = ["train"] * 20 + ["test"] * 10
    part_of = parts_of_groups(works, parts)
    x = noise(30)
    y = x[:, 0, :1]
    settings = DiscoverySettings(folds=4, bootstrap=10, part_of=part_of)
    folds = [discover(x, y, works, names=["t"], settings=settings).fold]
    folds.append(stack([x[:, 0]], y, works, folds=4, part_of=part_of).fold)
    for fold in folds:
        assert not set(fold[:20]) & set(fold[20:])


def test_folds_depend_on_the_seed_alone() -> None:
    groups = works_of(60)
    first = assign_folds(groups, folds=5, seed=3)
    np.testing.assert_array_equal(first, assign_folds(groups, folds=5, seed=3))
    assert (first != assign_folds(groups, folds=5, seed=4)).any()


def test_too_few_works_or_folds_is_one_clear_line() -> None:
    with pytest.raises(MessError, match="at least 3 works, there are 2: add recordings"):
        assign_folds(["a", "a", "b", "b"], folds=2)
    with pytest.raises(MessError, match="at least 2 folds, not 1"):
        assign_folds(["a", "b", "c"], folds=1)


@pytest.mark.parametrize("planted", range(LAYERS))
def test_a_planted_target_is_found_in_its_layer(planted: int) -> None:
    rng = np.random.default_rng(planted)
    x = noise(90, seed=planted)
    y = x[:, planted] @ rng.standard_normal(DIM) + 0.3 * rng.standard_normal(90)
    found = discover(
        x, y[:, None], works_of(90), names=["brightness"], settings=DiscoverySettings(folds=6)
    )
    assert best_layer(found, "brightness") == planted
    best = cell(found, layer=planted, target="brightness")
    assert best.r2 is not None
    assert best.r2 > 0.9
    assert best.spearman is not None
    assert best.spearman > 0.9
    others = [c.r2 for c in found.cells if c.layer != planted and c.r2 is not None]
    assert max(others) < 0.2


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_not_predictable(seed: int) -> None:
    y = np.random.default_rng(100 + seed).standard_normal((90, 4))
    found = discover(
        noise(90, seed=seed),
        y,
        works_of(90),
        names=list("abcd"),
        settings=DiscoverySettings(folds=6),
    )
    assert len(found.cells) == 4 * LAYERS
    scores = [c.r2 for c in found.cells if c.r2 is not None]
    assert len(scores) == 4 * LAYERS
    assert np.median(scores) <= 0.0
    assert max(scores) < 0.15


def test_repeated_works_fool_ungrouped_folds_and_not_grouped_ones() -> None:
    rng = np.random.default_rng(0)
    works = np.repeat(np.arange(30), 4)
    x = noise(30)[works] + 0.05 * noise(120, seed=1)
    y = rng.standard_normal(30)[works, None]
    alone = discover(x, y, np.arange(120), names=["t"], settings=DiscoverySettings(folds=10))
    grouped = discover(x, y, works, names=["t"], settings=DiscoverySettings(folds=10))
    fooled = [c.r2 for c in alone.cells if c.r2 is not None]
    honest = [c.r2 for c in grouped.cells if c.r2 is not None]
    assert min(fooled) > 0.5
    assert max(honest) <= 0.05


def test_a_cell_is_what_its_predictions_say() -> None:
    rng = np.random.default_rng(0)
    x, works = noise(60), works_of(60)
    y = x[:, 1, :2] + rng.standard_normal((60, 2))
    found = discover(x, y, works, names=["a", "b"], settings=DiscoverySettings(alpha=0.5, folds=5))
    one = cell(found, layer=1, target="b")
    predicted = found.predicted[1, :, 1]
    baseline = np.empty(60)
    for fold in range(5):
        out = found.fold == fold
        scaler = StandardScaler().fit(x[~out, 1])
        refit = Ridge(alpha=0.5, solver="svd").fit(scaler.transform(x[~out, 1]), y[~out, 1])
        np.testing.assert_allclose(
            predicted[out], refit.predict(scaler.transform(x[out, 1])), rtol=1e-8, atol=1e-8
        )
        baseline[out] = y[~out, 1].mean()
        assert one.fold_r2[fold] == pytest.approx(
            1 - np.sum((y[out, 1] - predicted[out]) ** 2) / np.sum((y[out, 1] - baseline[out]) ** 2)
        )
    assert one.r2 == pytest.approx(
        1 - np.sum((y[:, 1] - predicted) ** 2) / np.sum((y[:, 1] - baseline) ** 2)
    )
    assert one.rmse == pytest.approx(np.sqrt(np.mean((y[:, 1] - predicted) ** 2)))
    ranks = [np.argsort(np.argsort(values)) for values in (y[:, 1], predicted)]
    assert one.spearman == pytest.approx(np.corrcoef(*ranks)[0, 1])
    assert one.alpha == [0.5] * 5
    assert (one.n, one.works) == (60, 20)


def test_r2_is_scikit_learns_where_the_baseline_is_the_mean() -> None:
    rng = np.random.default_rng(0)
    y, predicted = rng.standard_normal((2, 30))
    assert r2_score(y, predicted, np.full(30, y.mean())) == pytest.approx(sklearn_r2(y, predicted))


@pytest.mark.parametrize(("n", "d"), [(30, 60), (60, 10)])
def test_auto_chooses_what_an_explicit_search_by_work_chooses(n: int, d: int) -> None:
    rng = np.random.default_rng(n)
    x, works = rng.standard_normal((n, d)), np.asarray(works_of(n))
    y = x[:, :3] * [3.0, 0.7, 0.0] + rng.standard_normal((n, 3))
    z = StandardScaler().fit_transform(x)
    errors = np.zeros((len(DEFAULT_ALPHAS), 3))
    for row, alpha in enumerate(DEFAULT_ALPHAS):
        for work in np.unique(works):
            out = works == work
            refit = Ridge(alpha=alpha, solver="svd").fit(z[~out], y[~out]).predict(z[out])
            errors[row] += np.square(refit - y[out]).sum(axis=0)
    expected = np.asarray(DEFAULT_ALPHAS)[errors.argmin(axis=0)]
    chosen, left_out = choose_alpha(RidgePath(x, y), y, works, alphas=DEFAULT_ALPHAS)
    np.testing.assert_array_equal(chosen, expected)
    assert len(set(chosen)) > 1
    assert np.square(left_out - y).sum(axis=0) == pytest.approx(errors.min(axis=0))


def test_the_penalty_is_chosen_without_the_held_out_fold() -> None:
    x, works = noise(60)[:, 0], works_of(60)
    y = x[:, :2] + np.random.default_rng(5).standard_normal((60, 2))
    fold = assign_folds(works, folds=5)
    before = out_of_fold(x, y, works, fold=fold, alphas=DEFAULT_ALPHAS)
    changed = y.copy()
    changed[fold == 2] *= -1000
    after = out_of_fold(x, changed, works, fold=fold, alphas=DEFAULT_ALPHAS)
    np.testing.assert_array_equal(before.alphas[2], after.alphas[2])
    np.testing.assert_allclose(after.predicted[fold == 2], before.predicted[fold == 2])


def test_auto_beats_a_bad_fixed_penalty_near_n_equal_d() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 1, 64))
    y = x[:, 0] @ rng.standard_normal(64) / 8 + rng.standard_normal(80)
    works = np.arange(80)
    fixed = (
        discover(x, y[:, None], works, names=["t"], settings=DiscoverySettings(alpha=1.0, folds=5))
        .cells[0]
        .r2
    )
    auto = (
        discover(x, y[:, None], works, names=["t"], settings=DiscoverySettings(folds=5)).cells[0].r2
    )
    assert fixed is not None
    assert auto is not None
    assert fixed < -0.5
    assert auto > -0.05


def test_an_undefined_value_drops_its_row_from_its_target_only() -> None:
    x, works = noise(60), works_of(60)
    y = x[:, 2, :3].copy()
    holes = [0, 1, 17, 44]
    y[holes, 1] = np.nan
    found = discover(x, y, works, names=["a", "b", "c"], settings=DiscoverySettings(folds=5))
    for column, name in enumerate("abc"):
        assert cell(found, layer=2, target=name).n == (56 if name == "b" else 60)
        missing = np.flatnonzero(np.isnan(found.predicted[2, :, column]))
        assert missing.tolist() == (holes if name == "b" else [])
    whole = discover(x, y[:, [0, 2]], works, names=["a", "c"], settings=DiscoverySettings(folds=5))
    for name in "ac":
        assert cell(found, layer=2, target=name) == cell(whole, layer=2, target=name)
    kept = np.delete(np.arange(60), holes)
    alone = out_of_fold(
        x[kept, 2], y[kept, 1:2], works[kept], fold=found.fold[kept], alphas=DEFAULT_ALPHAS
    )
    np.testing.assert_allclose(found.predicted[2, kept, 1], alone.predicted[:, 0])


def test_a_target_that_never_varies_or_is_hardly_defined_has_no_score() -> None:
    x, works = noise(30), works_of(30)
    y = np.full((30, 4), np.nan)
    y[:, 0] = 7.1  # constant
    y[: MIN_ROWS - 1, 1] = np.arange(MIN_ROWS - 1)  # too few rows
    y[:6, 2] = np.arange(6)  # enough rows, of two works only
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = discover(
            x,
            y,
            works,
            names=["flat", "few", "two works", "none"],
            settings=DiscoverySettings(folds=5),
        )
    for layer in range(LAYERS):
        for name in ("flat", "few", "two works", "none"):
            assert cell(found, layer=layer, target=name).r2 is None
            assert cell(found, layer=layer, target=name).spearman is None
    assert cell(found, layer=0, target="flat").rmse == pytest.approx(0, abs=1e-9)
    assert cell(found, layer=0, target="none").n == 0


def test_a_target_defined_in_one_fold_only_has_no_score() -> None:
    x, works = noise(36), works_of(36)
    fold = assign_folds(works, folds=2)
    y = np.full((36, 2), np.nan)
    y[:, 0] = x[:, 0, 0]
    y[fold == 0, 1] = x[fold == 0, 0, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = discover(x, y, works, names=["whole", "half"], settings=DiscoverySettings(folds=2))
    assert cell(found, layer=0, target="half").r2 is None
    assert cell(found, layer=0, target="whole").n == 36


def test_the_same_seed_gives_the_same_discovery_and_another_other_folds() -> None:
    x, works = noise(60), works_of(60)
    y = x[:, 0, :2]
    first, again = (
        discover(x, y, works, names=["a", "b"], settings=DiscoverySettings(folds=5, seed=1))
        for _ in range(2)
    )
    assert first.cells == again.cells
    np.testing.assert_array_equal(first.predicted, again.predicted)
    other = discover(x, y, works, names=["a", "b"], settings=DiscoverySettings(folds=5, seed=2))
    assert (other.fold != first.fold).any()


def test_half_precision_features_are_computed_in_double() -> None:
    x, works = noise(30).astype(np.float16), works_of(30)
    y = x[:, 0, :1].astype(np.float64)
    half = discover(x, y, works, names=["a"], settings=DiscoverySettings(folds=5))
    double = discover(
        x.astype(np.float64), y, works, names=["a"], settings=DiscoverySettings(folds=5)
    )
    assert half.cells == double.cells


@settings(max_examples=15)
@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-1e3, 1e3))
def test_the_unit_of_a_target_does_not_matter(scale: float, shift: float) -> None:
    x, works = noise(30)[:, :1], works_of(30)
    y = x[:, 0, :1] + 0.5 * np.random.default_rng(0).standard_normal((30, 1))
    plain = discover(x, y, works, names=["a"], settings=DiscoverySettings(folds=5)).cells[0]
    moved = discover(
        x, scale * y + shift, works, names=["a"], settings=DiscoverySettings(folds=5)
    ).cells[0]
    assert moved.r2 == pytest.approx(plain.r2, abs=1e-6)
    assert moved.rmse == pytest.approx(scale * plain.rmse, rel=1e-6)
    assert moved.alpha == plain.alpha


@pytest.mark.parametrize("alpha", [0.0, -1.0, float("nan"), float("inf"), []])
def test_a_penalty_that_is_none_is_refused(alpha: float) -> None:
    with pytest.raises(MessError, match="alpha must be a positive number or 'auto'"):
        discover(
            noise(12),
            np.zeros((12, 1)),
            works_of(12),
            names=["a"],
            settings=DiscoverySettings(alpha=alpha),
        )


def test_every_finished_layer_is_announced() -> None:
    seen: list[int] = []
    y = np.random.default_rng(0).standard_normal((12, 1))
    discover(
        noise(12),
        y,
        works_of(12),
        names=["a"],
        settings=DiscoverySettings(folds=2),
        on_layer=seen.append,
    )
    assert seen == list(range(LAYERS))
