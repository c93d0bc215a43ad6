"""What every page has in common, and the page that is open."""

from pathlib import Path

import streamlit as st

from dashboard import library, sidebar
from dashboard.address.browser import take_selection, write_plain_address
from dashboard.components.glossary import glossary
from dashboard.components.job_panel import show_jobs
from dashboard.components.location import copy_link
from dashboard.components.text import plain
from dashboard.navigation import navigate
from dashboard.readers import store, told
from dashboard.sections.missing import offer_demo
from mess.errors import MessError


def draw() -> None:
    """Draw the sidebar, what stands above every page, and the page that is open."""
    st.set_page_config(page_title="MESS", page_icon="🎹", layout="wide")
    for style in ("page", "phone"):
        st.html(Path(__file__).with_name(f"{style}.css"))
    try:
        store()
    except MessError as error:
        st.error(plain(told(error)))
        st.stop()
    page = navigate()
    problem = take_selection()
    sidebar.show()
    copy_link()
    glossary()
    show_jobs()
    if problem:
        st.warning(plain(problem))
    if library.is_empty() and page.url_path:  # Home itself says more than the offer
        st.title(page.title)
        offer_demo()
    else:
        page.run()
        write_plain_address(*sidebar.selected(), page=f"/{page.url_path}")
