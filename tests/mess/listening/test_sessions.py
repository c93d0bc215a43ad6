"""Sessions: what is asked in which order, and answers that can be asked again."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_answers import made_plan, session_of

from mess.errors import MessError
from mess.listening.sessions import begin_session, draw_trials, item_at, make_answer

PLAN = made_plan(items=21, aspects=("brightness", "texture", "warmth", "dynamics"))


@settings(max_examples=20)
@given(st.integers(0, 2**31 - 1))
def test_a_session_has_items_repeats_and_checks_in_blocks_of_one_question(seed: int) -> None:
    trials = draw_trials(PLAN, asked={}, seed=seed)
    assert len(trials) == 24
    assert Counter(one.kind for one in trials) == {"item": 18, "repeat": 3, "check": 3}
    about = [PLAN.find(one.item).aspect for one in trials]  # type: ignore[union-attr]
    assert len([1 for one, other in zip(about, about[1:], strict=False) if one != other]) == 2
    for place, one in enumerate(trials):
        if one.kind == "repeat":
            first = [n for n, other in enumerate(trials[:place]) if other.item == one.item]
            assert len(first) == 1 and place - first[0] >= 3
            assert trials[first[0]].swapped != one.swapped
    assert trials == draw_trials(PLAN, asked={}, seed=seed)  # the seed is enough to ask again


def test_items_that_were_asked_least_come_first_so_all_are_asked_equally_often() -> None:
    asked: Counter[str] = Counter()
    for seed in range(14):
        session = (
            session_of(PLAN, seed=seed)
            if not asked
            else begin_session(PLAN, asked=asked, seed=seed)
        )
        asked.update(one.item for one in session.trials if one.kind == "item")
    assert set(asked) == {one.id for one in PLAN.items}
    assert sum(asked.values()) == 14 * 18
    for aspect in PLAN.methods:
        counts = [asked[one.id] for one in PLAN.items if one.aspect == aspect]
        assert max(counts) - min(counts) <= 1


def test_a_plan_of_few_items_gives_a_shorter_session() -> None:
    trials = draw_trials(made_plan(items=3), asked={}, seed=1)
    assert Counter(one.kind for one in trials)["item"] == 3


def test_an_answer_holds_what_was_heard_as_a_and_as_b() -> None:
    session = session_of(PLAN, seed=5)
    for position, trial in enumerate(session.trials):
        item = PLAN.find(trial.item)
        assert item is not None
        heard = item_at(PLAN, session, position)
        answer = make_answer(PLAN, session, position, choice="A", seconds=8.25, plays={"x": 2})
        a, b = (item.b, item.a) if trial.swapped else (item.a, item.b)
        assert (answer.a_track, answer.a_start, answer.a_sha256) == (a.track, a.start, a.sha256)
        assert (answer.b_track, answer.x_track) == (b.track, item.x.track)
        assert answer.a_gain_db == pytest.approx(item.level - a.lufs)
        turned = -1 if trial.swapped else 1
        assert answer.margins == {name: turned * said for name, said in item.margins.items()}
        if trial.kind == "check":
            sounds = {"A": heard.a, "B": heard.b}
            assert sounds[answer.right] == heard.x and sounds[{"A": "B", "B": "A"}[answer.right]]
        assert (answer.plays, answer.seconds) == ({"x": 2, "a": 0, "b": 0}, 8.25)


def test_a_session_has_no_other_positions_and_random_numbers_in_place_of_names() -> None:
    one, other = session_of(PLAN, seed=1), session_of(PLAN, seed=1)
    assert one.id != other.id and one.listener != other.listener and len(one.id) == 32
    for position in (-1, 24):
        with pytest.raises(MessError, match="no trial"):
            item_at(PLAN, one, position)
