"""What a page shows in place of an artifact that is missing, damaged or stale."""

from collections.abc import Sequence

import streamlit as st

from dashboard.sidebar import start
from mess.errors import ArtifactError, ArtifactMissing


def offer(error: ArtifactError, *, dataset: str, command: Sequence[str], button: str) -> None:
    """Say what is wrong in one line, and offer the pipeline that mends it.

    Parameters
    ----------
    error : ArtifactError
        What the reader said.
    dataset : str
        Whose job it becomes.
    command : sequence of str
        The pipeline, below ``mess``.
    button : str
        What the button says.
    """
    (st.info if isinstance(error, ArtifactMissing) else st.warning)(str(error))
    st.code(error.command, language="bash")
    if st.button(button, key=f"offer-{'-'.join(command)}", type="primary"):
        start(dataset, list(command))
        st.rerun()
