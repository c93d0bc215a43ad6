"""The dashboard's server: the pages, and the addresses from which they fetch sounds and names.

streamlit run dashboard/Home.py
"""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from dashboard.jobs import routes as job_routes
from dashboard.server import doses, lanes, listening, maps, names, sounds
from dashboard.server import reports as report_routes
from dashboard.server.promptness import prompt
from mess.serving import api
from mess.serving.guard import Guard

app = st.App(
    Path(__file__).parent / "entrypoint" / "app.py",
    routes=[
        *sounds.ROUTES,
        *lanes.ROUTES,
        *doses.ROUTES,
        *listening.ROUTES,
        *maps.ROUTES,
        *names.ROUTES,
        *job_routes.ROUTES,
        *report_routes.ROUTES,
        *api.ROUTES,
    ],
    middleware=[Middleware(Guard)],  # checks every request, also those of Streamlit's own routes
    lifespan=prompt,
)
