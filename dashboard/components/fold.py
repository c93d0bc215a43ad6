"""A part of a page that a narrow screen folds to one line; a wide one shows it as it is.

The server does not know how wide a screen is, so the style sheet `phone.css` decides.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard.components.browser_code import component


def foldable(label: str, *, key: str) -> tuple[Any, Callable[[str], None]]:
    """Return a container for the part, and a function that says in a line what the part is set to.

    Parameters
    ----------
    label : str
        The name of the part.
    key : str
        Of this place on the page.

    Returns
    -------
    box : container
    say : callable
        To be called once, after the part is drawn; takes plain text.
    """
    box = st.container(key=f"fold-{key}")
    head = box.container(key=f"foldhead-{key}")

    def say(summary: str) -> None:
        with head:
            component("fold", scripts=("elements", "mount_once", "fold"), styles=("fold",))(
                key=f"{key}-foldline", data={"label": label, "summary": summary}
            )

    return box, say
