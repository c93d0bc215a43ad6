"""An address reproduces a search, and what is wrong in it is said and left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.address.search import (
    COUNTS,
    STEPS_BETWEEN,
    Search,
    fit_search,
    format_search,
    parse_search,
)
from mess.search.aspects import aspect_names
from mess.search.terms import METHODS

track = st.text(min_size=1, max_size=20).map(str.strip).filter(bool)
names = st.sampled_from(aspect_names())
examples = st.lists(track, max_size=4, unique=True).map(tuple)


def numbers(limit: int) -> st.SearchStrategy[dict[str, float]]:
    step = st.integers(-limit * 20, limit * 20).filter(bool).map(lambda number: number / 20)
    return st.dictionaries(names, step, max_size=5)


searches = st.builds(
    Search,
    query=track,
    liked=examples,
    unlike=examples,
    weights=st.none() | numbers(1),
    moves=numbers(2),
    hold=st.lists(names, max_size=3, unique=True).map(tuple),
    method=st.none() | st.sampled_from(METHODS),
    same_work=st.booleans(),
    same_composer=st.booleans(),
    copies=st.booleans(),
    repeats=st.booleans(),
    per_composer=st.integers(0, 20),
    count=st.sampled_from(COUNTS),
    to=track,
    a=track,
    b=track,
    at=st.integers(0, 300).map(lambda tenths: tenths / 10),
    steps=st.sampled_from(STEPS_BETWEEN),
    beside=track,
)


@given(searches)
def test_an_address_reproduces_the_search(search: Search) -> None:
    assert parse_search(format_search(search)) == (search, [])


@given(
    st.dictionaries(
        st.sampled_from(
            "track like unlike weights move hold method without per_composer n x".split()
        ),
        st.lists(st.text(max_size=60), max_size=3),
    )
)
def test_no_address_breaks_the_page(parameters: dict[str, list[str]]) -> None:
    search, problems = parse_search(parameters)
    assert all(len(problem) < 120 and "\n" not in problem for problem in problems)
    assert search.count in COUNTS
    assert all(0 < abs(weight) <= 1 for weight in (search.weights or {}).values())
    assert all(0 < abs(by) <= 2 for by in search.moves.values())
    again, _ = parse_search(format_search(search))
    assert again.count == search.count and again.hold == search.hold


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("weights", "brightness:9", "weight brightness:9"),
        ("weights", "brightness:nan", "weight brightness:nan"),
        ("weights", "loudness:1", "weight loudness:1"),
        ("weights", "brightness", "weight brightness"),
        ("move", "tempo:-3", "move tempo:-3"),
        ("method", "magic", "method magic"),
        ("n", "1000000", "n 1000000"),
        ("per_composer", "-1", "per_composer -1"),
        ("hold", "tempo,<b>", "hold <b>"),
        ("without", "everything", "without everything"),
    ],
)
def test_what_is_wrong_is_said_and_left_out(name: str, value: str, problem: str) -> None:
    search, problems = parse_search({name: [value]})
    assert [one.replace("\\", "") for one in problems] == [problem]
    assert search == Search(hold=("tempo",) if name == "hold" else ())


def test_what_is_not_there_is_left_out() -> None:
    asked = Search(
        query="gone",
        liked=("a", "b", "lost"),
        unlike=("b", "c"),
        weights={"brightness": 1.0, "tempo": 0.5},
        moves={"tempo": 1.0},
        hold=("dynamics",),
    )
    search, problems = fit_search(
        asked, tracks=dict.fromkeys("abc"), weighable=["brightness"], movable=[], start="a"
    )
    assert search == Search(query="a", liked=("b",), unlike=("c",), weights={"brightness": 1.0})
    assert problems == [
        "track gone", "track lost", "weight of tempo", "move of tempo", "hold dynamics",
    ]  # fmt: skip
