"""A recording as a waveform over its spectrogram. A click picks a part of it."""

from collections.abc import Callable

import streamlit as st

from dashboard.components.browser_code import PLAYER_SCRIPTS, component
from dashboard.components.player import Sound
from mess.audio.decoding import SEGMENT_SECONDS

_BINS = 1200


def pick_window(
    sound: Sound,
    *,
    count: int,
    chosen: int,
    key: str,
    on_pick: Callable[[int], None],
    window: float = SEGMENT_SECONDS,
    step: float = SEGMENT_SECONDS,
) -> None:
    """Draw a whole recording and let a person pick a part of it: by default, a segment.

    Parameters
    ----------
    sound : Sound
        From 0 to its end.
    count : int
        The number of parts; the last one ends with the recording.
    chosen : int
    key : str
    on_pick : callable
        Gets the number of the part before the page is drawn again.
    window, step : float
        The length of a part, and how far apart two parts begin, in seconds.
    """

    def tell() -> None:
        number = st.session_state[key].get("picked")
        if isinstance(number, int | float) and 0 <= number < count:
            on_pick(int(number))

    component("picker", scripts=(*PLAYER_SCRIPTS, "picker"), styles=("picker",))(
        key=key,
        data={
            "name": sound.label,
            "label": f"Choose {window:g} seconds of {sound.label}",
            "peaks": f"{sound.url('peaks')}&bins={_BINS}",
            "spectrogram": sound.url("spectrogram"),
            "duration": sound.seconds,
            "window": window,
            "step": step,
            "count": count,
            "chosen": chosen,
        },
        on_picked_change=tell,
    )
