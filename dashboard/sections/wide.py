"""Charts that need their width: on a phone they keep it, and scroll."""

from typing import Any

import streamlit as st

_STYLE = """<style>
[class*="st-key-wide-"] { overflow-x: auto; }
[class*="st-key-wide-"] > * { min-width: 44rem; }
</style>"""


def wide(name: str) -> Any:
    """Return a container for a chart that cannot be read on a narrow screen.

    Parameters
    ----------
    name : str
        Of the place on the page.
    """
    st.html(_STYLE)
    return st.container(key=f"wide-{name}")
