"""Planted errors are listed first, each once; what is undefined is no difference."""

import numpy as np
import pytest

from mess.lanes.disagreement import largest_differences, lowest_correlations
from mess.lanes.recordings import correlation, stretch_of


def test_the_largest_differences_come_first_and_apart() -> None:
    rng = np.random.default_rng(0)
    first = np.array([0, 100, 200])
    measured = rng.standard_normal(200)
    predicted = measured + 0.1 * rng.standard_normal(200)
    predicted[[40, 41, 150]] += [6.0, 5.0, -9.0]
    measured[10], predicted[190] = np.nan, np.nan
    found = largest_differences(measured, predicted, first, count=2)
    assert [one.row for one in found] == [150, 40]
    spread = np.nanstd(predicted - measured)
    assert found[0].deviations == pytest.approx((predicted[150] - measured[150]) / spread)
    assert (found[0].measured, found[0].predicted) == (measured[150], predicted[150])
    rows = [one.row for one in largest_differences(measured, predicted, first, count=50)]
    assert len(rows) == 4, "two of each track"
    assert all(abs(a - b) >= 20 for a in rows[::1] for b in rows if a != b and a // 100 == b // 100)
    assert largest_differences(measured, measured, first, count=3) == []


def test_the_lowest_correlations_come_first() -> None:
    rng = np.random.default_rng(1)
    measured = rng.standard_normal((4, 60))
    predicted = measured + np.array([0.1, 5.0, 1.0, 0.0])[:, None] * rng.standard_normal((4, 60))
    predicted[3] = 2.0  # never moves: no correlation
    measured[0, 12:] = np.nan  # six seconds: too short
    first = np.arange(0, 241, 60)
    found = lowest_correlations(measured.ravel(), predicted.ravel(), first, count=9)
    assert [track for track, _ in found] == [1, 2]
    assert found[0][1] == pytest.approx(np.corrcoef(measured[1], predicted[1])[0, 1])


def test_a_part_has_one_moment_more_on_either_side() -> None:
    start = np.arange(0.0, 20.0, 0.5)
    part = stretch_of(start, first=5.0, seconds=5.0)
    assert (part.rows.start, part.rows.stop) == (9, 21)
    np.testing.assert_allclose(part.at, start[9:21] + 0.25)
    assert stretch_of(start, first=0.0, seconds=99.0).at.size == 40
    assert correlation(start, 3 - start) == pytest.approx(-1.0)
    assert correlation(start[:3], start[:3]) is None
