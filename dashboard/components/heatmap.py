"""A heatmap without a plotting library: it is there with the page, and every cell is a button.

On a narrow screen it is a list: a line for each row, with its best layer and a strip of all layers.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from dashboard.components.browser_code import component


@dataclass(frozen=True, kw_only=True)
class HeatCell:
    """One cell.

    Attributes
    ----------
    layer : int or None
        None for a column beside the layers; the cell can be read, and not be chosen.
    target : str
        With the layer, what a click chooses.
    colour, ink : str
        CSS colours of the cell and of its text.
    text : str
        The number that stands in it.
    mark : str
        A sign that stands in its corner.
    said : str
        What a person reads at the pointer, or hears.
    """

    layer: int | None
    target: str
    colour: str
    ink: str
    text: str = ""
    mark: str = ""
    said: str


@dataclass(frozen=True, kw_only=True)
class HeatRow:
    """A row.

    Attributes
    ----------
    label, about : str
        Its name, and one plain sentence about it.
    family : str
        Rows of one family stand below its name; "" for none.
    cells : sequence of HeatCell
        One for each column.
    best : int
        The column that a narrow screen shows and chooses.
    best_said : str
        What a narrow screen says of that column.
    """

    label: str
    about: str
    family: str = ""
    cells: Sequence[HeatCell]
    best: int
    best_said: str


def draw_heatmap(
    rows: Sequence[HeatRow],
    *,
    columns: Sequence[str],
    layers: int,
    corner: str,
    caption: str,
    key: str,
    on_cell: Callable[[int, str], None],
    chosen: tuple[int, str] | None = None,
    detail: str = "",
    on_painted: Callable[[], None] | None = None,
) -> None:
    """Draw a heatmap.

    Parameters
    ----------
    rows : sequence of HeatRow
    columns : sequence of str
        Their names.
    layers : int
        How many of them are layers; the others stand apart.
    corner, caption : str
        The heading of the names of the rows, and of the table.
    key : str
    on_cell : callable
        Gets layer and target of a cell that was chosen, before the page is drawn again.
    chosen : (int, str), optional
        Layer and target of the cell that has a frame.
    detail : str
        The key of the container that tells about the chosen cell. On a narrow screen it lies below,
        and a choice scrolls to it.
    on_painted : callable, optional
        Is called when the browser has painted the heatmap, before the page is drawn again. What is
        slow to load can wait for it.
    """

    def tell() -> None:
        told = st.session_state[key].get("cell")
        if isinstance(told, list) and len(told) == 2 and (told[0], told[1]) in known:
            on_cell(told[0], told[1])

    known = {(cell.layer, cell.target) for row in rows for cell in row.cells}
    component("heatmap", scripts=("elements", "mount_once", "heatmap"), styles=("heatmap",))(
        key=key,
        data={
            "table": {
                "corner": corner,
                "caption": caption,
                "columns": list(columns),
                "layers": layers,
                "rows": [asdict(row) for row in rows],
            },
            "chosen": list(chosen) if chosen else None,
            "detail": detail,
            "awaited": on_painted is not None,
        },
        on_cell_change=tell,
        on_painted_change=on_painted or (lambda: None),
    )
