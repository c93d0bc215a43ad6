"""What answers say: agreement, ceiling, consistency, and whose sessions are left out."""

from dataclasses import replace

import numpy as np
import pytest
from made_answers import follow, made_plan, session_of

from mess.listening.agreement import agreement_between, analyse
from mess.listening.power import power, standard_error
from mess.records.listening import Answer

PLAN = made_plan(items=18, aspects=("brightness", "texture"))
WHERE = {"dataset": "demo", "encoder": "spectral"}


def answers_of(listeners: int, *, reliability: float = 1.0, seed: int = 0) -> list[Answer]:
    rng = np.random.default_rng(seed)
    found = []
    for number in range(listeners):
        session = session_of(PLAN, seed=number, listener=f"{number}")
        found += follow(PLAN, session, judge="measured", rng=rng, reliability=reliability)
    return found


def test_listeners_who_follow_one_method_agree_with_it_and_with_no_other_more() -> None:
    result = analyse(answers_of(6), **WHERE)
    shares = {one.method: one.share for one in result.agreements if not one.aspect}
    assert shares["measured"] == 1
    assert shares["mean"] == pytest.approx(1 / 3, abs=0.1)  # the balance of three methods
    assert shares["layer"] == pytest.approx(1 / 3, abs=0.1)
    assert result.consistency == 1 and result.left_out == []
    assert (result.listeners, result.sessions) == (6, 6)
    between = result.between_about("")
    assert between is not None and between.share == 1 and between.ceiling == 1
    best = [one for one in result.differences if one.method == "mean" and one.other == "measured"]
    assert best[0].share < 0 and best[0].high is not None and best[0].high < 0
    assert {one.aspect for one in result.agreements} == {"", "brightness", "texture"}


def test_whoever_answers_a_check_wrongly_or_met_none_is_left_out() -> None:
    session = session_of(PLAN, seed=90, listener="careless")
    careless = follow(PLAN, session, judge="layer", careless=True)
    barely = follow(PLAN, session_of(PLAN, seed=91, listener="barely"), judge="layer")[:1]
    kept = answers_of(4)
    result = analyse([*kept, *careless, *barely], **WHERE)
    assert result.left_out == sorted({session.id, barely[0].session})
    same = analyse(kept, **WHERE)
    assert result.agreements == same.agreements


def test_cannot_tell_is_half_and_a_repeat_counts_in_no_agreement() -> None:
    unsure = [replace(one, answer="0") if one.kind == "item" else one for one in answers_of(3)]
    result = analyse(unsure, **WHERE)
    assert {one.share for one in result.agreements} == {0.5}
    assert result.cannot_tell == 1 and result.consistency == 0
    between = result.between_about("")
    assert between is not None and between.share == 0.5 and between.ceiling == 0.5


def test_what_is_presented_as_a_does_not_matter() -> None:
    """Two listeners who heard A and B exchanged and chose the same excerpt agree."""
    found = [one for one in answers_of(2) if one.kind == "item"]
    assert {one.answer for one in found} == {"A", "B"}
    assert agreement_between(found).share == 1


def test_two_listeners_have_a_share_but_no_interval() -> None:
    result = analyse(answers_of(2), **WHERE)
    assert all(one.low is None and one.high is None for one in result.agreements)
    three = analyse(answers_of(3, reliability=0.8), **WHERE)
    own = three.of_aspect("", "measured")
    assert own is not None and own.low is not None and own.high is not None
    assert own.low < own.share < own.high


def test_no_method_exceeds_the_ceiling() -> None:
    """Listeners of whom a share c says A about an item: the best method says what most say."""
    rng = np.random.default_rng(3)
    plan = made_plan(items=60)
    base = [
        one
        for number in range(16)
        for one in follow(
            plan, session_of(plan, seed=number, listener=f"{number}", size=90), judge="measured"
        )
        if one.kind == "item"
    ]
    c = dict(zip(sorted({one.item for one in base}), rng.beta(2, 1, 60), strict=True))
    turned = {"A": "B", "B": "A"}
    heard = [
        one if rng.random() < c[one.item] else replace(one, answer=turned[one.answer])  # type: ignore[arg-type]
        for one in base
    ]
    reached = float(np.mean([max(share, 1 - share) for share in c.values()]))
    ceiling = agreement_between(heard).ceiling
    assert ceiling is not None and reached <= ceiling + 0.03 < 1


def test_nothing_is_said_of_nothing() -> None:
    result = analyse([], **WHERE)
    assert result.agreements == [] and result.consistency is None and result.seconds is None
    assert result.between_about("") is not None and result.between_about("").share is None  # type: ignore[union-attr]


def test_more_listeners_and_more_items_tell_more() -> None:
    few = power(5, 24, agreement=0.75)
    assert 0.9 < few < power(10, 24, agreement=0.75) < power(10, 48, agreement=0.75)
    assert power(5, 24, agreement=0.5) < 0.025  # by chance alone, on one side
    # Independent answers: the binomial error.
    alone = standard_error(1, 100, agreement=0.5, rho_item=0, rho_listener=0)
    assert alone == pytest.approx(0.05)
