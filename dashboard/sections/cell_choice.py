"""Which cell of a discovery is shown: the one of the address, the one that was clicked, the best.

?dataset=demo&encoder=whisper-tiny&level=segment&value=spearman&tab=Layers&target=tempo&layer=3
"""

from collections.abc import Callable

import numpy as np
import streamlit as st

from dashboard.address.browser import report
from dashboard.address.controls import here
from dashboard.components.text import plain
from dashboard.titles import TITLES
from mess.records.discovery import DiscoveryRecord, Level

LEVELS: dict[Level, str] = {"track": "whole tracks", "segment": "segments of 5 s"}
_FIRST = {"level": "track", "tab": "Heatmap"}  # what the page shows of a cell that is wished for
_WISHED, _CELLS, _MISSING = "cell-wished", "cells", "cell-missing"


def chosen_cell(record: DiscoveryRecord) -> tuple[int, str]:
    """Return layer and target of the cell that is shown; at first it is the best one."""
    kept: dict[tuple[str, str, str], tuple[int, str]] = st.session_state.setdefault(_CELLS, {})
    place = record.dataset, record.encoder, record.settings.level
    known = {(str(cell.layer), cell.target): cell for cell in record.cells}
    if here().given is not None and (asked := _asked()):
        if cell := known.get(asked):
            kept[place] = cell.layer, cell.target
            st.session_state.pop(_MISSING, None)
        else:
            st.session_state[_MISSING] = f"layer {asked[0][:40]} of {asked[1][:40]}"
            here().keep("layer", [])
    if place not in kept or (str(kept[place][0]), kept[place][1]) not in known:
        best = max(record.cells, key=lambda one: -np.inf if one.r2 is None else one.r2)
        kept[place] = best.layer, best.target
    return kept[place]


def tell_missing_cell() -> None:
    """Name the cell that an address asks for and that does not exist, until one is chosen."""
    if _MISSING in st.session_state:
        report([plain(st.session_state[_MISSING])])


def keep_cell(record: DiscoveryRecord) -> None:
    """Write the cell that is shown into the address."""
    layer, target = chosen_cell(record)
    here().keep("target", [target])
    here().keep("layer", [str(layer)])


def choose_cell(dataset: str, encoder: str, level: str, *, layer: int, target: str) -> None:
    """Show another cell."""
    st.session_state.setdefault(_CELLS, {})[dataset, encoder, level] = layer, target
    st.session_state.pop(_MISSING, None)


def wish_for_cell(dataset: str, encoder: str, *, layer: int, target: str) -> None:
    """Make the page Layer discovery show a cell of whole tracks when it is opened next."""
    choose_cell(dataset, encoder, "track", layer=layer, target=target)
    for key, first in _FIRST.items():
        st.session_state[key] = first
    st.session_state[_WISHED] = True


def follow_wish(discovery: Callable[[], None]) -> None:
    """Open the page of a discovery if a cell of it was wished for.

    Parameters
    ----------
    discovery : callable
        Draws that page.
    """
    if not st.session_state.pop(_WISHED, False):
        return
    page = st.Page(discovery, title=TITLES["discovery"], url_path="discovery")
    # With the address as it is: "back" then leads to the page as it was left.
    st.switch_page(page, query_params=st.session_state.get("address"))


def _asked() -> tuple[str, str] | None:
    layer, target = here().value("layer"), here().value("target")
    return (layer[-1], target[-1]) if layer and target else None
