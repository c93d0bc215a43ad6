"""Two sounds to be compared: they play the same moment, equally loud; X changes between them."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from dashboard.components.browser_code import PLAYER_SCRIPTS, PLAYER_STYLES, component
from dashboard.components.player import Sound


def draw_pair(
    a: Sound, b: Sound, *, level: float, at: float, key: str, on_rest: Callable[[float], None]
) -> None:
    """Draw the players of two sounds.

    Parameters
    ----------
    a, b : Sound
    level : float
        The loudness of both in LUFS; see `mess.audio.loudness.common_level`.
    at : float
        The moment at which they begin, in seconds.
    key : str
        Of this place on the page.
    on_rest : callable
        Gets the moment at which they were paused, before the page is drawn again.
    """

    def tell() -> None:
        moment = st.session_state[key].get("rest")
        if isinstance(moment, int | float) and 0 <= moment < 1e5:
            on_rest(round(float(moment), 1))

    component("pair", scripts=(*PLAYER_SCRIPTS, "pair"), styles=(*PLAYER_STYLES, "results"))(
        key=key,
        data={"sounds": [replace(one, level=level).as_data() for one in (a, b)], "at": at},
        on_rest_change=tell,
    )
