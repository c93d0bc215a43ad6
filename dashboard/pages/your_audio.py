"""Your audio: hand over a recording, and search with it."""

import streamlit as st

from dashboard import readers
from dashboard.address.browser import write_address
from dashboard.components.player import player
from dashboard.components.text import plain
from dashboard.jobs import encoding
from dashboard.sections.handed_over import (
    KEY,
    choose_file,
    own_files,
    restore,
    show_others,
    take_files,
)
from dashboard.sections.handed_over_results import draw_encoded_file, upload_sound
from dashboard.sections.missing import offer
from dashboard.sidebar import selected
from dashboard.titles import TITLES
from mess.errors import ArtifactError
from mess.storage.uploads import Upload, UploadFiles

_POLL_SECONDS = 0.5


def main() -> None:
    """Draw the page."""
    st.title(TITLES["your_audio"])
    dataset, encoder = selected()
    try:
        recommender = readers.recommender(dataset, encoder)
    except ArtifactError as error:
        command = ["run-all", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Make it now")
        return
    uploads = readers.store().uploads
    uploads.sweep()
    restore(uploads)
    take_files(uploads)
    if note := st.session_state.pop("upload_note", None):
        st.success(plain(note))
    files = own_files(uploads)
    if not files:
        write_address(dataset, encoder, {}, page="/your_audio")
        show_others(uploads, files)
        return
    upload = choose_file(uploads, files)
    ordered = [upload, *(other for other in files if other != upload)]
    tokens = [file.token for file in ordered]
    for token in tokens:
        uploads.want(token, dataset=dataset, encoder=encoder)
    state = uploads.state(upload.token, encoder)
    if state == "done":
        st.fragment(draw_encoded_file)(recommender, uploads, upload, tokens=tokens)
        return
    write_address(dataset, encoder, {"file": tokens}, page="/your_audio")
    if state == "failed":
        st.error(plain(f"{upload.name}: {readers.told(uploads.problem(upload.token, encoder))}"))
    else:
        st.fragment(_wait, run_every=_POLL_SECONDS)(uploads, upload, encoder)


def _wait(uploads: UploadFiles, upload: Upload, encoder: str) -> None:
    """Look again until the file is encoded."""
    uploads.watch(upload.token, encoder)
    encoding.see_to(readers.store())
    if uploads.state(upload.token, encoder) != "waiting":
        st.rerun()
    player(upload_sound(upload), key=f"{KEY}-waiting-player")
    st.progress(0.0, text=f"{encoder} listens to it …")
