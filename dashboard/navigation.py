"""The dashboard's pages."""

from pathlib import Path
from typing import Any

import streamlit as st

PAGES = Path(__file__).parent / "pages"


def navigate() -> Any:
    """Draw the menu and return the page that is open."""
    return st.navigation(
        [
            st.Page(PAGES / "overview.py", title="Home", default=True),
            st.Page(PAGES / "discovery.py", title="Layer discovery", url_path="discovery"),
            st.Page(PAGES / "compare.py", title="Compare encoders", url_path="compare"),
            st.Page(PAGES / "recommend.py", title="Recommend", url_path="recommend"),
            st.Page(PAGES / "passages.py", title="Passages", url_path="passages"),
            st.Page(PAGES / "your_audio.py", title="Your audio", url_path="your_audio"),
            st.Page(PAGES / "map.py", title="Map", url_path="map"),
            st.Page(PAGES / "targets.py", title="Targets", url_path="targets"),
            st.Page(PAGES / "experiments.py", title="Experiments", url_path="experiments"),
        ]
    )
