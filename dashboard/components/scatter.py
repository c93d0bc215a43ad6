"""A map of points, drawn by the graphics card: a lasso, a box or a click picks some.

The browser fetches the points once. Another colour or another pick sends no point again, and
leaves the part of the map that is in view. regl-scatterplot draws; it is in this folder with its
licences.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
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
        bits = st.session_state[key].get("picked")
        if isinstance(bits, str):
            on_pick(read_bits(bits, count))

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
        "picked": write_bits(picked, count),
        "rings": list(rings),
        "label": label,
    }
    component("scatter", scripts=("elements", "mount_once", "scatter"), styles=("scatter",))(
        key=key, data=data, on_picked_change=tell
    )


def write_bits(rows: Sequence[int], count: int) -> str:
    """Return rows as a bit for each of ``count`` points, in base64: 8 kB for 50,000 points.

    >>> write_bits([0, 9], 10), write_bits([], 10)
    ('gEA=', '')
    """
    if not rows:
        return ""
    bits = np.zeros(count, dtype=bool)
    bits[list(rows)] = True
    return base64.b64encode(np.packbits(bits).tobytes()).decode()


def read_bits(text: str, count: int) -> list[int]:
    """Return the rows that `write_bits` wrote; none from a text of another kind.

    >>> read_bits("gEA=", 10), read_bits("no bits", 10)
    ([0, 9], [])
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return []
    bits = np.unpackbits(np.frombuffer(content, dtype=np.uint8))[:count]
    return [int(row) for row in np.flatnonzero(bits)]
