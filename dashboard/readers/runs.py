"""The runs that MLflow recorded, with their metrics and discoveries."""

import time

import streamlit as st

from dashboard.readers.data import store
from mess.records.discovery import DiscoveryRecord
from mess.tracking.reading import (
    RecordedRun,
    read_discovery_of,
    read_metrics,
    read_runs,
    runs_version,
    server_address,
)
from mess.tracking.recording import tracking_uri

_SERVER_SECONDS = 15  # how old the answer of a tracking server may be


def recorded_runs() -> list[RecordedRun]:
    """Return every recorded run; see `mess.tracking.reading.read_runs`."""
    return _recorded_runs(_version())


def run_metrics(run: RecordedRun) -> dict[str, float]:
    """Return the metrics of a run; see `mess.tracking.reading.read_metrics`."""
    return _run_metrics(run.id, _version())


@st.cache_data(max_entries=8, show_spinner=False)
def run_discovery(run: RecordedRun) -> DiscoveryRecord:
    """Return the discovery of a run; see `mess.tracking.reading.read_discovery_of`."""
    return read_discovery_of(store(), run)


def _version() -> tuple[object, ...]:
    """Return what changes when runs may have changed, wherever they are recorded."""
    address = server_address(store())
    if address is not None:
        return (address, int(time.time() // _SERVER_SECONDS))
    return (tracking_uri(store()), *runs_version(store()))


@st.cache_data(max_entries=4, show_spinner=False)
def _recorded_runs(version: tuple[object, ...]) -> list[RecordedRun]:
    return read_runs(store())


@st.cache_data(max_entries=16, show_spinner=False)
def _run_metrics(run: str, version: tuple[object, ...]) -> dict[str, float]:
    return read_metrics(store(), run)
