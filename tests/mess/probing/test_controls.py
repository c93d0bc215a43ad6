"""Baselines, other groupings and other datasets are scored as the layers are."""

import numpy as np
import pytest

from mess.probing.controls import (
    compare_baselines,
    fit_elsewhere,
    label_mean,
    learning_curve,
    nested_scores,
)
from mess.probing.discovery import discover
from mess.probing.results import DiscoverySettings


def planted(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, 3, 6))
    targets = np.column_stack(
        [features[:, 1, 0] + 0.1 * rng.standard_normal(n), rng.standard_normal(n)]
    )
    return features, targets, np.arange(n) // 2


def test_the_training_mean_scores_zero_and_a_true_label_more() -> None:
    rng = np.random.default_rng(0)
    composer = np.repeat(np.arange(5), 20)
    y = (composer + 0.1 * rng.standard_normal(100))[:, None]
    works = np.arange(100) // 2
    (mean,) = label_mean("training mean", [""] * 100, y, works, names=["t"])
    assert mean.r2 == pytest.approx(0.0, abs=1e-12)
    (by_composer,) = label_mean("composer mean", composer, y, works, names=["t"])
    assert by_composer.r2 is not None and by_composer.r2 > 0.95
    (alone,) = label_mean("composer mean", works, y, works, names=["t"])
    assert alone.r2 == pytest.approx(0.0, abs=1e-12)  # no other work of the label: the mean


def test_a_baseline_is_scored_as_a_nested_probe() -> None:
    features, targets, works = planted()
    rows = compare_baselines(
        {"all": features, "good": features[:, [1]], "noise": features[:, [2]]},
        targets,
        works,
        names=["known", "noise"],
        settings=DiscoverySettings(bootstrap=50),
    )
    by_name = {(row.name, row.target): row for row in rows}
    expected = discover(
        features, targets, works, names=["known", "noise"], settings=DiscoverySettings(bootstrap=50)
    )
    assert by_name["all", "known"].r2 == expected.summaries[0].nested.r2
    good = by_name["good", "known"]
    assert good.r2 is not None and good.r2 > 0.9
    assert good.low is not None and good.high is not None and good.low < good.r2 < good.high
    for name in ("all", "good", "noise"):
        noise = by_name[name, "noise"].r2
        assert noise is not None and noise < 0.1


def test_groupings_that_share_everything_take_the_score_away() -> None:
    composer = np.arange(60) // 12
    kept = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        features = np.eye(5)[composer][:, None] + 0.01 * rng.standard_normal((60, 1, 5))
        targets = rng.standard_normal(5)[composer][:, None] + 0.01 * rng.standard_normal((60, 1))
        by_work = nested_scores(features, targets, np.arange(60), names=["t"])["t"]
        by_composer = nested_scores(features, targets, composer, names=["t"])["t"]
        assert by_work is not None and by_composer is not None
        assert by_work > 0.9
        kept.append(by_composer)
    assert np.mean(kept) < 0.1


def test_the_learning_curve_grows_with_the_works() -> None:
    features, targets, works = planted(n=160)
    curve = learning_curve(features, targets, works, names=["known", "noise"])
    assert [point.works for point in curve] == [20, 40, 60, 80]
    assert [point.n for point in curve] == [40, 80, 120, 160]
    assert curve[-1].r2["known"] > 0.9
    hard = targets[:, :1] + 2 * np.random.default_rng(5).standard_normal((160, 1))
    blurred = learning_curve(features, hard, works, names=["known"])
    assert blurred[-1].r2["known"] > blurred[0].r2["known"]
    few = learning_curve(features[:8], targets[:8], works[:8], names=["known", "noise"])
    assert len(few) < 4  # parts with fewer than three works are left out


def test_probes_of_one_dataset_on_another() -> None:
    features, targets, works = planted(n=120)
    test_features, test_targets, _ = planted(n=50, seed=7)
    known, *rest = fit_elsewhere(
        features,
        targets,
        works,
        test_features=test_features,
        test_targets=test_targets,
        names=["known", "noise"],
    )
    assert (known.layer, known.target) == (1, "known")
    assert known.r2 is not None and known.r2 > 0.9
    assert rest[0].r2 is not None and rest[0].r2 < 0.2
    shifted = fit_elsewhere(
        features,
        targets,
        works,
        test_features=test_features,
        test_targets=test_targets + 5.0,
        names=["known", "noise"],
    )[0]
    assert shifted.r2 is not None and shifted.r2 < -5  # another level is an error
    assert shifted.spearman == known.spearman  # but not of the ranks
