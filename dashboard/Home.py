"""The dashboard's entry: the pages, and the sidebar that all of them share.

streamlit run dashboard/Home.py
"""

from pathlib import Path

import streamlit as st

from dashboard import sidebar

PAGES = Path(__file__).parent / "pages"

st.set_page_config(page_title="MESS", page_icon="🎹", layout="wide")
page = st.navigation(
    [
        st.Page(PAGES / "overview.py", title="Home", default=True),
        st.Page(PAGES / "discovery.py", title="Layer discovery", url_path="discovery"),
        st.Page(PAGES / "recommend.py", title="Recommend", url_path="recommend"),
    ]
)
sidebar.show()
page.run()
