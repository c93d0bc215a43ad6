"""Outliers, correlations and what the MIDI has to say of a target."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from mess.targets import ALL_TARGETS, TARGETS
from mess.targets.summaries import (
    COUNTERPARTS,
    STATED,
    as_expected,
    clustered_order,
    outliers,
    robust_z,
    spearman_interval,
    spearman_matrix,
    strongest_pairs,
)

NUMBERS = st.lists(st.integers(-1000, 1000).map(float), min_size=5, max_size=30)


@given(NUMBERS, st.floats(0.01, 100), st.floats(-50, 50))
def test_robust_deviations_do_not_know_unit_and_origin(
    values: list[float], scale: float, shift: float
) -> None:
    first, second = robust_z(np.array(values)), robust_z(scale * np.array(values) + shift)
    np.testing.assert_allclose(first, second, rtol=1e-6, atol=1e-6)


def test_an_outlier_is_found_whatever_its_size_and_nothing_in_what_is_equal() -> None:
    usual = np.random.default_rng(0).standard_normal(50)
    values = pd.Series(np.append(usual, [1e9, np.nan]))
    assert outliers(values).index.tolist()[0] == 50
    assert outliers(pd.Series([3.0] * 8)).empty
    assert outliers(pd.Series([3.0] * 8 + [5.0])).index.tolist() == [8]


def test_correlations_are_scipys_and_leave_out_what_is_unknown() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.standard_normal((30, 3)), columns=["a", "b", "c"])
    table.loc[:4, "b"] = np.nan
    found = spearman_matrix(table)
    expected = spearmanr(table["a"][5:], table["b"][5:]).statistic
    assert abs(found.loc["a", "b"] - expected) < 1e-12
    pairs = strongest_pairs(found)
    assert len(pairs) == 3
    assert [abs(value) for *_, value in pairs] == sorted(
        (abs(value) for *_, value in pairs), reverse=True
    )


def test_what_goes_together_lies_together_with_either_sign() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((2, 60))
    table = pd.DataFrame(
        {
            "one": one,
            "other": other,
            "minus one": -one + 0.1 * rng.standard_normal(60),
            "like other": other + 0.1 * rng.standard_normal(60),
            "unknown": np.nan,
        }
    )
    order = clustered_order(spearman_matrix(table))
    assert sorted(order) == sorted(table.columns)
    assert order[-1] == "unknown"
    assert abs(order.index("one") - order.index("minus one")) == 1
    assert abs(order.index("other") - order.index("like other")) == 1


def test_counterparts_are_targets() -> None:
    for one in COUNTERPARTS:
        assert one.proxy in TARGETS
        assert one.truth == STATED or ALL_TARGETS[one.truth].family == "performance"


@given(st.floats(-0.999, 0.999), st.integers(5, 2000))
def test_a_correlation_is_as_expected_only_if_it_is_sure_and_not_small(
    correlation: float, works: int
) -> None:
    bounds = spearman_interval(correlation, works=works)
    assert bounds is not None and bounds[0] <= correlation <= bounds[1]
    more = spearman_interval(correlation, works=2 * works)
    assert more is not None and more[1] - more[0] < bounds[1] - bounds[0]
    said = as_expected(correlation, sign=1, works=works)
    assert said == as_expected(-correlation, sign=-1, works=works)
    sure = bounds[0] > 0 or bounds[1] < 0
    assert (said == "not told") != sure
    assert (said == "yes") == (sure and correlation >= 0.3)
    assert (said == "no") == (sure and correlation < 0)


def test_with_few_works_nothing_is_told() -> None:
    assert spearman_interval(0.9, works=4) is None
    assert as_expected(0.9, sign=1, works=4) == "not told"
    assert as_expected(float("nan"), sign=1, works=40) == "not told"
