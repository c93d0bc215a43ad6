"""The browser's address, which follows what the page shows, and the button that copies it."""

import streamlit as st

from dashboard.components.browser_code import component

_STYLE = """<style>
.st-key-copy-link { position: fixed; top: 0.8rem; right: 9.4rem; width: auto; z-index: 1000000; }
</style>"""


def set_location(
    search: str,
    *,
    page: str,
    push: bool,
    mark: str,
    carried: str,
    seen: str,
    written: float,
    key: str,
) -> None:
    """Set what follows the path in the browser's address.

    Parameters
    ----------
    search : str
        From the question mark on.
    page : str
        The path; a browser that has left it meanwhile is left alone.
    push : bool
        Whether the button "back" leads to the address before.
    mark : str
        The parameter that marks the address before in the history.
    carried : str
        What the links to other pages carry, from the question mark on.
    seen : str
        What the browser's address was when the page began to be drawn, from the question mark on.
    written : float
        When it was written; an older one changes nothing.
    key : str
    """
    component("location", scripts=("lane_address", "location"))(
        key=key,
        data={
            "search": search,
            "page": page,
            "push": push,
            "mark": mark,
            "carried": carried,
            "seen": seen,
            "written": written,
        },
        height=1,
    )


def copy_link() -> None:
    """Draw the button that copies the address of the page, in the header above every page."""
    st.html(_STYLE)
    draw = component(
        "copy_link", scripts=("elements", "mount_once", "copy_link"), styles=("copy_link",)
    )
    with st.container(key="copy-link"):
        draw(key="copy-link-button", data={})
