"""Which recordings have a doubtful file, and what is doubtful about each."""

from collections.abc import Mapping

import streamlit as st

from dashboard.components.text import plain


def show_doubtful(notes: Mapping[str, str]) -> None:
    """List the tracks whose files are doubtful, folded; draw nothing if there are none.

    Parameters
    ----------
    notes : mapping of str to str
        What is doubtful about the file, by the track's id.
    """
    if not notes:
        return
    count = f"{len(notes)} recording{'' if len(notes) == 1 else 's'}"
    with st.expander(f"{count} with a doubtful file"):
        for track, note in notes.items():
            st.markdown(f"- {plain(track)}: {plain(note)}")
