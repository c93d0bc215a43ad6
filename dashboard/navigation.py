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


def navigate() -> StreamlitPage:
    """Draw the menu and return the page that is open."""
    return st.navigation(
        [
            st.Page(overview.main, title="Home", default=True),
            st.Page(discovery.main, title="Layer discovery", url_path="discovery"),
            st.Page(compare.main, title="Compare encoders", url_path="compare"),
            st.Page(recommend.main, title="Recommend", url_path="recommend"),
            st.Page(passages.main, title="Passages", url_path="passages"),
            st.Page(in_time.main, title="In time", url_path="in_time"),
            st.Page(doses.main, title="Change the music", url_path="doses"),
            st.Page(listen.main, title="Listen and judge", url_path="listen"),
            st.Page(your_audio.main, title="Your audio", url_path="your_audio"),
            st.Page(basket.main, title="Basket", url_path="basket"),
            st.Page(map_page.main, title="Map", url_path="map"),
            st.Page(repeats.main, title="Copies and works", url_path="repeats"),
            st.Page(targets.main, title="Targets", url_path="targets"),
            st.Page(experiments.main, title="Experiments", url_path="experiments"),
        ],
        expanded=True,  # otherwise all pages from the thirteenth on are folded away
    )
