"""What was measured and predicted of recordings that were changed by known steps."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.readers.data import store
from mess.doses.plan import ALL_EDITS
from mess.doses.responses import changes
from mess.records.dose import DoseRecord

if TYPE_CHECKING:
    import pandas as pd


@st.cache_resource(max_entries=4, show_spinner=False)
def _doses(dataset: str, encoder: str, version: float) -> DoseRecord:
    return store().doses.read(dataset, encoder)


def doses(dataset: str, encoder: str) -> DoseRecord:
    """Return the record of an experiment with doses; see `DoseFiles.read`."""
    return _doses(dataset, encoder, store().doses.modified(dataset, encoder))


@st.cache_resource(max_entries=2, show_spinner=False)
def _responses(dataset: str, encoder: str, version: float) -> "pd.DataFrame":
    return store().doses.read_responses(dataset, encoder, doses(dataset, encoder))


def dose_responses(dataset: str, encoder: str) -> "pd.DataFrame":
    """Return the responses of all readings and layers. Nobody may change the table."""
    return _responses(dataset, encoder, store().doses.modified(dataset, encoder))


@st.cache_resource(max_entries=2, show_spinner=False)
def _changes(dataset: str, encoder: str, version: float) -> "pd.DataFrame":
    record = doses(dataset, encoder)
    names = [one.track for one in record.tracks]
    points = store().doses.read_points(dataset, encoder, record, names)
    deviation = {one.target: one.deviation for one in record.targets_read}
    asked = {"", *(edit.name for edit in record.edits)}
    points = points[points["edit"].isin(asked) & points["target"].isin(list(deviation))]
    speeds = {
        (edit.name, dose): ALL_EDITS[edit.name].speed(dose)
        for edit in record.edits
        if edit.name in ALL_EDITS
        for dose in edit.doses
    }
    return changes(points, deviation, speeds=speeds)


def dose_changes(dataset: str, encoder: str) -> "pd.DataFrame":
    """Return every change, measured and predicted; see `mess.doses.responses.changes`.

    Raises
    ------
    ArtifactError
        If a table is missing or damaged.
    """
    return _changes(dataset, encoder, store().doses.modified(dataset, encoder))


def sample_rate(dataset: str, encoder: str) -> int:
    """Return the rate that an encoder takes, in Hz."""
    return store().features.header(dataset, encoder).sample_rate
