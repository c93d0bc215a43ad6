"""The dashboard's server: the pages of `app.py`, and the sounds that they play.

streamlit run dashboard/Home.py
"""

from pathlib import Path

import streamlit as st

from dashboard.sounds import ROUTES

app = st.App(Path(__file__).with_name("app.py"), routes=ROUTES)
