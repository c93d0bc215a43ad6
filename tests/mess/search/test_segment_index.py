"""Many segments are searched in part: the recall that is recorded is the recall that is found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.plain import best_segments, segment_coordinates
from mess.records.index import Column
from mess.search.coordinate_index import CoordinateIndex
from mess.search.passages import segment_index as segment_index
from mess.search.passages.merging import merge
from mess.search.passages.recall import EPSILON, KINDS, WANTED, draw_query, kind_of
from mess.search.passages.segment_index import FLAT, SegmentIndex, build_segment_index

Coordinates = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def coordinates() -> Coordinates:
    return segment_coordinates(20_000)


@pytest.fixture(scope="module")
def built(coordinates: Coordinates) -> tuple[SegmentIndex, dict]:
    x, overall = coordinates
    columns = [Column(str(number), "probe") for number in range(x.shape[1])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_index, "FLAT_UP_TO", 1000)
        parts, search = build_segment_index(x, overall, columns, queries=40)
    return SegmentIndex(CoordinateIndex(parts[FLAT], columns), parts, search), search


@pytest.mark.parametrize("kind", KINDS)
def test_the_recall_that_is_recorded_is_found(
    coordinates: Coordinates, built: tuple[SegmentIndex, dict], kind: str
) -> None:
    x, overall = coordinates
    index, search = built
    plan = search.kinds[kind]
    assert plan.recall >= WANTED - 0.01
    rng = np.random.default_rng(99)
    right = 0
    squares = np.square(x)
    for _ in range(40):
        query, row = draw_query(kind, x, overall, rng=rng)
        exact = best_segments(x, squares, overall, query, k=11)
        exact = exact[exact != row][:10]
        found = index.best(query, k=10, exclude=[(row, row + 1)], unlike="unlike" in kind)
        assert row not in found
        least = index.coordinates.scores(query)[exact[-1]]
        right += int((index.coordinates.scores(query)[found] >= least - EPSILON).sum())
    assert right / 400 >= plan.recall - 0.02


@pytest.mark.parametrize("way, step", [("cells", 10**6), ("scan", 10**6), ("all", 0)])
def test_reading_everything_is_exact(
    coordinates: Coordinates, built: tuple[SegmentIndex, dict], way: str, step: int
) -> None:
    x, overall = coordinates
    index, _ = built
    kind = "two or three aspects" if way == "cells" else "overall and aspects, some unlike"
    query, _ = draw_query(kind, x, overall, rng=np.random.default_rng(3))
    exclude = [(0, 4000), (3000, 5000)]
    rows, scores = index.search(query, k=20, way=way, step=step, exclude=exclude)
    truth = index.coordinates.scores(query)
    truth[:5000] = -np.inf
    np.testing.assert_allclose(scores, np.sort(truth)[::-1][:20], atol=1e-5)
    assert (rows >= 5000).all()


def test_the_farthest_segment_is_found_in_one_cell(
    coordinates: Coordinates, built: tuple[SegmentIndex, dict]
) -> None:
    """What is farthest along an aspect lies at a bound of its cluster, which is known exactly."""
    x, overall = coordinates
    index, _ = built
    for column in range(12):
        query = np.zeros(24 + overall.shape[1], dtype=np.float32)
        query[[column, 12 + column]] = -x[7, column], 0.5
        rows, _ = index.search(query, k=1, way="cells", step=1)
        assert rows[0] == np.argmax(np.abs(x[:, column] - x[7, column]))


def test_kinds_of_queries_are_told_apart(coordinates: Coordinates) -> None:
    x, overall = coordinates
    for kind in KINDS:
        for seed in range(20):
            query, _ = draw_query(kind, x, overall, rng=np.random.default_rng(seed))
            weights = -2 * query[12:24]
            unlike = bool((weights < 0).any()) or "overall, unlike" in kind
            if kind.startswith("overall and") and "unlike" in kind:
                unlike = True
            assert kind_of(query, columns=12, unlike=unlike) == kind


@settings(max_examples=200)
@given(
    ranked=st.permutations(range(24)),
    k=st.integers(1, 6),
    per_track=st.one_of(st.none(), st.integers(1, 2)),
)
def test_merging(ranked: list[int], k: int, per_track: int | None) -> None:
    track_of = np.repeat(np.arange(4), [3, 9, 1, 11])
    runs = merge(ranked, track_of=track_of, k=k, max_per_track=per_track)
    assert len(runs) <= k
    covered = [row for run in runs for row in range(run.first, run.last + 1)]
    assert len(covered) == len(set(covered))
    for run in runs:
        assert track_of[run.first] == track_of[run.last] == track_of[run.best]
        assert run.first <= run.best <= run.last
        # The best of a run is the first of its rows in the ranking.
        assert run.best == min(range(run.first, run.last + 1), key=ranked.index)
    for one in runs:  # no two touch
        assert all(
            one.last + 1 != other.first or track_of[one.last] != track_of[other.first]
            for other in runs
        )
    order = [ranked.index(run.best) for run in runs]
    assert order == sorted(order)
    if per_track is not None:
        counts = np.bincount([track_of[run.best] for run in runs], minlength=4)
        assert counts.max() <= per_track


def test_labels_are_capped_and_empty_ones_are_not() -> None:
    track_of = [0, 1, 2, 3]
    options = {"track_of": track_of, "k": 4, "max_per_label": 1}
    labelled = merge(range(4), label_of=["a", "a", "b", "b"], **options)  # type: ignore[arg-type]
    assert [run.best for run in labelled] == [0, 2]
    unknown = merge(range(4), label_of=["", "", "b", "b"], **options)  # type: ignore[arg-type]
    assert [run.best for run in unknown] == [0, 1, 2]
