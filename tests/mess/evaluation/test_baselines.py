"""Plain baselines are the distances that they are called; a tempo is judged up to octaves."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mess.evaluation.baselines import METRICS, OVER, Baseline, Baselines, Metric, strongest
from mess.evaluation.rankings import Judge
from mess.records.evaluation import BaselineFaithfulness
from mess.search.tempo import octaves_apart

FEATURES = np.random.default_rng(2).standard_normal((30, 3, 6)) * [1, 2, 3, 4, 5, 60] + 2


def expected(metric: Metric, x: np.ndarray) -> np.ndarray:
    """Return similarities of all pairs, by SciPy."""
    if metric == "centred cosine":
        x = x - x.mean(axis=0)
    if metric == "Euclid, standardised":
        x = (x - x.mean(axis=0)) / x.std(axis=0)
    return -cdist(x, x, "cosine" if "cosine" in metric else "euclidean")


@pytest.mark.parametrize("metric", METRICS)
def test_a_baseline_is_the_distance_that_it_is_called(metric: Metric) -> None:
    found = Baselines(FEATURES)
    constant = 1 if "cosine" in metric else 0
    for layer in (0, 2):
        ranked = found.ranking(metric, layer)(4)
        np.testing.assert_allclose(
            ranked - constant, expected(metric, FEATURES[:, layer])[4], atol=2e-5
        )
    of_all = np.mean([expected(metric, FEATURES[:, layer])[4] for layer in range(3)], axis=0)
    np.testing.assert_allclose(found.ranking(metric, None)(4) - constant, of_all, atol=2e-5)


def test_each_target_gets_its_best_layer_the_last_and_all() -> None:
    value = np.random.default_rng(3).standard_normal((30, 2))
    judge = Judge(value, np.arange(30))
    baselines = Baselines(FEATURES)
    found = baselines.judge(lambda ranking: judge(ranking).spearman, {0: 0, 1: 1})
    assert len(found) == len(METRICS) * len(OVER)
    for over, layers in (
        ("best layer", (0, 1)),
        ("last layer", (2, 2)),
        ("all layers", (None,) * 2),
    ):
        for target, layer in enumerate(layers):
            own = judge(baselines.ranking("cosine", layer)).spearman[target]
            assert found[Baseline(over, "cosine")][target] == pytest.approx(own)  # type: ignore[arg-type]


def test_the_strongest_is_the_most_faithful_that_is_known() -> None:
    rows = [
        BaselineFaithfulness(over="last layer", metric="cosine", mean=mean, per_target={})
        for mean in (None, 0.15, 0.255, 0.254)
    ]
    assert strongest(rows) is rows[2]
    assert strongest(rows[:1]) is None


def test_a_tempo_is_judged_up_to_octaves() -> None:
    tempo = 60 * 2 ** np.random.default_rng(0).uniform(-1, 2, 40)
    judge = Judge(np.column_stack([tempo, tempo]), np.arange(40), octaves=[0])
    by_octaves = judge(lambda row: -octaves_apart(tempo, tempo[row])).spearman
    by_bpm = judge(lambda row: -np.abs(tempo - tempo[row])).spearman
    assert by_octaves[0] == pytest.approx(1)
    assert by_bpm[1] == pytest.approx(1)
    assert max(by_octaves[1], by_bpm[0]) < 0.6
