"""A heatmap as a figure to save, drawn once somebody asks for it."""

import streamlit as st

from dashboard.components.figure_buttons import figure_buttons
from dashboard.figures.grid import heat_figure
from dashboard.figures.heat import HeatTable
from dashboard.sections.wide import wide


def offer_figure(table: HeatTable, *, file_name: str, alt: str, name: str = "heatmap") -> None:
    """Offer a heatmap as PNG and SVG.

    Parameters
    ----------
    table : HeatTable
    file_name : str
        Without suffix.
    alt : str
        What a screen reader is told.
    name : str
        What the figure shows, and its place on the page.
    """
    words = f"The {name} as a figure to save"
    opened = st.expander(words, key=f"figure-of-{name}", on_change="rerun")
    if not opened.open:
        return
    key = f"figure-{file_name}"
    with opened:
        wide(f"figure-{name}").plotly_chart(
            heat_figure(table),
            key=key,
            config={"displaylogo": False, "modeBarButtons": [["toImage"]]},
            alt=alt,
        )
        figure_buttons(key, file_name=file_name, key=f"figure-buttons-{name}")
