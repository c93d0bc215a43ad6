"""Sliders compose: what is liked stays near when something else is disliked."""

import numpy as np
import pytest

from mess.evaluation.composition import measure_composition
from mess.records.index import Column
from mess.search.coordinate_index import ColumnWeights, CoordinateIndex, serialise
from mess.search.ranking import Query, SearchSpace, Term


def test_bounded_similarities_keep_the_liked_aspect_and_parabolas_lose_it() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((150, 2))
    columns = [Column(name, "probe") for name in ("a", "b")]
    space = SearchSpace(CoordinateIndex(serialise(x, np.zeros((150, 0))), columns), None, 150)
    terms = [
        Term(name, 1.0, ColumnWeights(name, np.array([number]), np.ones(1)), None, ())
        for number, name in enumerate(("a", "b"))
    ]
    rows = np.arange(150)

    def bounded(row: int) -> dict[str, np.ndarray]:
        shares = space.shares(Query(terms, [(row, 1.0)]), rows)
        return dict(zip(("a", "b"), shares, strict=True))

    def parabola(row: int) -> dict[str, np.ndarray]:
        return {name: 1 - (x[:, n] - x[row, n]) ** 2 / 2 for n, name in enumerate(("a", "b"))}

    def measure(similar: object) -> tuple[list, dict]:
        found = measure_composition(
            similar,  # type: ignore[arg-type]
            {"a": [0], "b": [1]},
            x,
            rows,
            queries=rows[:60],
        )
        return found.composed, found.mix

    (mild, strong), mix = measure(bounded)
    (before, _), _ = measure(parabola)
    assert (mild.weight, strong.weight) == (-0.4, -1.0)
    assert mild.liked is not None and before.liked is not None
    assert mild.liked < 0.4 < 0.5 * before.liked + 0.2
    assert mild.disliked is not None and mild.disliked > 1.3
    assert mild.top_hits > 2 * before.top_hits
    assert mix["a"] == pytest.approx(mix["b"], abs=0.1)
    assert min(mix.values()) > 0.5  # type: ignore[type-var]


@pytest.mark.filterwarnings("error")
def test_with_three_recordings_the_mix_is_undefined_and_nothing_warns() -> None:
    found = measure_composition(
        lambda _row: {"a": np.zeros(3)},
        {"a": [0]},
        np.ones((3, 1)),
        np.arange(3),
        queries=np.arange(2),
    )
    assert found.mix == {"a": None}
