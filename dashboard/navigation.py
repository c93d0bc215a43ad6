"""The list of pages: the function that draws each, its title and its address."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from dashboard.pages import (
    basket,
    compare,
    discovery,
    doses,
    experiments,
    in_time,
    listen,
    overview,
    passages,
    recommend,
    repeats,
    targets,
    your_audio,
)
from dashboard.pages import map as map_page
from dashboard.titles import TITLES

_BY_PATH = {
    "discovery": discovery,
    "compare": compare,
    "recommend": recommend,
    "passages": passages,
    "in_time": in_time,
    "doses": doses,
    "listen": listen,
    "your_audio": your_audio,
    "basket": basket,
    "map": map_page,
    "repeats": repeats,
    "targets": targets,
    "experiments": experiments,
}


def navigate() -> StreamlitPage:
    """Draw the menu and return the page that is open."""
    return st.navigation(
        [
            st.Page(overview.main, title="Home", default=True),
            *(
                st.Page(page.main, title=TITLES[path], url_path=path)
                for path, page in _BY_PATH.items()
            ),
        ],
        expanded=True,  # otherwise all pages from the thirteenth on are folded away
    )
