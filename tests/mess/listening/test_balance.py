"""The choice of triplets favours no method."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mess.listening.balance import choose_triplets, patterns, rank_margins


def draw(methods: int, seed: int, *, scales: np.ndarray, triplets: int = 3000):
    """Margins of methods that agree in part, in units of their own."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((triplets, 1))
    margins = (0.7 * common + rng.standard_normal((triplets, methods))) * scales
    members = np.stack([rng.permutation(120)[:3] for _ in range(triplets)])
    return rank_margins(margins), members, np.arange(120) // 3


@settings(max_examples=4)
@given(st.integers(2, 4), st.integers(0, 10_000))
def test_every_method_is_alone_and_certain_as_often_as_any_other(methods: int, seed: int) -> None:
    scales = 10.0 ** np.arange(methods)  # one says Hz, one a cosine
    margins, members, works = draw(methods, seed, scales=scales)
    rows = choose_triplets(margins, members, works, count=14, rng=np.random.default_rng(seed))
    assert len(rows) >= 14 and len(rows) % len(patterns(methods)) == 0
    signs = np.sign(margins[rows])
    assert (np.abs(signs.sum(axis=1)) < methods).all()  # somebody disagrees
    agree = signs.T @ signs
    assert len(set(agree[~np.eye(methods, dtype=bool)].tolist())) == 1  # each pair as any other
    certainty = np.abs(margins[rows]).mean(axis=0)
    assert np.ptp(certainty) < 0.06, certainty
    # A listener who follows one method agrees with all others equally often, whichever it is.
    heard = members[rows].ravel()
    assert len(set(heard.tolist())) == heard.size  # no excerpt twice


def test_a_choice_of_what_the_first_method_is_sure_of_would_favour_it() -> None:
    """What the balance is for: the same number of triplets, chosen by one method's certainty."""
    margins, members, works = draw(2, 1, scales=np.ones(2))
    apart = np.flatnonzero(np.sign(margins[:, 0]) != np.sign(margins[:, 1]))
    unfair = apart[np.argsort(-np.abs(margins[apart, 0]))[:14]]
    fair = choose_triplets(margins, members, works, count=14, rng=np.random.default_rng(0))
    uneven, even = (np.ptp(np.abs(margins[rows]).mean(axis=0)) for rows in (unfair, fair))
    assert uneven > 0.3 > 0.06 > even


def test_methods_that_never_disagree_leave_nothing_to_ask() -> None:
    margins, members, works = draw(1, 2, scales=np.ones(1))
    both = np.hstack([margins, margins])
    assert not len(choose_triplets(both, members, works, count=7, rng=np.random.default_rng(0)))


@pytest.mark.parametrize(("methods", "count"), [(2, 1), (3, 3), (4, 7)])
def test_the_patterns_are_all_ways_to_disagree(methods: int, count: int) -> None:
    assert len(set(patterns(methods))) == count
