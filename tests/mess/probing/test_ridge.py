"""The solver agrees with scikit-learn, and with honest refits, to 1e-8."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mess.probing.discovery import discover
from mess.probing.ridge import DEFAULT_ALPHAS, RidgePath, predict_at

ALPHAS = [0.01, 0.5, 1.0, 100.0, 1e6]
# (n, d): fewer rows than dimensions, more, equal, one dimension, two rows.
SHAPES = [(30, 100), (100, 30), (40, 40), (41, 40), (50, 1), (2, 5)]


def problem(n: int, d: int, *, targets: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features of very different scale and centre, targets that partly follow them."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)) * 10 ** rng.uniform(-3, 3, d) + rng.uniform(-50, 50, d)
    y = (x / x.std(axis=0)) @ rng.standard_normal((d, targets)) / np.sqrt(d)
    return x, 100 + 5 * y + rng.standard_normal((n, targets))


def sklearn_ridge(alpha: float) -> object:
    return make_pipeline(StandardScaler(), Ridge(alpha=alpha, solver="svd"))


def in_reach(x: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return new rows that are no farther from the mean than a training row could be."""
    far = np.sqrt(len(x) - 1) * x.std(axis=0)
    return np.clip(new, x.mean(axis=0) - far, x.mean(axis=0) + far)


@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_predictions_equal_scikit_learns(n: int, d: int) -> None:
    x, y = problem(n + 20, d)
    ours = RidgePath(x[:n], y[:n]).predict(x[n:], alphas=ALPHAS)
    assert ours.shape == (len(ALPHAS), 20, 3)
    for alpha, predicted in zip(ALPHAS, ours, strict=True):
        theirs = sklearn_ridge(alpha).fit(x[:n], y[:n]).predict(in_reach(x[:n], x[n:]))
        np.testing.assert_allclose(predicted, theirs, rtol=1e-8, atol=1e-8)


@settings(max_examples=40)
@given(
    n=st.integers(2, 40),
    d=st.integers(1, 60),
    alpha=st.sampled_from(DEFAULT_ALPHAS),
    seed=st.integers(0, 10_000),
)
def test_any_shape_equals_scikit_learn(n: int, d: int, alpha: float, seed: int) -> None:
    x, y = problem(n + 5, d, targets=2, seed=seed)
    ours = RidgePath(x[:n], y[:n]).predict(x[n:], alphas=[alpha])[0]
    theirs = sklearn_ridge(alpha).fit(x[:n], y[:n]).predict(in_reach(x[:n], x[n:]))
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-7)


@pytest.mark.parametrize("deviation", [1e-7, 1e-5, 1e-3])
def test_a_feature_that_hardly_varies_in_training_throws_no_prediction(deviation: float) -> None:
    """Each of twenty features is all but flat, except in one work."""
    rng = np.random.default_rng(0)
    works = np.repeat(np.arange(20), 3)
    told = rng.standard_normal((60, 20))
    nearly_flat = 5 + deviation * rng.standard_normal((60, 20))
    nearly_flat += (works[:, None] == np.arange(20)) * rng.standard_normal((60, 20))
    x = np.concatenate([told, nearly_flat], axis=1)
    y = told[:, :3].sum(axis=1) + 0.3 * rng.standard_normal(60)
    found = discover(x[:, None], y[:, None], works, names=["t"])
    assert found.cells[0].r2 > 0.5


@pytest.mark.parametrize(("n", "d"), [(30, 100), (100, 30)])
def test_columns_that_do_not_vary_count_for_nothing(n: int, d: int) -> None:
    x, y = problem(n + 20, d)
    without = np.delete(x, [0, 7, d - 1], axis=1)
    x[:, 0], x[:, 7], x[:, d - 1] = 0.0, 0.1, -3e5
    ours = RidgePath(x[:n], y[:n]).predict(x[n:], alphas=ALPHAS)
    expected = RidgePath(without[:n], y[:n]).predict(without[n:], alphas=ALPHAS)
    np.testing.assert_allclose(ours, expected, rtol=1e-8)
    theirs = sklearn_ridge(1.0).fit(x[:n], y[:n]).predict(x[n:])
    np.testing.assert_allclose(ours[2], theirs, rtol=1e-8)


