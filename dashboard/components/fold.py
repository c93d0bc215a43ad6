"""Parts of a page that a narrow screen shows in another way; a wide one shows them as they are.

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


def fold_text(text: str, *, label: str, summary: str, key: str) -> None:
    """Draw a paragraph that a narrow screen folds to one line.

    Parameters
    ----------
    text : str
        In Markdown.
    label, summary : str
        What the line says; plain text.
    key : str
        Of this place on the page.
    """
    box, say = foldable(label, key=key)
    box.markdown(text)
    say(summary)


def below_on_phone(key: str) -> Any:
    """Return a container that a narrow screen shows below all that its parent holds.

    Parameters
    ----------
    key : str
        Of this place on the page.
    """
    return st.container(key=f"below-{key}")


def first_on_phone(key: str) -> Any:
    """Return a container; a narrow screen shows the column that holds it before the others.

    Parameters
    ----------
    key : str
        Of this place on the page.
    """
    return st.container(key=f"first-{key}")
