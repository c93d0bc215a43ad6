"""The script that Streamlit runs for a browser, each time that something was chosen."""

from dashboard.server.start import code

code("dashboard.entrypoint.page").draw()
