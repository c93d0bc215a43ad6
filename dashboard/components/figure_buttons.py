"""Buttons that save a figure as the browser shows it: PNG or SVG, made by Plotly itself."""

from dashboard.components.browser_code import component


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
    component(
        "figure_buttons",
        scripts=("elements", "mount_once", "figure_buttons"),
        styles=("figure_buttons",),
    )(key=key, data={"chart": chart_key, "name": file_name})
