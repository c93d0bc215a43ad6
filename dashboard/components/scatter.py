"""A map of points, drawn by the graphics card: a lasso, a box or a click picks some.

The browser fetches the points once. Another colour or another pick sends no point again, and
leaves the part of the map that is in view. regl-scatterplot draws; it is in this folder with its
licences.
"""

import base64
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from dashboard.components.browser_code import component
from dashboard.figures.map import Colouring

_SCRIPT = "/maps/regl-scatterplot.js"


def draw_scatter(
    *,
    points: str,
    names: str,
    colouring: Colouring,
    title: str,
    mode: str,
    picked: Sequence[int],
    rings: Sequence[int],
    label: str,
    key: str,
    on_pick: Callable[[list[int]], None],
) -> None:
    """Draw a map.

    Parameters
    ----------
    points, names : str
        The addresses of the points and of the name of one; see `dashboard.server.maps`.
    colouring : Colouring
    title : str
        What the colours mean.
    mode : {"lasso", "select", "pan"}
        What dragging does.
    picked, rings : sequence of int
        The rows that are picked, and those that have a ring.
    label : str
        What a screen reader is told.
    key : str
        Of this place on the page.
    on_pick : callable
        Gets the rows that were picked, before the page is drawn again.
    """
    count = len(colouring.codes)

    def tell() -> None:
        rows = st.session_state[key].get("picked")
        if isinstance(rows, list):
            whole = [int(row) for row in rows if isinstance(row, int | float)]
            on_pick([row for row in whole if 0 <= row < count])

    data: dict[str, Any] = {
        "script": _SCRIPT,
        "address": points,
        "names": names,
        "colours": base64.b64encode(colouring.codes.tobytes()).decode(),
        "palette": colouring.palette,
        "legend": [{"name": name, "colour": colour} for name, colour in colouring.legend],
        "scale": colouring.scale,
        "title": title,
        "mode": mode,
        "size": 7 if count <= 1000 else 5 if count <= 10_000 else 3,
        "picked": list(picked),
        "rings": list(rings),
        "label": label,
    }
    component("scatter", scripts=("elements", "mount_once", "scatter"), styles=("scatter",))(
        key=key, data=data, on_picked_change=tell
    )
