"""The dashboard's server: the pages, and the addresses from which they fetch sounds and names.

streamlit run dashboard/Home.py
"""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from dashboard.first_view.page import PAGES
from dashboard.server.start import ROUTES, started
from mess.serving.guard import Guard

app = st.App(
    Path(__file__).parent / "entrypoint" / "app.py",
    routes=[*PAGES, *ROUTES],
    middleware=[Middleware(Guard)],  # checks every request, also those of Streamlit's own routes
    lifespan=started,
)
