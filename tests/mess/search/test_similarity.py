"""Every aspect ranks on one scale: 1 equal, 0 chance for this query, never under −1."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mess.records.index import Column
from mess.search.coordinate_index import ColumnWeights, CoordinateIndex, Point, serialise
from mess.search.ranking import Query, SearchSpace, Term, point_shares
from mess.search.similarity import LEAST_ALIKE, fit_scale, references_of
from mess.search.spaces import whiten


def build(x: np.ndarray, overall: np.ndarray) -> CoordinateIndex:
    return CoordinateIndex(
        serialise(x, overall), [Column(str(i), "probe") for i in range(x.shape[1])]
    )


def space_of(x: np.ndarray, *, seed: int = 0) -> SearchSpace:
    overall = whiten(np.random.default_rng(seed).standard_normal((len(x), 12)))
    return SearchSpace(build(x, overall), None, len(x))


def term(column: int, weight: float) -> Term:
    own = ColumnWeights(str(column), np.array([column]), np.array([1.0]))
    return Term(str(column), weight, own, None, ())


@settings(max_examples=60)
@given(
    n=st.integers(2, 60),
    weights=st.lists(st.floats(-1, 1), min_size=4, max_size=4),
    unlike=st.integers(0, 2),
    move=st.floats(-3, 3),
    seed=st.integers(0, 10_000),
)
def test_scores_stay_in_their_bounds_whatever_the_weights(
    n: int, weights: list[float], unlike: int, move: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 3)) ** 3
    x[rng.random(x.shape) < 0.1] = np.nan
    space = space_of(x, seed=seed)
    total = sum(map(abs, weights)) or 1.0
    terms = [term(column, weights[column] / total) for column in range(3)]
    assert space.coordinates is not None
    terms.append(Term("overall", weights[3] / total, space.coordinates.overall, None, ()))
    rows = rng.integers(0, n, 1 + unlike).tolist()
    points = list(zip(rows, point_shares(1, unlike), strict=True))
    query = Query(terms, points, {"1": move})
    scores = space.scores(query)
    assert np.abs(scores).max() <= 1 + 1e-4
    # The shares of the terms add up to the score (but for what decides between equals).
    shares = space.shares(query, np.arange(n))
    np.testing.assert_allclose(shares.sum(axis=0), scores, atol=1e-4)


@settings(max_examples=60)
@given(values=st.lists(st.floats(0, 1e6), min_size=1, max_size=300))
def test_a_farther_track_is_never_more_alike(values: list[float]) -> None:
    scale = fit_scale(np.array(values))
    asked = np.sort(np.append(values, [0.0, 1e9]))
    similar = scale.similarity(asked)
    assert (np.diff(similar) <= 1e-12).all()
    assert similar[0] == 1.0
    assert similar.min() >= -1.0


def test_what_differs_by_rounding_is_equal() -> None:
    """A recording that is handed over again is as like its track as the track is like itself."""
    x = np.repeat(np.random.default_rng(5).standard_normal((20, 1)), 3, axis=0)
    space = space_of(x)
    point = Point.from_coordinates(x[7] * (1 + 1e-7), np.zeros(0))
    similar = space.shares(Query([term(0, 1.0)], [(point, 1.0)]), np.arange(60))[0]
    assert np.flatnonzero(similar == 1.0).tolist() == [6, 7, 8]


def test_chance_is_zero_and_a_tenth_is_as_unlike_as_can_be() -> None:
    for spread in (1e-3, 1.0, 1e4):  # whatever the unit
        x = spread * np.random.default_rng(0).lognormal(0, 2, (999, 1))
        space = space_of(x)
        for row in (0, 17, int(np.argmax(x)), int(np.argmin(x))):
            similar = space.shares(Query([term(0, 1.0)], [(row, 1.0)]), np.arange(999))[0]
            assert similar[row] == 1.0
            assert np.median(similar) == pytest.approx(0.0, abs=0.02)
            assert (similar == -1.0).mean() == pytest.approx(LEAST_ALIKE, abs=0.02)


def test_equal_weights_weigh_equally_whatever_an_aspect_is_measured_by() -> None:
    """Cosines of whitened vectors spread less than targets do; in a mix they count as much."""
    rng = np.random.default_rng(1)
    space = space_of(rng.standard_normal((500, 1)))
    assert space.coordinates is not None
    overall = Term("overall", 0.5, space.coordinates.overall, None, ())
    shares = space.shares(Query([term(0, 0.5), overall], [(3, 1.0)]), np.arange(500))
    with_mix = [float(np.corrcoef(one, shares.sum(axis=0))[0, 1]) for one in shares]
    assert min(with_mix) > 0.6
    assert abs(with_mix[0] - with_mix[1]) < 0.1


def test_what_is_disliked_does_not_ruin_what_is_liked() -> None:
    """As a parabola without end, −0.4 of one aspect left nothing of +0.6 of the other."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((400, 2))
    space = space_of(x)
    apart, tops = [], set()
    for row in range(100):
        scores = space.scores(Query([term(0, 0.6), term(1, -0.4)], [(row, 1.0)]))
        best = np.argsort(-scores)[:10]
        tops.add(int(best[0]))
        liked, disliked = np.abs(x - x[row]).T
        apart.append((liked[best].mean() / liked.mean(), disliked[best].mean() / disliked.mean()))
    liked_, disliked_ = np.mean(apart, axis=0)
    assert liked_ < 0.35
    assert disliked_ > 1.4
    assert len(tops) > 40


