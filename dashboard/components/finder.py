"""A field to find a track by composer, work, title or id: the server searches, key by key.

A select box would send the names of all tracks to the browser.
"""

from collections.abc import Callable, Mapping

import streamlit as st

from dashboard.components.browser_code import component
from dashboard.server.names import names_url


def find_track(
    dataset: str,
    encoder: str,
    *,
    label: str,
    key: str,
    on_choose: Callable[[str], None],
    shown: str = "",
    chips: Mapping[str, str] | None = None,
    on_remove: Callable[[str], None] | None = None,
) -> None:
    """Draw the field.

    Parameters
    ----------
    dataset, encoder : str
        Whose tracks.
    label : str
    key : str
    on_choose : callable
        Gets the id of the chosen track before the page is drawn again.
    shown : str
        The chosen track's name; "" where the field adds tracks to a list.
    chips : mapping of str to str, optional
        That list: ids and names.
    on_remove : callable, optional
        Gets the id of the track that was taken off the list.
    """

    def tell(event: str, told: Callable[[str], None] | None) -> None:
        track = st.session_state[key].get(event)
        if told is not None and isinstance(track, str):
            told(track)

    component("finder", scripts=("elements", "mount_once", "finder"), styles=("finder",))(
        key=key,
        data={
            "label": label,
            "shown": shown,
            "keeps": bool(shown),
            "placeholder": "Composer, work, title or id",
            "address": names_url(dataset, encoder),
            "chips": [{"id": track, "label": name} for track, name in (chips or {}).items()],
        },
        on_chosen_change=lambda: tell("chosen", on_choose),
        on_removed_change=lambda: tell("removed", on_remove),
    )
