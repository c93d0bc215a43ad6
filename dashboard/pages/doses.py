"""Change the music: do predictions follow when only one quality is changed?"""

from collections.abc import Mapping

import streamlit as st

from dashboard import readers
from dashboard.address.controls import Controls, open_controls
from dashboard.components.fold import fold_text, foldable
from dashboard.components.text import plain
from dashboard.sections.doses import PARAMETERS, show_matrix
from dashboard.sections.missing import offer, tell_stale
from dashboard.sidebar import selected
from dashboard.titles import TITLES
from mess.doses.words import lesson
from mess.errors import ArtifactError, MessError
from mess.records.dose import DoseRecord


def main() -> None:
    """Draw the page."""
    st.title(TITLES["doses"])
    dataset, encoder = selected()
    fold_text(
        "R² says that a layer co-varies with a target. Here recordings are changed by known steps, "
        "and all else is left alone. A probe that never saw the work is asked before and after.",
        label="What is shown",
        summary="recordings are changed by known steps",
        key="about-doses",
    )
    command = ["dose", "--dataset", dataset, "--encoder", encoder]
    try:
        readers.discovery(dataset, encoder)
    except ArtifactError as error:
        whole = ["run-all", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=whole, button="Make it now")
        return
    try:
        record = readers.doses(dataset, encoder)
        tracks = readers.tracks(dataset, encoder)
        readers.dose_changes(dataset, encoder)
    except ArtifactError as error:
        st.caption("It takes some minutes: 20 recordings are changed in some 60 ways and encoded.")
        offer(error, dataset=dataset, command=command, button="Change the music now")
        return
    tell_stale(
        "This experiment",
        readers.stale("doses", dataset, encoder, record.origin),
        dataset=dataset,
        command=command,
        button="Change the music again",
    )
    versions = sum(len(edit.doses) for edit in record.edits)
    left_out = [f"{one}: {why}" for one, why in record.left_out.items()]
    counted = f"{len(record.tracks)} recordings of {record.works} works"
    said = f"{counted}, at most {record.settings.seconds:g} s of each, changed in {versions} ways."
    box, say = foldable("Recordings", key="recordings-doses")
    with box:
        for line in [said, *record.remarks, *left_out]:
            st.caption(plain(line))
    say(f"{counted}, {versions} changes")
    controls = open_controls("/doses", dataset, encoder, names=PARAMETERS)
    st.fragment(_draw)(record, tracks, controls)


def _draw(record: DoseRecord, tracks: Mapping[str, readers.TrackInfo], controls: Controls) -> None:
    with st.expander("What it teaches"):
        for line in lesson(record):
            st.markdown(f"- {plain(line)}")
    try:
        show_matrix(record, tracks)
    except MessError as error:
        st.warning(plain(readers.told(error)))
    controls.write()
