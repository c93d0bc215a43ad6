"""A list of recommendations taken away: its address, and files of it."""

from collections.abc import Sequence

import streamlit as st

from dashboard import exports
from dashboard.address.browser import link
from dashboard.address.search import Parameters
from dashboard.readers import TrackInfo
from mess.search.layer_based_recommender import Recommendation


def draw_exports(
    results: Sequence[tuple[Recommendation, TrackInfo]], *, parameters: Parameters, key: str
) -> None:
    """Draw the button that opens the address and the files of a list.

    Parameters
    ----------
    results : sequence of (Recommendation, TrackInfo)
        Best first.
    parameters : dict of str to list of str
        The address of the list.
    key : str
        Of this place on the page.
    """
    with st.popover("Export, link"):
        st.caption("The address of this page always leads to this list:")
        st.code(f"{st.context.url}{link(parameters)}", language=None, wrap_lines=True)
        with st.container(horizontal=True):
            for name, mime, text in (
                ("csv", "text/csv", lambda: exports.as_csv(results)),
                ("json", "application/json", lambda: exports.as_json(results, search=parameters)),
                ("m3u8", "application/vnd.apple.mpegurl", lambda: exports.as_m3u8(results)),
            ):
                st.download_button(
                    name.upper(),
                    data=text,
                    file_name=f"recommendations.{name}",
                    mime=mime,
                    key=f"{key}-export-{name}",
                    on_click="ignore",
                )
