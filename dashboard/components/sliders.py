"""Rows of sliders around 0, with presets, as one element of the page.

Each of Streamlit's own sliders takes 85 pixels and a message to the server. A preset would need a
rerun.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import streamlit as st

from dashboard.components.browser_code import component


@dataclass(frozen=True, kw_only=True)
class Slider:
    """One row.

    Attributes
    ----------
    name : str
        The key of its value.
    label, note, help : str
        What a person reads, plain text.
    reach : float
        The slider goes from minus this value to this value.
    step : float
    group : str
        The heading under which it can be folded away; "" for none.
    """

    name: str
    label: str
    note: str = ""
    help: str = ""
    reach: float = 1.0
    step: float = 0.05
    group: str = ""

    def fit(self, value: float) -> float:
        """Return the value of the slider that is nearest to ``value``."""
        value = value if isfinite(value) else 0.0
        return round(round(min(max(value, -self.reach), self.reach) / self.step) * self.step, 4)


def set_sliders(values: Mapping[str, float], *, key: str) -> None:
    """Set the sliders of a place. Sliders that are not named become 0."""
    # A browser may still show the values of an earlier server. A random stamp, never used before,
    # makes it take these.
    st.session_state[f"{key}-values"] = {"stamp": secrets.token_hex(8), "values": dict(values)}


def are_set(key: str) -> bool:
    """Tell whether the sliders of a place have been set in this session."""
    return f"{key}-values" in st.session_state


def draw_sliders(
    rows: Sequence[Slider], *, presets: Mapping[str, Mapping[str, float]], key: str
) -> tuple[dict[str, float], bool]:
    """Draw the sliders of a place.

    Parameters
    ----------
    rows : sequence of Slider
    presets : mapping of str to mapping
        The values that each button sets.
    key : str

    Returns
    -------
    values : dict of str to float
    settled : bool
        False while a slider is being dragged.
    """
    if not are_set(key):
        set_sliders({}, key=key)
    state = st.session_state[f"{key}-values"]
    found = component(
        "sliders", scripts=("elements", "mount_once", "sliders"), styles=("sliders",)
    )(
        key=f"{key}-sliders",
        data={
            "rows": [_described(row) for row in rows],
            "presets": [{"name": name, "values": dict(one)} for name, one in presets.items()],
            "values": state["values"],
            "stamp": state["stamp"],
        },
        on_moved_change=lambda: None,
    )
    moved, settled = found.moved, True
    if isinstance(moved, Mapping) and moved.get("stamp") == state["stamp"]:
        values, settled = moved.get("values", {}), bool(moved.get("settled"))
        state["values"] = {row.name: row.fit(_number(values.get(row.name))) for row in rows}
    return {row.name: row.fit(state["values"].get(row.name, 0.0)) for row in rows}, settled


def _described(row: Slider) -> dict[str, Any]:
    described = asdict(row)
    reach = described.pop("reach")
    return described | {"min": -reach, "max": reach}


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
