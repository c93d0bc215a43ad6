"""The statistic of doses: slope, interval, linearity, and when there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mess.probing.dose import LEAST_MOVE, respond

WORKS, DOSES = 14, 4
WORK = np.repeat(np.arange(WORKS), DOSES)
DOSE = np.tile([-2.0, -1.0, 1.0, 2.0], WORKS)


@settings(max_examples=30)
@given(slope=st.floats(-2, 2), noise=st.floats(0, 0.2), seed=st.integers(0, 50))
def test_the_slope_is_that_of_the_line_through_the_unedited(
    slope: float, noise: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    change = 0.5 * DOSE * np.repeat(rng.uniform(0.5, 1.5, WORKS), DOSES)
    answer = slope * change + noise * rng.standard_normal(change.size)
    (found,) = respond(change, answer[:, None], WORK, DOSE, resamples=200)
    assert found.slope == pytest.approx((change @ answer) / (change @ change))
    assert found.low is not None and found.high is not None
    assert found.low - 1e-9 <= found.slope <= found.high + 1e-9
    assert found.measured == pytest.approx(np.sqrt(np.mean(change**2)))
    assert found.predicted == pytest.approx(np.sqrt(np.mean(answer**2)))
    order = rng.permutation(change.size)
    (again,) = respond(change[order], answer[order, None], WORK[order], DOSE[order], resamples=200)
    assert again.slope == pytest.approx(found.slope) and again.low == pytest.approx(found.low)


def test_one_that_follows_is_told_from_one_that_is_blind_and_one_that_bends() -> None:
    change = 0.5 * DOSE
    rng = np.random.default_rng(0)
    answers = np.stack([change, 0 * change, np.abs(change)], axis=1)
    answers += 0.05 * rng.standard_normal(answers.shape)
    follows, blind, bends = respond(change, answers, WORK, DOSE)
    assert follows.low is not None and follows.low > 0.8
    assert blind.high is not None and blind.high < 0.2
    assert follows.linearity is not None and follows.linearity > 0.95
    assert bends.linearity is not None and bends.linearity < 0.1
    assert follows.agreement is not None and follows.agreement > 0.9


def test_a_target_that_an_edit_does_not_move_has_no_slope_and_shows_what_is_moved() -> None:
    change = 0.5 * LEAST_MOVE * np.sign(DOSE)
    (found,) = respond(change, np.ones((change.size, 1)), WORK, DOSE)
    assert found.slope is None and found.low is None and found.linearity is None
    assert found.predicted == 1.0 and found.n == change.size


def test_few_works_have_no_interval_and_what_is_undefined_is_left_out() -> None:
    change = 0.5 * DOSE.copy()
    change[::4] = np.nan
    few = WORK < 8
    (found,) = respond(change[few], 2 * change[few, None], WORK[few], DOSE[few])
    assert found.slope == pytest.approx(2.0) and found.low is None
    assert (found.n, found.works) == (24, 8)
