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


def navigate() -> StreamlitPage:
    """Draw the menu and return the page that is open."""
    return st.navigation(
        [
            st.Page(overview.main, title="Home", default=True),
            st.Page(discovery.main, title=TITLES["discovery"], url_path="discovery"),
            st.Page(compare.main, title=TITLES["compare"], url_path="compare"),
            st.Page(recommend.main, title=TITLES["recommend"], url_path="recommend"),
            st.Page(passages.main, title=TITLES["passages"], url_path="passages"),
            st.Page(in_time.main, title=TITLES["in_time"], url_path="in_time"),
            st.Page(doses.main, title=TITLES["doses"], url_path="doses"),
            st.Page(listen.main, title=TITLES["listen"], url_path="listen"),
            st.Page(your_audio.main, title=TITLES["your_audio"], url_path="your_audio"),
            st.Page(basket.main, title=TITLES["basket"], url_path="basket"),
            st.Page(map_page.main, title=TITLES["map"], url_path="map"),
            st.Page(repeats.main, title=TITLES["repeats"], url_path="repeats"),
            st.Page(targets.main, title=TITLES["targets"], url_path="targets"),
            st.Page(experiments.main, title=TITLES["experiments"], url_path="experiments"),
        ],
        expanded=True,  # otherwise all pages from the thirteenth on are folded away
    )
