"""Two sounds to be compared: they play the same moment, equally loud; X changes between them."""

from dataclasses import replace

from dashboard.components.browser_code import PLAYER_SCRIPTS, PLAYER_STYLES, component
from dashboard.components.player import Sound


def draw_pair(a: Sound, b: Sound, *, level: float, key: str) -> None:
    """Draw the players of two sounds.

    Parameters
    ----------
    a, b : Sound
    level : float
        The loudness of both in LUFS; see `mess.audio.loudness.common_level`.
    key : str
        Of this place on the page.
    """
    component("pair", scripts=(*PLAYER_SCRIPTS, "pair"), styles=(*PLAYER_STYLES, "results"))(
        key=key, data={"sounds": [replace(one, level=level).as_data() for one in (a, b)]}
    )
