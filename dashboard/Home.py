"""The dashboard's server: the pages of `app.py`, and the sounds and names that they ask for.

streamlit run dashboard/Home.py
"""

from pathlib import Path

import streamlit as st

from dashboard import names, sounds
from dashboard.promptness import prompt

app = st.App(
    Path(__file__).with_name("app.py"),
    routes=[*sounds.ROUTES, *names.ROUTES],
    lifespan=prompt,
)
