"""The browser's address, kept as the page is."""

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent


@cache
def _component() -> Any:
    return st.components.v2.component("mess.location", js=(_HERE / "location.js").read_text())


def set_location(search: str, *, page: str, push: bool, key: str) -> None:
    """Set what follows the path in the browser's address.

    Parameters
    ----------
    search : str
        From the question mark on.
    page : str
        The path; a browser that has left it meanwhile is left alone.
    push : bool
        Whether the button "back" leads to the address before.
    key : str
    """
    _component()(key=key, data={"search": search, "page": page, "push": push}, height=1)
