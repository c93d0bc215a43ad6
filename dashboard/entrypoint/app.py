"""The script that Streamlit runs for a browser: the sidebar, then the page that is open."""

import streamlit as st

from dashboard import library, sidebar
from dashboard.address.browser import take_selection, write_plain_address
from dashboard.components.location import copy_link
from dashboard.components.text import plain
from dashboard.navigation import navigate
from dashboard.readers import store, told
from dashboard.sections.missing import offer_demo
from mess.errors import MessError

st.set_page_config(page_title="MESS", page_icon="🎹", layout="wide")
# Streamlit leaves an eighth of a small screen empty above the title, and much beside it. Headings
# of level 2 are as large as a title. Captions, and white on the dark theme's buttons, are too pale
# to be read by all (WCAG 2.2, 1.4.3).
st.html("""<style>
[data-testid=stMainBlockContainer] { padding: 4.5rem clamp(1rem, 4vw, 5rem) 6rem; }
[data-testid=stMainBlockContainer] h1 { font-size: 2.25rem; padding: 0.5rem 0; }
[data-testid=stMainBlockContainer] h2 { font-size: 1.5rem; padding: 0.5rem 0; }
[data-testid=stCaptionContainer], [data-testid=stCaptionContainer] p { color: inherit; opacity: 1; }
[data-testid=stCaptionContainer] { opacity: 0.8; }
[data-testid=stBaseButton-primary] p { color: light-dark(#ffffff, #04131d); }
</style>""")
try:
    store()
except MessError as error:
    st.error(plain(told(error)))
    st.stop()
page = navigate()
problem = take_selection()
sidebar.show()
copy_link()
if problem:
    st.warning(plain(problem))
if library.is_empty() and page.url_path:  # Home itself says more than the offer
    st.title(page.title)
    offer_demo()
else:
    page.run()
    write_plain_address(*sidebar.selected(), page=f"/{page.url_path}")
