"""A course is found wherever it lies and however wide it swings, as plain correlations say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mess.errors import MessError
from mess.search.courses import find_courses

SWELL = np.array([0.0, 0.5, 1.0, 2.0, 3.0, 3.5, 3.0, 1.0, 0.5, 0.0])


def plain(
    query: np.ndarray, values: np.ndarray, owner: np.ndarray, *, least_scale: float = 0.25
) -> dict[int, float]:
    """Return r of every stretch that may be found, one by one."""
    m, found = len(query), {}
    for first in range(len(values) - m + 1):
        own = values[first : first + m]
        whole = np.isfinite(own).all() and owner[first] == owner[first + m - 1]
        if whole and own.std() >= max(least_scale * query.std(), 1e-3 * np.nanstd(values)):
            found[first] = float(np.corrcoef(query, own)[0, 1])
    return found


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    m=st.integers(3, 20),
    height=st.floats(-1e4, 1e4),
)
def test_it_finds_what_correlations_of_all_stretches_find(
    seed: int, lengths: list[int], m: int, height: float
) -> None:
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    values = height + np.cumsum(rng.standard_normal(len(owner)))
    values[rng.random(len(owner)) < 0.03] = np.nan
    query = np.cumsum(rng.standard_normal(m))
    if not np.isfinite(values).any() or query.std() <= 1e-3 * np.nanstd(values):
        return
    expected = plain(query, values, owner)
    found = find_courses(query, values, owner, count=len(owner), per_group=None)
    for one in found:
        assert one.r == pytest.approx(expected[one.first], abs=1e-6)
        own = values[one.first : one.first + m]
        assert one.scale == pytest.approx(own.std() / query.std(), rel=1e-6)
        assert one.shift == pytest.approx(own.mean() - query.mean(), abs=1e-6)
    best = max(expected.values(), default=-1.0)
    if best > 1e-6:
        assert found[0].r == pytest.approx(best, abs=1e-6)
        assert [one.r for one in found] == sorted((one.r for one in found), reverse=True)
    places = sorted(one.first for one in found)
    assert all(b - a >= m for a, b in zip(places, places[1:], strict=False))


@settings(max_examples=20)
@given(
    place=st.integers(0, 70),
    scale=st.floats(0.3, 100.0),
    shift=st.floats(-1000.0, 1000.0),
    track=st.integers(0, 4),
)
def test_a_planted_course_is_found_at_any_height_and_width(
    place: int, scale: float, shift: float, track: int
) -> None:
    rng = np.random.default_rng(3)
    values = rng.standard_normal((5, 80))
    values[track, place : place + 10] = shift + scale * SWELL
    owner = np.repeat(np.arange(5), 80)
    (best,) = find_courses(SWELL, values.ravel(), owner, count=1)
    assert best.first == 80 * track + place
    assert best.r == pytest.approx(1.0, abs=1e-6)
    assert (best.scale, best.shift) == pytest.approx((scale, shift + (scale - 1) * SWELL.mean()))


def test_what_is_left_out_is_not_found() -> None:
    rng = np.random.default_rng(4)
    values = rng.standard_normal((4, 60))
    for track in range(4):
        values[track, 10:20] = (track + 1) * SWELL + 0.1 * track * rng.standard_normal(10)
    values[2, 40:50] = SWELL  # a second time, exactly
    owner = np.repeat(np.arange(4), 60)

    def rows(**asked: object) -> list[int]:
        return [one.first for one in find_courses(SWELL, values.ravel(), owner, **asked)]  # type: ignore[arg-type]

    assert rows(count=4, left_out=(10, 20))[:3] == [160, 70, 190]
    assert rows(count=1, left_out=(15, 16)) == [160], "what overlaps is left out"
    assert rows(count=1, allowed=np.array([False, True, False, True])) == [70]
    assert set(rows(count=5, per_group=None)[:2]) == {10, 160}
    assert rows(count=2, groups=np.array([0, 0, 0, 1])) == [10, 190]
    reversed_ = find_courses(SWELL, -SWELL, np.zeros(10, dtype=int), count=1)
    assert reversed_ == [], "the other way round is no likeness"
    faint = np.concatenate([0.2 * SWELL, 5 * rng.standard_normal(30)])
    found = find_courses(SWELL, faint, np.zeros(40, dtype=int), count=3)
    assert 0 not in [one.first for one in found], "hardly a fifth as wide"


@pytest.mark.parametrize("query", [np.full(10, -3.0), np.r_[np.nan, SWELL[1:]], SWELL[:2]])
def test_a_span_without_a_course_is_refused(query: np.ndarray) -> None:
    values = np.random.default_rng(0).standard_normal(50)
    with pytest.raises(MessError, match="choose"):
        find_courses(query, values, np.zeros(50, dtype=int), count=1)
