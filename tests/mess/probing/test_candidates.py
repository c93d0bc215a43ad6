"""Among several ways to predict, each fold chooses by what it was trained on alone."""

import numpy as np

from mess.probing.candidates import Candidates, choose, probe_candidates
from mess.probing.ridge import RidgePath

ALPHAS = (0.1, 10.0)


def test_predictions_are_those_of_fits_without_the_folds_concerned() -> None:
    rng = np.random.default_rng(0)
    works = np.arange(24) // 2
    fold = works % 4
    x = rng.standard_normal((24, 5))
    y = x[:, :2] + 3 * rng.standard_normal((24, 2))
    y[3, 1] = np.nan
    found = probe_candidates([x], y, works, fold, alphas=ALPHAS)
    rows = np.isfinite(y[:, 1])
    differ = 0
    for k in range(4):
        guesses = np.full((2, 24), np.nan)
        for j in set(range(4)) - {k}:
            train = rows & (fold != k) & (fold != j)
            path = RidgePath(x[train], y[train, 1:])
            guesses[:, fold == j] = path.predict(x[fold == j], alphas=ALPHAS)[:, :, 0]
        errors = np.square(guesses - y[:, 1])
        best = np.nansum(errors, axis=1).argmin()
        inner = np.full(24, np.nan)
        for j in set(range(4)) - {k}:  # what judges fold j has not chosen its penalty
            elsewhere = np.nansum(errors[:, fold != j], axis=1).argmin()
            inner[fold == j] = np.where(rows, guesses[elsewhere], np.nan)[fold == j]
            differ += int(elsewhere != best)
        np.testing.assert_allclose(found.inner[0, k, :, 1], inner, rtol=1e-5)
        train, test = rows & (fold != k), rows & (fold == k)
        held = RidgePath(x[train], y[train, 1:]).predict(x[test], alphas=ALPHAS)[best, :, 0]
        np.testing.assert_allclose(found.predicted[0, test, 1], held)
    assert np.isnan(found.predicted[0, 3, 1])
    assert differ, "here the penalty of some fold differs from that of all"


def test_the_choice_of_a_fold_does_not_look_at_the_fold() -> None:
    rng = np.random.default_rng(1)
    fold = np.arange(40) % 4
    y = rng.standard_normal((40, 1))
    predicted = np.stack([np.zeros((40, 1)), y])  # the second is right where it is tested …
    inner = np.full((2, 4, 40, 1), np.nan, dtype=np.float32)
    for k in range(4):
        train = fold != k
        inner[0, k, train], inner[1, k, train] = 0.5 * y[train], -y[train]  # … and wrong inside
    found = choose(Candidates(predicted, inner), y, fold, target=0)
    assert found is not None
    assert found.shares.tolist() == [1.0, 0.0]
    predicted[0] = np.nan
    left = choose(Candidates(predicted, inner), y, fold, target=0)
    assert left is not None
    assert left.shares.tolist() == [0.0, 1.0], "what does not know the target is no candidate"
    assert left.r2 == 1.0
    assert choose(Candidates(predicted[:1], inner[:1]), y, fold, target=0) is None
