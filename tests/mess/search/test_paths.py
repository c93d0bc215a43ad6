"""A path goes evenly from one end to the other, with at most one recording of each work."""

from itertools import permutations, product
from pathlib import Path as File

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mess.errors import MessError, UnknownName
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.search.paths import Between, Path, Step, even_path, path_between
from mess.storage.store import Store

POINTS = st.lists(
    st.tuples(st.integers(-40, 140), st.integers(-60, 60), st.integers(0, 5)),
    min_size=1,
    max_size=7,
)


def walk(points: list[tuple[int, int, int]], *, steps: int) -> tuple[Between, list[int]]:
    """The path from (0, 0) to (100, 0) on a plane; the third number of a point is its work."""
    at = np.array(points, dtype=float)[:, :2] / 100
    works = [work for _, _, work in points]
    start, end = (np.square(at - place).sum(axis=1) for place in ([0, 0], [1, 0]))
    return even_path(start, end, between=1.0, works=works, steps=steps), works


def cost(points: list[tuple[int, int, int]], rows: tuple[int, ...]) -> float:
    """Squared distances from the line, and from even places along it."""
    return sum(
        (points[row][1] / 100) ** 2 + ((len(rows) + 1) * points[row][0] / 100 - number) ** 2
        for number, row in enumerate(rows, start=1)
    )


@given(POINTS, st.integers(1, 4))
def test_the_choice_is_the_best_of_all(points: list[tuple[int, int, int]], steps: int) -> None:
    found, works = walk(points, steps=steps)
    between = [row for row, (x, _, _) in enumerate(points) if 0 < x < 100]
    own = sorted({works[row] for row in between})
    assert len(found.rows) == min(steps, len(own))
    assert set(found.rows.tolist()) <= set(between)
    assert len({works[row] for row in found.rows}) == len(found.rows)
    assert (np.diff(found.positions) >= 0).all()
    np.testing.assert_allclose(found.positions, [points[row][0] / 100 for row in found.rows])
    np.testing.assert_allclose(
        found.aside, [abs(points[row][1]) / 100 for row in found.rows], atol=1e-7
    )
    if not len(found.rows):
        return
    of = {work: [row for row in between if works[row] == work] for work in own}
    best = min(
        cost(points, rows)
        for order in permutations(own, len(found.rows))
        for rows in product(*(of[work] for work in order))
    )
    assert cost(points, tuple(found.rows.tolist())) == pytest.approx(best, abs=1e-9)


@given(POINTS, st.integers(1, 4), st.integers(-20, 20))
def test_the_unit_of_distance_does_not_matter(
    points: list[tuple[int, int, int]], steps: int, power: int
) -> None:
    at = np.array(points, dtype=float)[:, :2] / 100
    works = [work for _, _, work in points]
    start, end = (np.square(at - place).sum(axis=1) for place in ([0, 0], [1, 0]))
    unit = 2.0**power  # exact in any rounding
    one = even_path(start, end, between=1.0, works=works, steps=steps)
    other = even_path(start * unit, end * unit, between=unit, works=works, steps=steps)
    assert one.rows.tolist() == other.rows.tolist()


def test_what_lies_evenly_on_the_line_is_the_path() -> None:
    x = np.linspace(0, 1, 10)
    found = even_path(x**2, (x - 1) ** 2, between=1.0, works=range(10), steps=8)
    assert found.rows.tolist() == list(range(1, 9))
    np.testing.assert_allclose(found.positions, np.arange(1, 9) / 9)
    np.testing.assert_allclose(found.aside, 0, atol=1e-7)


def test_unknown_and_excluded_tracks_are_passed_over() -> None:
    x = np.array([0.5, 0.5, 0.5, 2.0, -1.0])
    start = np.array([np.nan, *x[1:] ** 2])
    out = np.array([False, True, False, False, False])
    found = even_path(start, (x - 1) ** 2, between=1.0, works=range(5), steps=3, exclude=out)
    assert found.rows.tolist() == [2]


def test_evenness_compares_the_even_distance_with_the_largest() -> None:
    def of(*positions: float) -> float:
        return Path([Step(str(p), p, 0.0) for p in positions]).evenness

    assert of(0, 0.25, 0.5, 0.75, 1) == pytest.approx(1)
    assert of(0, 0.5, 0.5, 1) == pytest.approx(2 / 3)
    assert of(0, 0.01, 0.02, 1) == pytest.approx(0.34, abs=0.01)


@pytest.fixture(scope="module")
def recommender(demo_library: File) -> LayerBasedRecommender:
    return LayerBasedRecommender("demo", "spectral", store=Store(demo_library))


def test_a_path_between_two_recordings(recommender: LayerBasedRecommender) -> None:
    name = recommender.get_available_aspects()[0]
    target = recommender.aspects[name].steered[0]
    column = recommender.space.coordinates
    assert column is not None
    place = column.find(target, "probe")
    values = column.values(np.arange(len(recommender.track_ids)), place)[:, 0]
    start, end = (recommender.track_ids[row] for row in (np.argmin(values), np.argmax(values)))
    path = path_between(recommender, start, end, {name: 1.0}, steps=4, method="probe")
    ids = [step.track_id for step in path.steps]
    assert (ids[0], ids[-1], len(ids)) == (start, end, 6)
    own = [recommender.works[recommender.row(track)] for track in ids]
    assert len(set(own)) == len(own)
    # One target, so the path climbs along it, and no step is aside.
    climbs = [step.values[target] for step in path.steps]
    if len(recommender.aspects[name].steered) == 1:
        assert climbs == sorted(climbs)
        assert max(step.aside for step in path.steps) < 1e-3
    assert [step.position for step in path.steps] == sorted(step.position for step in path.steps)
    assert 0 < path.evenness <= 1 and path.methods == {name: "probe"}
    # The way back is the same way.
    back = path_between(recommender, end, start, {name: 1.0}, steps=4, method="probe")
    assert [step.track_id for step in back.steps] == ids[::-1]


@pytest.mark.parametrize("method", ["direct", "layer", "subspace", None])
def test_every_method_has_a_path(recommender: LayerBasedRecommender, method: str) -> None:
    name = recommender.get_available_aspects()[0]
    start, end = recommender.track_ids[0], recommender.track_ids[-1]
    weights = {name: 2.0, "overall": 1.0}
    path = path_between(recommender, start, end, weights, steps=3, method=method)  # type: ignore[arg-type]
    assert len(path.steps) == 5 and path.weights == {name: 2 / 3, "overall": 1 / 3}
    assert path.as_dict()["evenness"] == path.evenness


def test_what_has_no_path_says_why(recommender: LayerBasedRecommender) -> None:
    one, two = recommender.track_ids[:2]
    name = recommender.get_available_aspects()[0]
    with pytest.raises(MessError, match=r"give .* a weight above 0"):
        path_between(recommender, one, two, {name: -1.0})
    with pytest.raises(MessError, match="nothing lies between"):
        path_between(recommender, one, one, {name: 1.0})
    with pytest.raises(MessError, match="from 1 to 100 steps, not 0"):
        path_between(recommender, one, two, {name: 1.0}, steps=0)
    with pytest.raises(UnknownName, match="unknown track"):
        path_between(recommender, one, "nobody", {name: 1.0})
