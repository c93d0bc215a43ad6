"""The way into MLflow's own pages: links, and the buttons that start and stop its server."""

import streamlit as st

from dashboard.components.text import plain
from dashboard.readers import store, told
from dashboard.server import mlflow_server
from mess.errors import MessError
from mess.tracking.reading import RecordedRun, server_address


def find_mlflow() -> mlflow_server.Server | None:
    """Return the server of MLflow's pages: the tracking server, or the one started from here."""
    address = server_address(store())
    if address is not None:
        return mlflow_server.Server(address, pid=0, ready=True)
    return mlflow_server.find(store())


def link_run(run: RecordedRun, server: mlflow_server.Server | None) -> None:
    """Draw a link to MLflow's page of a run, where a server has one."""
    if server is not None and server.ready:
        st.link_button("Open in MLflow", server.link(run))


def show_mlflow(server: mlflow_server.Server | None) -> None:
    """Draw the link to MLflow's pages, or the button that starts their server."""
    st.header("MLflow", anchor=False)
    if server is not None and server.pid == 0:
        st.markdown("Runs are recorded at a tracking server (`MLFLOW_TRACKING_URI`).")
        st.link_button("Open MLflow", server.address)
        return
    if server is None:
        st.markdown(
            "MLflow's own pages show the same runs. Only this machine can open them (127.0.0.1). "
            "Their server runs until you stop it, and takes some 500 MB of memory."
        )
        if st.button("Start MLflow", key="mlflow-start"):
            try:
                mlflow_server.start(store())
            except MessError as error:
                st.error(plain(told(error)))
                return
            st.rerun()
        return
    st.fragment(_watch, run_every=5.0 if server.ready else 1.0)(server)


def _watch(before: mlflow_server.Server) -> None:
    """Draw the server; run the page again when the server answers for the first time."""
    server = mlflow_server.find(store())
    if server is None:
        st.error(plain(f"MLflow has stopped: {told(mlflow_server.last_line(store()))}"))
        return
    if server.ready and not before.ready:
        st.rerun()
    left, right, _ = st.columns([1, 1, 2])
    if server.ready:
        left.link_button("Open MLflow", server.address, width="stretch")
    else:
        left.markdown("MLflow is starting …")
    if right.button("Stop MLflow", key="mlflow-stop", width="stretch"):
        mlflow_server.stop(store())
        st.rerun()
