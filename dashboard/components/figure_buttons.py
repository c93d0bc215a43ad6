"""Buttons that save a figure as the browser shows it: PNG or SVG, made by Plotly itself."""

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent


@cache
def _component() -> Any:
    return st.components.v2.component(
        "mess.figure_buttons",
        css=(_HERE / "figure_buttons.css").read_text(),
        js=(_HERE / "figure_buttons.js").read_text(),
    )


def figure_buttons(chart_key: str, *, file_name: str, key: str) -> None:
    """Draw the buttons that save a chart.

    Parameters
    ----------
    chart_key : str
        The ``key`` of the chart, which must show its tool bar.
    file_name : str
        Without suffix.
    key : str
        Of this place on the page.
    """
    _component()(key=key, data={"chart": chart_key, "name": file_name})
