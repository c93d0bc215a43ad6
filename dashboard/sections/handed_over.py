"""The files that a person handed over: taken in, listed, and forgotten.

The address names the files by their tokens. A reload finds them again, and whoever has the address
may hear them.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import streamlit as st

from dashboard import readers
from dashboard.address.browser import new_parameters, report
from dashboard.address.search import Parameters, Search, format_search, parse_search
from dashboard.components.table import show_table
from dashboard.components.text import plain
from dashboard.components.weights import set_weights
from mess.as_text import size
from mess.audio.decoding import AUDIO_SUFFIXES
from mess.errors import MessError
from mess.new_recordings.encoding import MAX_SECONDS
from mess.storage.uploads import KEEP_HOURS, Upload, UploadFiles

KEY = "yours"
TRACKS, PASSAGES = "Tracks", "Passages"
_SEGMENT = re.compile("[0-9]{1,6}")
_USUAL = ["mp3", "flac", "wav", "ogg", "m4a"]  # named first where there is room for few
UPLOADED = _USUAL + sorted({suffix.removeprefix(".") for suffix in AUDIO_SUFFIXES} - {*_USUAL})
_MAX_FILES = 100  # that an address may name


def restore(uploads: UploadFiles) -> None:
    """Take up the files that the address names."""
    given = new_parameters() or {}
    asked = given.get("file", [])[:_MAX_FILES]
    kept = [token for token in dict.fromkeys(asked) if uploads.find(token) is not None]
    if len(kept) < len(asked):
        st.warning("A file that this address names is not kept any more: choose it again.")
    if kept:
        _tokens().extend(token for token in kept if token not in _tokens())
        st.session_state[f"{KEY}-chosen"] = kept[0]
        _set_controls(kept[0], given)


def as_parameters(
    tokens: Sequence[str], weights: Mapping[str, float], *, view: str, segment: int
) -> Parameters:
    """Return what the page shows as the parameters of an address, the chosen file first."""
    found = {"file": list(tokens)} | format_search(Search(weights=weights))
    if view == PASSAGES:
        found |= {"view": ["passages"], "segment": [str(segment)]}
    return found


def _set_controls(token: str, given: Parameters) -> None:
    """Set sliders, tab and segment to what an address says."""
    search, problems = parse_search({"weights": given.get("weights", [])})
    report(problems)
    if search.weights is not None:
        set_weights(search.weights, key=KEY)
    st.session_state[f"{KEY}-tabs"] = PASSAGES if given.get("view") == ["passages"] else TRACKS
    number = "".join(given.get("segment", [])[-1:])
    st.session_state[f"{KEY}-segment-{token}"] = int(number) if _SEGMENT.fullmatch(number) else 0


def take_files(uploads: UploadFiles) -> None:
    """Draw the field that takes files; a file that cannot be kept costs one line."""
    megabytes = int(st.get_option("server.maxUploadSize"))
    field = st.session_state.setdefault("upload_field", 0)
    files = st.file_uploader(
        f"Recordings of up to {megabytes} MB and {MAX_SECONDS / 60:g} minutes each",
        type=UPLOADED,
        accept_multiple_files=True,
        key=f"{KEY}-files-{field}",
    )
    st.caption(
        "A file is kept without its name in a folder of its own on this machine, and nowhere else. "
        f"It is deleted when you forget it, or after {KEEP_HOURS:g} hours. Whoever has the address "
        "of this page may hear it."
    )
    if files:
        problems = []
        for file in files:
            try:
                name = name_of(file.name)
                upload = uploads.add(file.getbuffer(), name, most=megabytes << 20)
            except MessError as error:
                problems.append(readers.told(error))
            except OSError as error:
                problems.append(f"{file.name}: cannot be kept ({error.strerror}); make room")
            else:
                _tokens().append(upload.token)
                st.session_state[f"{KEY}-chosen"] = upload.token
        st.session_state["upload_problems"] = problems
        # Streamlit keeps a copy of each file as long as its field is drawn: draw a new field.
        st.session_state["upload_field"] = field + 1
        st.rerun()
    for problem in st.session_state.get("upload_problems", []):
        st.warning(plain(problem))


def name_of(sent: str) -> str:
    """Return the name of a file as its owner knows it: a browser sends a quotation mark as %22.

    >>> name_of("Für %22Elise%22.flac")
    'Für "Elise".flac'
    """
    return sent.replace("%22", '"')


def own_files(uploads: UploadFiles) -> list[Upload]:
    """Return the files of this window that are still kept."""
    files = [upload for token in _tokens() if (upload := uploads.find(token)) is not None]
    st.session_state["uploads"] = [upload.token for upload in files]
    return files


def choose_file(uploads: UploadFiles, files: Sequence[Upload]) -> Upload:
    """Draw the field that chooses a file, and the buttons that forget files."""
    by_token = {upload.token: upload for upload in files}
    if st.session_state.get(f"{KEY}-chosen") not in by_token:
        st.session_state[f"{KEY}-chosen"] = files[-1].token
    with st.container(horizontal=True, vertical_alignment="bottom"):
        token = st.selectbox(
            "File",
            list(by_token),
            format_func=lambda token: by_token[token].name,
            key=f"{KEY}-chosen",
        )
        st.button("Forget it", on_click=uploads.forget, args=(token,), key=f"{KEY}-forget")
    with st.expander(f"What is kept: {len(files)} file{'s' * (len(files) > 1)}"):
        show_table(
            [
                {
                    "file": upload.name,
                    "size": size(upload.size),
                    "handed over": datetime.fromtimestamp(upload.added).strftime("%d %b, %H:%M"),
                }
                for upload in files
            ],
        )
        st.button("Forget all", on_click=_forget_all, args=(uploads, files), key=f"{KEY}-all")
        show_others(uploads, files)
    return by_token[token]


def show_others(uploads: UploadFiles, files: Sequence[Upload]) -> None:
    """Say how much other windows keep. Their files' names are for their owners alone."""
    number, bytes_kept = uploads.others([upload.token for upload in files])
    if number:
        st.caption(
            f"Other windows keep {number} file{'s' * (number > 1)} more ({size(bytes_kept)}). They "
            f"are deleted when they are forgotten there, or after {KEEP_HOURS:g} hours."
        )


def _tokens() -> list[str]:
    tokens: list[str] = st.session_state.setdefault("uploads", [])
    return tokens


def _forget_all(uploads: UploadFiles, files: Sequence[Upload]) -> None:
    for upload in files:
        uploads.forget(upload.token)
