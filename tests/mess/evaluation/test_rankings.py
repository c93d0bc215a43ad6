"""A ranking is judged by what is known of the tracks; a copy is told from another recording."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.stats import spearmanr

from mess.audio.decoding import decode
from mess.audio.fingerprint import find_copies, fingerprint
from mess.evaluation.controlled import compare_variants, find_variants
from mess.evaluation.rankings import TOP, Judge, find_same_work


def test_faithfulness_is_the_mean_spearman_over_queries() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((30, 3))
    values[4, 1] = np.nan
    works = np.arange(30) // 2
    scores = rng.standard_normal((30, 30))
    found = Judge(values, works)(lambda row: scores[row])
    for column in range(3):
        expected, nearest, usual = [], [], []
        for query in range(30):
            apart = np.abs(values[:, column] - values[query, column])
            others = (works != works[query]) & np.isfinite(apart)
            if not others.any():
                continue
            expected.append(spearmanr(scores[query, others], -apart[others]).statistic)
            best = np.argsort(-scores[query, others])[:TOP]
            nearest.append(apart[others][best].mean())
            usual.append(apart[others].mean())
        assert found.spearman[column] == pytest.approx(np.mean(expected), abs=1e-10)
        assert found.top_ratio[column] == pytest.approx(np.mean(nearest) / np.mean(usual))


def test_a_perfect_ranking_a_reverse_one_and_a_constant_one() -> None:
    value = np.random.default_rng(0).standard_normal(40)
    judge = Judge(value[:, None], np.arange(40))
    perfect = judge(lambda row: -np.abs(value - value[row]))
    assert perfect.spearman[0] == pytest.approx(1.0)
    assert perfect.top_ratio[0] < 0.5
    assert judge(lambda row: np.abs(value - value[row])).spearman[0] == pytest.approx(-1.0)
    assert judge(lambda row: np.zeros(40)).spearman[0] == 0.0


def test_a_number_that_does_not_vary_is_undefined() -> None:
    found = Judge(np.ones((10, 1)), np.arange(10))(lambda row: np.arange(10.0))
    assert np.isnan(found.spearman[0])
    assert np.isnan(found.top_ratio[0])


def test_the_own_work_is_found() -> None:
    works = np.array(["a", "a", "b", "b", "b", "c"])
    place = np.array([0.0, 0.1, 5.0, 5.1, 9.0, 5.2])
    found = find_same_work(lambda row: -np.abs(place - place[row]), works)
    assert found is not None
    assert (found.queries, found.works) == (5, 2)
    assert found.mrr == pytest.approx((1 + 1 + 1 + 1 + 1 / 2) / 5)
    assert found.recall[1] == pytest.approx((1 + 1 + 1 + 1 + 0) / 5)
    assert find_same_work(lambda row: place, np.arange(6)) is None


def test_variants_are_told_apart() -> None:
    ids = ["x", "x_tempo", "x_dynamics", "y"]
    about = {
        "x_tempo": {"variant_of": "x", "changed": "tempo"},
        "x_dynamics": {"variant_of": "x", "changed": "dynamics"},
    }
    variants = find_variants(ids, about)
    assert variants == {0: {"tempo": 1, "dynamics": 2}}
    tempo = np.array([0.0, 2.0, 0.1, 4.0])
    seen = compare_variants(
        lambda row: 1 - np.abs(tempo - tempo[row]) / 2,
        own="tempo",
        variants=variants,
        works=np.array([0, 0, 0, 1]),
    )
    assert seen is not None
    assert (seen.told_apart, seen.chance, seen.n) == (1.0, 0.5, 1)
    assert seen.moved == pytest.approx({"tempo": 0.5, "dynamics": 0.025})
    assert (
        compare_variants(lambda row: tempo, own="instrument", variants=variants, works=np.zeros(4))
        is None
    )


def test_copies_are_found_in_other_formats_gains_and_cuts(
    demo_library: Path, tmp_path: Path
) -> None:
    rate = 24_000
    audio = sorted((demo_library / "audio" / "demo").glob("*.flac"))[:4]
    pieces = [decode(path, rate).samples for path in audio]
    for name, cut, gain in (("copy.mp3", 7001, 0.5), ("copy.ogg", 0, 1.0)):
        soundfile.write(tmp_path / name, gain * pieces[0][cut:], rate)
    copies = [decode(tmp_path / name, rate).samples for name in ("copy.mp3", "copy.ogg")]
    marks = [fingerprint(samples, rate) for samples in [*pieces, *copies]]
    assert find_copies(marks) == [0, 1, 2, 3, 0, 0]
    assert fingerprint(pieces[0][:100], rate).shape == (2, 0)
    assert find_copies([marks[0][:, :0], marks[0]]) == [0, 1]
