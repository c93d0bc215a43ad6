"""A component shows what its latest change brought, whatever came late, and goes with its place."""

from pathlib import Path
from typing import Any

from dashboard.components import browser_code

_HERE = Path(browser_code.__file__).parent
_NOTE = """
const place = document.body.appendChild(element("div"));
let left = 0;
class Note {
  constructor(root) { this.root = root; }
  leave() { left += 1; this.root.remove(); }
}
const call = (text) =>
  mountOnce(place, (root) => new Note(root), ({ root }) => { root.textContent = text; });
const shown = async () => {
  await new Promise((done) => setTimeout(done, 20));
  return [...place.children].map((one) => one.textContent);
};
"""


def run(page: Any, acts: str) -> Any:
    """Run acts in a page that has the script and a component of one text."""
    scripts = [(_HERE / f"{name}.js").read_text() for name in ("elements", "mount_once")]
    page.set_content("<body></body>")
    return page.evaluate("async () => {" + "\n".join([*scripts, _NOTE, acts]) + "}")


def test_a_call_that_comes_late_and_is_cleaned_up_takes_nothing_away(page: Any) -> None:
    found = run(
        page,
        """call("new");
        call("old")(); // as Streamlit does where a later change had overtaken it
        const first = await shown();
        call("old")();
        const again = await shown();
        call("newer");
        return [first, again, await shown(), left];""",
    )
    assert found == [["new"], ["new"], ["newer"], 0]


def test_it_goes_with_its_place_even_where_the_last_change_had_no_time(page: Any) -> None:
    found = run(
        page,
        """let leave = call("first");
        const first = await shown();
        leave();
        const gone = await shown();
        call("second");
        const second = await shown();
        leave = call("never");
        place.remove();
        leave();
        return [first, gone, second, await shown(), left];""",
    )
    assert found == [["first"], [], ["second"], [], 2]