def test_most_unlike_is_not_the_same_few_tracks_for_every_query() -> None:
    x = np.random.default_rng(3).standard_normal((400, 1))
    space = space_of(x)
    found = set()
    for row in range(100):
        scores = space.scores(Query([term(0, -1.0)], [(row, 1.0)]))
        best = int(np.argmax(scores))
        assert scores[best] == pytest.approx(1.0, abs=1e-4)
        found.add(best)
    assert len(found) > 20


def test_a_value_that_is_not_known_is_as_unlike_as_chance() -> None:
    x = np.array([[0.5], [np.nan], [-1.0], [0.6], [2.0]])
    space = space_of(x)
    similar = space.shares(Query([term(0, 1.0)], [(0, 1.0)]), np.arange(5))[0]
    assert similar[1] == 0.0
    assert similar[0] == 1.0


def test_a_value_that_is_not_known_is_chance_where_all_others_are_equal() -> None:
    space = space_of(np.array([[0.5], [np.nan], [0.5], [0.5]]))
    similar = space.shares(Query([term(0, 1.0)], [(0, 1.0)]), np.arange(4))[0]
    assert similar.tolist() == [1.0, 0.0, 1.0, 1.0]


def plain_similarity(apart: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Return similarities by the definition, one aspect at a time."""
    known = np.sort(references[np.isfinite(references)]).astype(np.float64)
    if not known.size or known[-1] <= 0:
        return np.where(np.isnan(apart), 0.0, 1.0)
    rank = np.unique(np.linspace(0, known.size - 1, min(65, known.size)).round().astype(int))
    share = (rank + 1) / known.size
    alike = np.where(
        share < 0.5, 1 - 2 * share, -np.minimum((share - 0.5) / (0.5 - LEAST_ALIKE), 1)
    )
    nearest = 1e-6 * (known[known.size // 2] or known[-1])
    knots, values = [nearest], [1.0]
    for distance, value in zip(known[rank].tolist(), alike.tolist(), strict=True):
        if distance > knots[-1]:  # of equal distances the first
            knots.append(distance)
            values.append(value)
    return np.where(np.isnan(apart), 0.0, np.interp(apart, knots, values))


@settings(max_examples=30, deadline=None)
@given(
    n=st.sampled_from([7, 300, 1300]),
    of=st.lists(st.sampled_from([1, 2, 4]), min_size=1, max_size=10),
    power=st.sampled_from([1, 3, 9]),  # how far the farthest tracks lie
    rounded=st.booleans(),  # many equal distances
    unknown=st.sampled_from([0.0, 0.2]),
    move=st.sampled_from([0.0, 1.5]),
    seed=st.integers(0, 10_000),
)
def test_all_sliders_at_once_give_what_the_definition_gives(
    n: int, of: list[int], power: int, rounded: bool, unknown: float, move: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 12)) ** power
    x = ((4 * x).round() / 4 if rounded else x).astype(np.float32)
    x[rng.random(x.shape) < unknown] = np.nan
    space, row = space_of(x, seed=seed), int(rng.integers(n))
    assert space.coordinates is not None
    terms, expected = [], np.zeros(n)
    for number, count in enumerate(of):
        columns = rng.choice(12, count, replace=False)
        own = ColumnWeights(str(number), columns, np.full(count, 1 / count))
        terms.append(Term(str(number), float(rng.uniform(0, 1)) / len(of), own, None, ()))
        at = np.nan_to_num(x[row, columns]) + np.float32(move if number == 0 else 0.0)
        squares = [np.square(x[:, c] - own) for c, own in zip(columns, at, strict=True)]
        apart = sum(squares[1:], squares[0]) / np.float32(count)
        expected += terms[-1].weight * plain_similarity(apart, apart[references_of(n)])
    overall = Term("overall", 0.5 / len(of), space.coordinates.overall, None, ())
    vectors = space.coordinates.everything.overall
    apart = 1 - vectors @ vectors[row]
    expected += overall.weight * plain_similarity(apart, apart[references_of(n)])
    query = Query([*terms, overall], [(row, 1.0)], {"0": move})
    np.testing.assert_allclose(space.scores(query), expected, atol=1e-4)


def test_a_recording_outside_of_the_index_is_scored_like_a_track() -> None:
    x = np.random.default_rng(4).standard_normal((80, 2))
    space = space_of(x)
    assert space.coordinates is not None
    inside = space.coordinates.point(7)
    outside = Point.from_coordinates(inside.x, inside.overall)
    terms = [term(0, 0.7), term(1, -0.3)]
    np.testing.assert_allclose(
        space.scores(Query(terms, [(7, 1.0)])), space.scores(Query(terms, [(outside, 1.0)]))
    )
