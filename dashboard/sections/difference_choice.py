"""Which discovery another one is compared with, and which cell of the difference is shown.

?…&tab=Compare&with=demo,random:whisper-tiny,track&difference=tempo:best layer
"""

from collections.abc import Sequence

import streamlit as st

from dashboard.address.browser import report
from dashboard.address.controls import here
from dashboard.address.search import short
from dashboard.figures.heat import Choice
from mess.records.discovery import Level

Place = tuple[str, str, Level]  # dataset, encoder, level
WITH = "compare-with"  # the key of the list of discoveries
_CELLS = "difference-cells"


def choose_other(others: Sequence[Place]) -> None:
    """Name the list of discoveries to compare with, before it is drawn."""
    here().choose("with", others, key=WITH, usual=others[0], text=",".join)


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
    if here().given is not None:
        asked = "".join(here().value("difference")[-1:])
        target, _, column = asked.partition(":")
        cells[places] = target, column
        if asked and (target, column) not in known:
            report([f"difference {short(asked)}"])
    if cells.get(places) not in known:
        cells[places] = usual
    here().keep("difference", [":".join(cells[places])])
    return cells[places]


def choose_difference(places: tuple[Place, Place], cell: Choice) -> None:
    """Show another cell."""
    st.session_state.setdefault(_CELLS, {})[places] = cell
