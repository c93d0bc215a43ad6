"""Which discovery another one is compared with, and which cell of the difference is shown.

?…&tab=Compare&with=demo,random:whisper-tiny,track&difference=tempo:best layer
"""

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard.address.browser import report
from dashboard.address.search import Parameters, short
from dashboard.figures.heat import Choice
from mess.records.discovery import Level

Place = tuple[str, str, Level]  # dataset, encoder, level
WITH = "compare-with"  # the key of the list of discoveries
_ASKED, _CELL_ASKED = "difference-asked", "difference-cell-asked"
_SHOWN, _CELLS = "difference-shown", "difference-cells"


def take_difference(given: Mapping[str, Sequence[str]]) -> None:
    """Take from a new address of the tab what it chooses."""
    asked = {name: "".join(given.get(name, [])[-1:]) for name in ("with", "difference")}
    st.session_state[_ASKED] = asked


def choose_other(others: Sequence[Place]) -> None:
    """Set the discovery to compare with, before its list is drawn."""
    by_text = {",".join(place): place for place in others}
    shown: Parameters = st.session_state.get(_SHOWN, {})
    asked: dict[str, str] | None = st.session_state.pop(_ASKED, None)
    if asked is not None:
        st.session_state[_CELL_ASKED] = asked["difference"]
        if asked["with"] and asked["with"] not in by_text:
            report([f"with {short(asked['with'])}"])
        st.session_state[WITH] = by_text.get(asked["with"], others[0])
    elif st.session_state.get(WITH) not in others:  # Streamlit forgets it with the tab
        st.session_state[WITH] = by_text.get("".join(shown.get("with", [])), others[0])


def chosen_difference(
    places: tuple[Place, Place], known: Sequence[Choice], *, usual: Choice
) -> Choice:
    """Return target and column of the cell that is shown.

    Parameters
    ----------
    places : (Place, Place)
        What is compared.
    known : sequence of (str, str)
        The cells that there are.
    usual : (str, str)
        The one that is shown at first.
    """
    cells: dict[tuple[Place, Place], Choice] = st.session_state.setdefault(_CELLS, {})
    asked: str | None = st.session_state.pop(_CELL_ASKED, None)
    if asked is not None:
        target, _, column = asked.partition(":")
        cells[places] = target, column
        if asked and (target, column) not in known:
            report([f"difference {short(asked)}"])
    if cells.get(places) not in known:
        cells[places] = usual
    st.session_state[_SHOWN] = {
        "with": [",".join(places[1])],
        "difference": [":".join(cells[places])],
    }
    return cells[places]


def choose_difference(places: tuple[Place, Place], cell: Choice) -> None:
    """Show another cell."""
    st.session_state.setdefault(_CELLS, {})[places] = cell


def difference_parameters() -> Parameters:
    """Return what the tab shows as parameters of an address."""
    found: Parameters = st.session_state.get(_SHOWN, {})
    return found
