"""A list of recordings taken away: its address, and files of it."""

from collections.abc import Callable

import streamlit as st

from dashboard.address.browser import link
from dashboard.address.search import Parameters

_MIME = {
    "csv": "text/csv",
    "json": "application/json",
    "m3u8": "application/vnd.apple.mpegurl",
}


def draw_exports(
    *,
    name: str,
    csv: Callable[[], str],
    json: Callable[[], str],
    m3u8: Callable[[], str],
    parameters: Parameters,
    key: str,
) -> None:
    """Draw the button that opens the address and the files of a list.

    Parameters
    ----------
    name : str
        Of the files, without suffix.
    csv, json, m3u8 : callable
        What each file holds; called when it is asked for.
    parameters : dict of str to list of str
        The address of the list.
    key : str
        Of this place on the page.
    """
    with st.popover("Export, link", key=f"{key}-export"):
        st.caption("The address of this page always leads to this list:")
        st.code(f"{st.context.url}{link(parameters)}", language=None, wrap_lines=True)
        with st.container(horizontal=True):
            for kind, text in (("csv", csv), ("json", json), ("m3u8", m3u8)):
                st.download_button(
                    kind.upper(),
                    data=text,
                    file_name=f"{name}.{kind}",
                    mime=_MIME[kind],
                    key=f"{key}-export-{kind}",
                    on_click="ignore",
                )
