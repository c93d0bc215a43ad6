"""Components of the page: the scripts and styles of each, joined from files in this folder.

What several components need is a file of its own. `elements.js` makes HTML elements,
`mount_once.js` keeps a component while Streamlit calls it again, `kept.js` keeps what a person set
in the browser, `player_keys.js` is the keyboard of the players, `player_settings.js` their speed
and loudness, `player_bar.js` the controls at the lower edge of a narrow screen, `player.js` a
player, `lane.js` the curves below it, `lane_address.js` what of them stands in the address.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

PLAYER_SCRIPTS = (
    "elements",
    "mount_once",
    "kept",
    "player_settings",
    "player_keys",
    "player_bar",
    "lane_address",
    "lane",
    "player",
)
PLAYER_STYLES = ("player", "lane")
_HERE = Path(__file__).parent


@cache
def component(name: str, *, scripts: tuple[str, ...], styles: tuple[str, ...] = ()) -> Any:
    """Return a component, registered with Streamlit at the first call.

    Its data reach the script in a list. In a list Streamlit looks for no tables: to look for them
    takes time at each run, and loads pandas at the first.

    Parameters
    ----------
    name : str
    scripts, styles : tuple of str
        Names of files without suffix. A script may use what stands in those before it; the last
        one exports the component.
    """
    draw = st.components.v2.component(
        f"mess.{name}",
        css=_read(styles, suffix=".css") or None,
        js=_read(scripts, suffix=".js"),
    )

    def draw_with(*, data: Mapping[str, Any] | None = None, **options: Any) -> Any:
        return draw(data=[data], **options)

    return draw_with


def _read(names: tuple[str, ...], *, suffix: str) -> str:
    paths = (_HERE / f"{name}{suffix}" for name in names)
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)
