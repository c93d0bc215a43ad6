"""Each control of a page is in its address, and an address sets each control."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from dashboard.address.picked import as_text, from_text

_PAGES = Path(__file__).parents[2] / "dashboard"
_CHOICES = {
    *("selectbox", "segmented_control", "pills", "radio", "multiselect", "toggle", "checkbox"),
    *("number_input", "slider", "select_slider", "date_input", "tabs"),
}
# These write a whole search into the address: `format_search` and its like.
_SEARCHES = {
    *("recommend", "passages", "in_time", "track_search_controls", "track_path", "beside"),
    *("handed_over", "handed_over_results"),
}
# What belongs in no link: it is written elsewhere, at once.
_NO_PLACE = {
    "ratings-keep": "a consent",
    "upload-dataset": "a form",
    "basket-kept-{item.track}": "kept in the basket",
    "layer-of-{target}-{layer}": "chooses the cell, which is in the address",
    "column-of-{target}-{column}": "chooses the cell, which is in the address",
    "repeats-{kind}-listed": "chooses the row of the table, which is in the address",
    "runs-ticked": "ticks rows of the table, which are in the address",
    "WITH": "named in difference_choice.py, which keeps the key",
}


def _page() -> None:
    import streamlit as st

    from dashboard.address.controls import open_controls

    st.session_state.setdefault("dataset", "demo")
    controls = open_controls("/map", "demo", "spectral", names=("colour", "some", "grey", "part"))
    controls.choose("colour", ["red", "blue"], key="colour", usual="red")
    st.selectbox("Colour", ["red", "blue"], key="colour")
    controls.choose_some("some", ["a", "b"], key="some", usual=["a"])
    st.multiselect("Some", ["a", "b"], key="some")
    controls.switch("grey", key="grey", usual=True)
    st.toggle("Grey", key="grey")
    if st.session_state["colour"] == "blue":
        controls.choose("part", range(1, 9), key="part", usual=1)
        st.number_input("Part", 1, 8, key="part")
    controls.write()


def _open(**asked: Any) -> AppTest:
    script = AppTest.from_function(_page, default_timeout=60)
    for name, value in asked.items():
        script.query_params[name] = value
    return script.run()


def _says(drawn: AppTest) -> dict[str, list[str]]:
    assert not drawn.exception
    found: dict[str, list[str]] = drawn.session_state["address"]
    return {name: one for name, one in found.items() if name not in ("dataset", "encoder")}


def test_what_is_as_usual_is_not_in_the_address() -> None:
    assert _says(_open()) == {}
    assert _says(_open(colour="red", some="a", grey="yes")) == {}


def test_an_address_sets_every_control_and_is_written_again() -> None:
    drawn = _open(colour="blue", some="", grey="no", part="3")
    assert drawn.selectbox[0].value == "blue"
    assert drawn.multiselect[0].value == []
    assert drawn.toggle[0].value is False
    assert drawn.number_input[0].value == 3
    assert _says(drawn) == {"colour": ["blue"], "some": [""], "grey": ["no"], "part": ["3"]}
    drawn.query_params.clear()
    drawn.selectbox[0].select("red").run()
    assert _says(drawn) == {"some": [""], "grey": ["no"], "part": ["3"]}
    drawn.selectbox[0].select("blue").run()
    assert drawn.number_input[0].value == 3, "what is not drawn for a while comes back"


def test_a_choice_is_an_entry_of_the_history_and_back_sets_every_control() -> None:
    drawn = _open()
    drawn.query_params.clear()
    drawn.selectbox[0].select("blue").run()
    assert drawn.session_state["address_push"]
    # The browser sends what was before the choice: once on its way, and once by "back".
    before = {"dataset": "demo", "encoder": "spectral"}
    for name, value in before.items():
        drawn.query_params[name] = value
    drawn.run()
    assert drawn.selectbox[0].value == "blue"
    drawn.query_params["back"] = "1"
    drawn.run()
    assert drawn.selectbox[0].value == "red"
    assert not drawn.session_state["address_push"]


def test_what_an_address_asks_for_in_vain_is_said_once_and_left_out() -> None:
    drawn = _open(colour="<b>pink</b>", some="z", grey="maybe", nothing="x")
    (warning,) = drawn.warning
    text = warning.value.replace("\\", "")
    assert "colour <b>pink</b>" in text and "some z" in text and "grey maybe" in text
    assert _says(drawn) == {}
    drawn.query_params.clear()
    assert not drawn.run().warning


_IDS = st.text(max_size=8) | st.text("a@1", max_size=5)  # among them "a", "a@1", "a@1@"


@given(_IDS, st.integers(-1, 10**6), st.sets(_IDS, max_size=3))
@example("a@1", -1, {"a"})
@example("a", 1, {"a@1"})
@example("a@", -1, {"a"})
def test_a_picked_point_is_read_as_it_was_written(track: str, segment: int, more: set[str]) -> None:
    text = as_text((track, segment))
    assert from_text(text, {track, *more}) == (track, segment)


def _calls(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name of each method that is called, and its key as text."""
    tree = ast.parse(path.read_text())
    texts = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def as_key(node: ast.expr) -> str:
        if isinstance(node, ast.Name) and node.id in texts:
            return as_key(texts[node.id])
        if isinstance(node, ast.JoinedStr):
            return "".join(
                str(one.value)
                if isinstance(one, ast.Constant)
                else as_key(one.value)
                if isinstance(one.value, ast.Name) and one.value.id in texts
                else f"{{{ast.unparse(one.value)}}}"
                for one in node.values
                if isinstance(one, ast.Constant | ast.FormattedValue)
            )
        return str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node)

    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            key = next((as_key(one.value) for one in node.keywords if one.arg == "key"), "")
            yield node.func.attr, key


def test_whatever_a_page_lets_a_person_choose_is_in_its_address() -> None:
    drawn: dict[str, str] = {}
    named: set[str] = set()
    for folder in ("pages", "sections"):
        for path in sorted((_PAGES / folder).glob("*.py")):
            for method, key in _calls(path):
                if method in ("choose", "choose_some", "switch", "name"):
                    named.add(key)
                elif method in _CHOICES and path.stem not in _SEARCHES:
                    drawn[key or f"without a key in {path.name}"] = path.name
    assert len(drawn) > 20
    lost = {key: name for key, name in drawn.items() if key not in named | _NO_PLACE.keys()}
    assert lost == {}, "a reload and a link lose what is chosen here"
