"""Probes on moments are what ridge regression gives, fitted again for every fold and pair."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mess.probing.curve_probes import FittedTogether, gather_probes
from mess.probing.in_time import influence_of_works, score_curves
from mess.probing.max_t import shuffle_keys, shuffled_rows
from mess.probing.moments import MOMENT_ALPHAS, Sums, predict_curves
from mess.probing.shuffled_curves import null_of_curves
from mess.probing.through_time import Definition, read_scalars

ALPHAS = (1.0, 100.0)
TRACKS, LENGTH, DIM = 12, 15, 6


def ridge(x: np.ndarray, y: np.ndarray, alpha: float, new: np.ndarray) -> np.ndarray:
    return make_pipeline(StandardScaler(), Ridge(alpha=alpha)).fit(x, y).predict(new)


@pytest.fixture(scope="module")
def data() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    owner = np.repeat(np.arange(TRACKS), LENGTH)
    x = 5 + 3 * rng.standard_normal((len(owner), DIM)) + 2 * rng.standard_normal((TRACKS, 1))[owner]
    y = x[:, :2] @ rng.standard_normal((2, 2)) + rng.standard_normal((len(owner), 2))
    works = np.arange(TRACKS) // 2
    return {"x": x, "y": y, "owner": owner, "works": works, "fold": works % 3}


def test_sums_fit_and_judge_as_the_rows_do(data: dict[str, np.ndarray]) -> None:
    x, y = data["x"], data["y"]
    half = len(x) // 2
    weights, shifts = (Sums.of(x, y) - Sums.of(x[half:], y[half:])).fit(ALPHAS)
    for place, alpha in enumerate(ALPHAS):
        guess = x @ weights[place] + shifts[place]
        np.testing.assert_allclose(guess, ridge(x[:half], y[:half], alpha, x), rtol=1e-8)
    errors = Sums.of(x[half:], y[half:]).errors(weights, shifts)
    direct = [
        np.square(x[half:] @ w + s - y[half:]).sum(0) for w, s in zip(weights, shifts, strict=True)
    ]
    np.testing.assert_allclose(errors, direct, rtol=1e-8)


def test_nothing_is_predicted_by_a_fit_that_saw_it(data: dict[str, np.ndarray]) -> None:
    x, y, fold = data["x"], data["y"], data["fold"][data["owner"]]
    found = predict_curves(x, y, fold, alphas=ALPHAS)
    for k in range(3):
        error = np.zeros((2, 2))
        for j in set(range(3)) - {k}:
            train = (fold != k) & (fold != j)
            guesses = [ridge(x[train], y[train], alpha, x[fold == j]) for alpha in ALPHAS]
            error += [np.square(one - y[fold == j]).sum(0) for one in guesses]
            for curve in range(2):
                place = ALPHAS.index(found.alphas[k, curve])
                inner = found.inner[k, fold == j, curve]
                np.testing.assert_allclose(inner, guesses[place][:, curve], atol=2e-3)
        assert [ALPHAS.index(a) for a in found.alphas[k]] == error.argmin(axis=0).tolist()
        assert np.isnan(found.inner[k, fold == k]).all()
        for curve in range(2):
            guess = ridge(x[fold != k], y[fold != k], found.alphas[k, curve], x[fold == k])
            predicted = found.predicted[fold == k, curve]
            np.testing.assert_allclose(predicted, guess[:, curve], atol=2e-3)


@pytest.mark.parametrize("deviation", [1e-5, 1e-4])
def test_states_that_hardly_vary_in_training_throw_no_curve(deviation: float) -> None:
    """Each of twenty dimensions is all but flat, except in one work."""
    rng = np.random.default_rng(0)
    works = np.repeat(np.arange(20), 60)
    told = rng.standard_normal((1200, 20))
    nearly_flat = 5 + deviation * rng.standard_normal((1200, 20))
    nearly_flat += (works[:, None] == np.arange(20)) * rng.standard_normal((1200, 20))
    y = told[:, :3].sum(axis=1, keepdims=True) + rng.standard_normal((1200, 1))
    x = np.concatenate([told, nearly_flat], axis=1)
    found = predict_curves(x, y, works % 10)
    assert score_curves(y, found.predicted, works, works % 10).r2[0] > 0.5


def test_kept_probes_predict_what_was_predicted_and_no_work_that_they_saw(
    data: dict[str, np.ndarray],
) -> None:
    x, y, owner, fold = data["x"], data["y"], data["owner"], data["fold"]
    found = predict_curves(x, y, fold[owner], alphas=ALPHAS)
    assert found.fits is not None
    tracks = [f"t{number}" for number in range(TRACKS)]
    together = FittedTogether(["a", "b"], np.arange(3), [found.fits])
    works = [f"w{work}" for work in data["works"]]
    probes = gather_probes([together], tracks=tracks, works=works, fold=fold)
    assert probes is not None and probes.shape == (1, DIM)
    for number, track in enumerate(tracks):
        rows = owner == number
        assert probes.fold_of(track) == fold[number]
        again = probes.predict(x[rows], layer=0, fold=probes.fold_of(track))
        np.testing.assert_allclose(again, found.predicted[rows], atol=1e-4)
    assert probes.fold_of("another", work="w1") == 1, "its work was held out in this fold"
    new = probes.predict(x, layer=0, fold=probes.fold_of("new", work="new"))
    whole = [ridge(x, y, alpha, x) for alpha in ALPHAS]
    for curve in range(2):
        assert any(np.allclose(new[:, curve], one[:, curve], atol=2e-3) for one in whole)


def test_a_fold_without_moments_of_a_curve_gets_the_probe_of_all(
    data: dict[str, np.ndarray],
) -> None:
    x, y, owner = data["x"], data["y"][:, :1], data["owner"]
    fold = data["works"] % 4
    some = fold[owner] != 1
    own = np.array([0, -1, 1, 2])[fold[owner][some]]
    found = predict_curves(x[some], y[some], own, alphas=ALPHAS)
    assert found.fits is not None
    names = [str(number) for number in range(TRACKS)]
    together = FittedTogether(["a"], np.array([0, 2, 3]), [found.fits])
    probes = gather_probes([together], tracks=names, works=names, fold=fold)
    assert probes is not None
    np.testing.assert_array_equal(probes.weights[0, 1], probes.weights[0, -1])
    np.testing.assert_array_equal(probes.weights[0, 2], found.fits.weights[1])


def test_influence_is_that_of_the_whole_experiment_without_a_work(
    data: dict[str, np.ndarray],
) -> None:
    x, y, owner = data["x"], data["y"], data["owner"]
    works, fold = data["works"][owner], data["fold"][owner]
    found = predict_curves(x, y, fold, alphas=(10.0,))
    share, moves = influence_of_works(x, y, works, fold, found.alphas)
    direct = []
    for left in [None, *range(6)]:
        kept = works != left
        error = total = np.zeros(2)
        for k in range(3):
            train, test = kept & (fold != k), kept & (fold == k)
            guess = ridge(x[train], y[train], 10.0, x[test])
            error = error + np.square(y[test] - guess).sum(0)
            total = total + np.square(y[test] - y[train].mean(0)).sum(0)
        direct.append(np.log(error / total))
    np.testing.assert_allclose(share, direct[0], rtol=1e-6)
    without = np.array(direct[1:])
    np.testing.assert_allclose(moves, (without.mean(0) - without) * np.sqrt(5 / 6), atol=1e-6)


def test_a_score_within_tracks_knows_nothing_of_their_means() -> None:
    rng = np.random.default_rng(2)
    owner = np.repeat(np.arange(9), 30)
    level = 10 * rng.standard_normal(9)[owner]
    course = rng.standard_normal(len(owner))
    fold = owner % 3
    both = score_curves((level + course)[:, None], level[:, None], owner, fold)
    assert both.r2[0] > 0.9
    assert both.within[0] == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(both.correlation[0])
    timed = score_curves((level + course)[:, None], (3 + course)[:, None], owner, fold)
    assert timed.within[0] == pytest.approx(1.0)
    assert timed.correlation[0] == pytest.approx(1.0)


def test_shuffled_works_score_about_nothing(data: dict[str, np.ndarray]) -> None:
    x, y, owner = data["x"], data["y"], data["owner"]
    works, fold = data["works"][owner], data["fold"][owner]
    found = predict_curves(x, y, fold)
    keys = shuffle_keys(6, permutations=60)
    null = null_of_curves(x, y, works, fold, alphas=found.alphas, keys=keys)
    true = score_curves(y, found.predicted, owner, fold).r2
    assert null.shape == (60, 2)
    assert (null.mean(axis=0) < 0.1).all()
    unmoved = null_of_curves(x, y, works, fold, alphas=found.alphas, keys=np.arange(6.0)[None])
    assert (true > np.quantile(null, 0.9, axis=0)).all()
    assert unmoved.shape == (1, 2)


def test_shuffled_curves_score_what_a_plain_loop_scores(data: dict[str, np.ndarray]) -> None:
    x, y, owner = data["x"], data["y"], data["owner"]
    works, fold = data["works"][owner], data["fold"][owner]
    alphas, keys = np.full((int(fold.max()) + 1, 2), 100.0), shuffle_keys(6, permutations=4)
    null = null_of_curves(x, y, works, fold, alphas=alphas, keys=keys)
    for found, source in zip(null, shuffled_rows(works, keys=keys), strict=True):
        moved, error, total = y[source], np.zeros((2, 2)), np.zeros(2)
        for held in range(len(alphas)):
            test = fold == held
            weights, shift = Sums.of(x[~test], moved[~test]).fit([100.0, MOMENT_ALPHAS[-1]])
            for place in range(2):
                guess = x[test] @ weights[place] + shift[place]
                error[place] += np.square(moved[test] - guess).sum(axis=0)
            total += np.square(moved[test] - moved[~test].mean(axis=0)).sum(axis=0)
        np.testing.assert_allclose(found, 1 - error.min(axis=0) / total, atol=1e-4)


def test_a_spread_is_read_from_a_course_and_lines_see_no_test_track() -> None:
    rng = np.random.default_rng(4)
    owner = np.repeat(np.arange(30), 20)
    spread = np.exp(rng.standard_normal(30))
    curve = spread[owner] * rng.standard_normal(len(owner))
    fold = np.arange(30) % 3
    targets = np.array([curve[owner == track].var() for track in range(30)])[:, None]
    inner = np.stack([np.where(fold[owner] == k, np.nan, 0.5 * curve) for k in range(3)])
    predicted = (0.5 * curve)[:, None].astype(np.float32)
    inner = inner[..., None].astype(np.float32)
    definition = Definition(0, 0, lambda values: values.var(axis=-1), course=True)

    def read(y: np.ndarray) -> np.ndarray:
        return read_scalars(predicted, inner, owner, y, fold, definitions=[definition]).predicted[
            0, :, 0
        ]

    np.testing.assert_allclose(read(targets), targets[:, 0], rtol=1e-4)
    changed = targets.copy()
    changed[fold == 1] += 100.0
    np.testing.assert_allclose(read(changed)[fold == 1], targets[fold == 1, 0], rtol=1e-4)
