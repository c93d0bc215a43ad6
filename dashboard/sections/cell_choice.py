"""Which cell of a discovery is shown: the one of the address, the one that was clicked, the best.

?dataset=demo&encoder=whisper-tiny&level=segment&value=spearman&tab=Layers&target=tempo&layer=3
"""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from dashboard.address.browser import new_parameters, report
from dashboard.address.search import Parameters
from dashboard.components.text import plain
from dashboard.sections.difference_choice import difference_parameters, take_difference
from mess.records.discovery import DiscoveryRecord, Level

LEVELS: dict[Level, str] = {"track": "whole tracks", "segment": "segments of 5 s"}
_CHOICES = {"level": "track", "value": "r2", "tab": "Heatmap"}  # and what each is at first
_WISHED, _CELLS = "cell-wished", "cells"


def take_address(allowed: Mapping[str, Sequence[str]]) -> None:
    """Take from a new address what it chooses, before the widgets are drawn.

    Parameters
    ----------
    allowed : mapping of str to sequence of str
        What "level", "value" and "tab" may be.
    """
    given = new_parameters() or {}
    problems = []
    for name, usual in _CHOICES.items():
        wanted = given[name][-1] if given.get(name) else ""
        if wanted and wanted not in allowed[name]:
            problems.append(plain(f"{name} {wanted[:40]}"))
        elif given:
            st.session_state[_key(name)] = wanted or usual
    if given.get("target") and given.get("layer"):
        st.session_state["cell-asked"] = given["layer"][-1], given["target"][-1]
    if given and st.session_state.get(_key("tab")) == "Compare":
        take_difference(given)
    report(problems)


def as_parameters(record: DiscoveryRecord) -> Parameters:
    """Return what the page shows as the parameters of an address, without what is usual."""
    found: Parameters = {}
    for name, usual in _CHOICES.items():
        now = st.session_state.get(_key(name))
        if now and now != usual:
            found[name] = [str(now)]
    layer, target = chosen_cell(record)
    found |= {"target": [target], "layer": [str(layer)]}
    return found | difference_parameters() if "Compare" in found.get("tab", []) else found


def chosen_cell(record: DiscoveryRecord) -> tuple[int, str]:
    """Return layer and target of the cell that is shown; at first it is the best one."""
    kept: dict[tuple[str, str, str], tuple[int, str]] = st.session_state.setdefault(_CELLS, {})
    place = record.dataset, record.encoder, record.settings.level
    known = {(str(cell.layer), cell.target): cell for cell in record.cells}
    if asked := st.session_state.pop("cell-asked", None):
        if cell := known.get(asked):
            kept[place] = cell.layer, cell.target
        else:
            report([plain(f"layer {asked[0][:40]} of {asked[1][:40]}")])
    if place not in kept or (str(kept[place][0]), kept[place][1]) not in known:
        best = max(record.cells, key=lambda one: -np.inf if one.r2 is None else one.r2)
        kept[place] = best.layer, best.target
    return kept[place]


def choose_cell(dataset: str, encoder: str, level: str, *, layer: int, target: str) -> None:
    """Show another cell."""
    st.session_state.setdefault(_CELLS, {})[dataset, encoder, level] = layer, target


def wish_for_cell(dataset: str, encoder: str, *, layer: int, target: str) -> None:
    """Make the page Layer discovery show a cell of whole tracks when it is opened next."""
    choose_cell(dataset, encoder, "track", layer=layer, target=target)
    for name in ("level", "tab"):
        st.session_state[_key(name)] = _CHOICES[name]
    st.session_state[_WISHED] = True


def takes_wish() -> bool:
    """Tell, once, whether a cell was wished for."""
    return bool(st.session_state.pop(_WISHED, False))


def _key(name: str) -> str:
    return "heatmap-value" if name == "value" else name
