"""Targets: the values of every recording, how they spread, and whether they can be trusted."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import readers
from dashboard.address.controls import Controls, open_controls
from dashboard.sections.doubtful import show_doubtful
from dashboard.sections.measured import (
    PARAMETERS,
    show_correlations,
    show_distributions,
    show_truth,
)
from dashboard.sections.missing import offer
from dashboard.sections.target_tests import show_tests
from dashboard.sidebar import selected
from dashboard.titles import TITLES
from mess.errors import ArtifactError

if TYPE_CHECKING:
    import pandas as pd

Tracks = dict[str, readers.TrackInfo]


def _show_tests(table: "pd.DataFrame", tracks: Tracks, *, dataset: str, encoder: str) -> None:
    show_tests(dataset)


_TABS = {
    "Distributions": show_distributions,
    "Correlations": show_correlations,
    "Against MIDI": show_truth,
    "Tests": _show_tests,
}


def main() -> None:
    """Draw the page."""
    st.title(TITLES["targets"])
    dataset, encoder = selected()
    try:
        table = readers.targets(dataset).droplevel("segment")
    except ArtifactError as error:
        command = ["targets", "--dataset", dataset]
        offer(error, dataset=dataset, command=command, button="Measure them now")
        return
    try:
        tracks = readers.tracks(dataset, encoder)
    except ArtifactError:
        tracks = {}  # names and sounds of the tracks come with the features
    st.markdown(
        "Numbers measured on each recording, or known from its MIDI. Probes predict them, and "
        "sliders rank by them."
    )
    show_doubtful(readers.target_notes(dataset))
    _show(table, tracks, open_controls("/targets", dataset, encoder, names=PARAMETERS))


@st.fragment
def _show(table: "pd.DataFrame", tracks: Tracks, controls: Controls) -> None:
    """Draw the tab that is open, and only that one."""
    controls.choose("tab", list(_TABS), key="targets-tab", usual=next(iter(_TABS)))
    tabs = st.tabs(list(_TABS), key="targets-tab", on_change="rerun")
    for tab, draw in zip(tabs, _TABS.values(), strict=True):
        if tab.open:
            with tab:
                draw(table, tracks, dataset=controls.dataset, encoder=controls.encoder)
    controls.write()
