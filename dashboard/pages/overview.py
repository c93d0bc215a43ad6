"""Home: what the model hears, to be listened to; and what exists of each dataset."""

import streamlit as st

from dashboard import library
from dashboard.address.controls import open_controls
from dashboard.jobs.completion import complete_demo
from dashboard.pages import discovery
from dashboard.readers import store
from dashboard.sections.cell_choice import follow_wish
from dashboard.sections.front_door import FrontDoor, find_front_door, show_front_door
from dashboard.sections.library_state import show_library
from dashboard.sidebar import selected
from dashboard.titles import TITLES

_INTRODUCTION = """
MESS looks into the layers of an audio model. *Probes* measure which layer encodes brightness, tempo
or dynamics. The search uses the probes to find recordings that are similar in such an aspect. You
choose a track, weigh the aspects, and listen.
"""
_HEARS, _DATA = "What it hears", "Data"


@st.cache_resource(show_spinner=False)
def _complete_demo_once(root: str, dataset: str) -> None:
    complete_demo(store())


def main() -> None:
    """Draw the page."""
    follow_wish(discovery.main)
    st.title(TITLES[""])
    dataset, encoder = selected()
    if library.is_empty():
        st.markdown(_INTRODUCTION)
        show_library()
        return
    found = find_front_door(dataset, encoder)
    usual = _HEARS if isinstance(found, FrontDoor) else _DATA
    controls = open_controls("/", dataset, encoder, names=("tab", "aspect", "pair"))
    names = {_HEARS: "hears", _DATA: "data"}
    controls.choose("tab", list(names), key="home-tab", usual=usual, text=names.__getitem__)
    hears, data = st.tabs(list(names), key="home-tab", on_change="rerun")
    if hears.open:
        with hears:
            show_front_door(found, dataset, encoder)
            if isinstance(found, FrontDoor):  # what can be searched is there
                _complete_demo_once(str(store().root), dataset)
    if data.open:
        with data:
            st.markdown(_INTRODUCTION)
            show_library()
    controls.write()
