"""A list of parts of recordings, each with its sound and its curves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard.components.browser_code import PLAYER_SCRIPTS, PLAYER_STYLES, component
from dashboard.components.player import Sound


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One part of a recording.

    Attributes
    ----------
    id : str
        Different from that of any other hit in the list.
    label, score, about : str
        What a person reads; plain text.
    sound : Sound
    """

    id: str
    label: str
    score: str
    about: str
    sound: Sound


def draw_hits(
    hits: Sequence[Hit],
    *,
    key: str,
    action: str,
    on_action: Callable[[str], None],
    row: bool = False,
) -> None:
    """Draw a list.

    Parameters
    ----------
    hits : sequence of Hit
    key : str
        Of this place on the page.
    action : str
        What the button of each hit says.
    on_action : callable
        Gets the id of a hit whose button was pressed, before the page is drawn again.
    row : bool
        Whether a button plays all of them, one after another.
    """

    def tell() -> None:
        hit = st.session_state[key].get("chosen")
        if isinstance(hit, str):
            on_action(hit)

    component("hits", scripts=(*PLAYER_SCRIPTS, "hits"), styles=(*PLAYER_STYLES, "results"))(
        key=key,
        data={
            "action": action,
            "row": row,
            "hits": [
                {
                    "id": hit.id,
                    "label": hit.label,
                    "score": hit.score,
                    "about": hit.about,
                    "sound": hit.sound.as_data(),
                }
                for hit in hits
            ],
        },
        on_chosen_change=tell,
    )
