"""A heatmap without a plotting library: it is there with the page, and every cell is a button.

On a narrow screen it is a list: a line for each row, with its strongest cell and a strip of all.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import streamlit as st

from dashboard.components.browser_code import component
from dashboard.figures.heat import Choice, HeatTable
from dashboard.figures.style import GREY

HOW_TO_CHOOSE = "Choose a cell by a click, or by the arrow keys and Enter."


def draw_heatmap(
    table: HeatTable,
    *,
    caption: str,
    key: str,
    on_cell: Callable[[Choice], None] | None = None,
    chosen: Choice | None = None,
    detail: str = "",
    on_painted: Callable[[], None] | None = None,
) -> None:
    """Draw a heatmap.

    Parameters
    ----------
    table : HeatTable
    caption : str
        The heading of the table.
    key : str
    on_cell : callable, optional
        Gets what a cell chooses, before the page is drawn again.
    chosen : (str, str), optional
        The choice of the cell that has a frame.
    detail : str
        The key of the container that tells about the chosen cell. On a narrow screen it lies below,
        and a choice scrolls to it.
    on_painted : callable, optional
        Is called when the browser has painted the heatmap, before the page is drawn again. What is
        slow to load can wait for it.
    """

    def tell() -> None:
        told = st.session_state[key].get("cell")
        if isinstance(told, list) and len(told) == 2 and on_cell is not None:
            choice = str(told[0]), str(told[1])
            if choice in known:
                on_cell(choice)

    known = {cell.choice for row in table.rows for cell in row.cells}
    component("heatmap", scripts=("elements", "mount_once", "heatmap"), styles=("heatmap",))(
        key=key,
        data={
            "table": table_data(table, caption=caption),
            "chosen": list(chosen) if chosen else None,
            "detail": detail,
            "awaited": on_painted is not None,
        },
        on_cell_change=tell,
        on_painted_change=on_painted or (lambda: None),
    )


def table_data(table: HeatTable, *, caption: str) -> dict[str, Any]:
    """Return a heatmap and its caption as `heatmap.js` draws them."""
    low, high = table.scale.ends()
    greyed = any(cell.colour == GREY for row in table.rows for cell in row.cells)
    grey = {"name": table.scale.grey, "colour": GREY} if greyed and table.scale.grey else None
    return {
        "corner": table.corner,
        "caption": caption,
        "columns": list(table.columns),
        "apart": len(table.columns) - table.beside,
        "rows": [asdict(row) for row in table.rows],
        "scale": {
            "title": table.scale.title,
            "low": low,
            "high": high,
            "steps": table.scale.steps(),
            "grey": grey,
        },
    }
