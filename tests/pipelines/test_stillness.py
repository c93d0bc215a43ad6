"""A recording is read once it stands still, and what comes in a burst is done together."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.stillness import Stillness

NAMES = ("a", "b", "c")
CHANGES = st.lists(
    st.tuples(
        st.floats(0.1, 9.0),  # seconds until the next look
        st.dictionaries(st.sampled_from(NAMES), st.none() | st.integers(0, 3), max_size=3),
    ),
    max_size=12,
)


def test_a_file_is_left_alone_while_it_grows() -> None:
    stillness = Stillness(seconds=3.0, patience=30.0)
    assert stillness.look({"old": 1}, now=0.0, still=["old"]).changed == {"old"}
    stillness.done(["old"])
    for second in range(1, 9):
        due = stillness.look({"old": 1, "new": second}, now=float(second))
        assert not due.changed
        assert (set(due.moving), due.wait) == ({"new"}, 3.0)
    assert stillness.look({"old": 1, "new": 8}, now=10.0).wait == 1.0
    assert stillness.look({"old": 1, "new": 8}, now=11.0).changed == {"new"}
    stillness.done(["new"])
    assert stillness.look({"old": 1, "new": 8}, now=20.0).wait is None


def test_a_burst_is_done_at_once_but_one_slow_copy_does_not_hold_up_the_rest() -> None:
    stillness = Stillness(seconds=3.0, patience=30.0)
    now, there = 0.0, dict[str, object]()
    for number in range(5):
        now, there = float(number), there | {f"n{number}": 1}
        assert not stillness.look(there, now=now).changed
    assert stillness.look(there, now=7.0).changed == there.keys()
    stillness.done(there)
    there |= {"quick": 1}
    for second in range(8, 60):
        due = stillness.look(there | {"slow": second}, now=float(second))
        if due.changed:
            break
    assert (set(due.changed), set(due.moving)) == ({"quick"}, {"slow"})
    assert second == 8 + 3 + 30


def test_what_is_back_before_it_counts_as_gone_was_never_gone() -> None:
    stillness = Stillness(seconds=3.0, patience=30.0)
    stillness.look({"a": 1, "b": 1}, now=0.0, still=["a", "b"])
    stillness.done(["a", "b"])
    assert stillness.look({"b": 1}, now=1.0).moving == {"a"}
    due = stillness.look({"a": 1, "b": 1}, now=3.5)
    assert (due.changed, due.moving, due.wait) == (frozenset(), frozenset(), None)
    stillness.look({"b": 1}, now=4.0)
    assert stillness.look({"b": 1}, now=7.0).changed == {"a"}


@given(CHANGES)
def test_nothing_is_done_that_moved_just_now_and_in_the_end_everything_is(
    changes: list[tuple[float, dict[str, int | None]]],
) -> None:
    stillness = Stillness(seconds=3.0, patience=6.0)
    now, since = 0.0, dict.fromkeys(NAMES, 0.0)
    there: dict[str, int | None] = dict.fromkeys(NAMES, 0)
    done: dict[str, int | None] = dict.fromkeys(NAMES)
    nothing: dict[str, int | None] = {}
    for pause, change in [(0.0, nothing), *changes, *[(3.0, nothing)] * 3]:
        now += pause
        for name, state in change.items():
            if there[name] != state:
                there[name], since[name] = state, now
        seen = {name: state for name, state in there.items() if state is not None}
        due = stillness.look(seen, now=now)
        assert all(now - since[name] >= 3.0 - 1e-9 for name in due.changed)
        stillness.done(due.changed)
        done |= {name: there[name] for name in due.changed}
    assert done == there
