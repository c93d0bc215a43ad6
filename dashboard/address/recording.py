"""The current recording of each dataset: the one thread through all pages of a window.

The page that makes a recording its query chooses it here, and the next page begins with it.
"""

import streamlit as st

_KEY = "current-recording"


def current_recording(dataset: str) -> str:
    """Return the id of the current recording, "" if none was chosen yet.

    An address may have named it: it need not exist.
    """
    found: str = st.session_state.get(_KEY, {}).get(dataset, "")
    return found


def choose_recording(dataset: str, track: str) -> None:
    """Make a recording the current one."""
    st.session_state[_KEY] = {**st.session_state.get(_KEY, {}), dataset: track}