def test_a_layer_that_says_nothing_predicts_the_mean() -> None:
    _, y = problem(20, 3)
    predicted = RidgePath(np.full((20, 8), 0.3), y).predict(np.full((4, 8), 0.3), alphas=ALPHAS)
    np.testing.assert_allclose(predicted, np.broadcast_to(y.mean(axis=0), (5, 4, 3)))


def test_repeated_rows_and_columns_do_no_harm() -> None:
    x, y = problem(25, 10)
    x, y = np.concatenate([x, x], axis=0), np.concatenate([y, y], axis=0)
    x = np.concatenate([x, x], axis=1)
    for alpha in ALPHAS:
        np.testing.assert_allclose(
            RidgePath(x, y).predict(x, alphas=[alpha])[0],
            sklearn_ridge(alpha).fit(x, y).predict(x),
            rtol=1e-8,
        )


@pytest.mark.parametrize(("n", "d"), [(30, 100), (100, 30)])
def test_coefficients_give_the_predictions(n: int, d: int) -> None:
    x, y = problem(n, d)
    path = RidgePath(x, y)
    for alpha in (0.5, 1e3):
        weights, intercepts = path.coefficients(alphas=np.full(3, alpha))
        assert weights.shape == (d, 3)
        np.testing.assert_allclose(
            x @ weights + intercepts, path.predict(x, alphas=[alpha])[0], rtol=1e-8
        )
        scaler = StandardScaler().fit(x)
        ridge = Ridge(alpha=alpha, solver="svd").fit(scaler.transform(x), y)
        np.testing.assert_allclose(weights, (ridge.coef_ / scaler.scale_).T, rtol=1e-6)


@pytest.mark.parametrize(("n", "d"), [(36, 90), (90, 36)])
def test_leaving_a_group_out_equals_refitting_without_it(n: int, d: int) -> None:
    x, y = problem(n, d)
    groups = np.random.default_rng(1).integers(0, 7, n)
    z = StandardScaler().fit_transform(x)
    ours = RidgePath(x, y).leave_group_out(groups, alphas=ALPHAS)
    assert ours.shape == (len(ALPHAS), n, 3)
    for alpha, predicted in zip(ALPHAS, ours, strict=True):
        for group in np.unique(groups):
            out = groups == group
            refit = Ridge(alpha=alpha, solver="svd").fit(z[~out], y[~out]).predict(z[out])
            np.testing.assert_allclose(predicted[out], refit, rtol=1e-8, atol=1e-8)


def test_leaving_one_row_out_is_a_special_case() -> None:
    x, y = problem(15, 40)
    ours = RidgePath(x, y).leave_group_out(np.array([f"row {i}" for i in range(15)]), alphas=[2.0])
    z = StandardScaler().fit_transform(x)
    for row in range(15):
        kept = np.arange(15) != row
        refit = Ridge(alpha=2.0, solver="svd").fit(z[kept], y[kept]).predict(z[row : row + 1])
        np.testing.assert_allclose(ours[0, row], refit[0], rtol=1e-8)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="must be 2-d with equal rows"):
        RidgePath(np.zeros((5, 3)), np.zeros((4, 1)))
    with pytest.raises(ValueError, match="must be 2-d with equal rows"):
        RidgePath(np.zeros((5, 3)), np.zeros(5))


@pytest.mark.parametrize("shape", [(20, 50), (60, 15)])
def test_known_penalties_give_the_predictions_of_the_path(shape):
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal(shape), rng.standard_normal((shape[0], 4))
    held = [(rng.standard_normal((m, shape[1])), rng.choice(ALPHAS, 4)) for m in (5, 7)]
    path = RidgePath(x, y)
    for ours, (new, alphas) in zip(predict_at(x, y, held), held, strict=True):
        np.testing.assert_allclose(ours, path.predict_each(new, alphas=alphas), atol=1e-9)
