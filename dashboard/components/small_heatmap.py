"""A heatmap without a plotting library: it is there with the page, and every cell is a button."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from dashboard.components.browser_code import component


@dataclass(frozen=True, kw_only=True)
class SmallCell:
    """One cell.

    Attributes
    ----------
    layer : int
    target : str
        What a click opens.
    colour, ink : str
        CSS colours of the cell and of its text.
    mark : str
        What stands in it.
    said : str
        What a person reads at the pointer, or hears.
    """

    layer: int
    target: str
    colour: str
    ink: str
    mark: str
    said: str


@dataclass(frozen=True, kw_only=True)
class SmallRow:
    """A row: its name, one plain sentence about it, and its cells."""

    label: str
    about: str
    cells: Sequence[SmallCell]


def draw_small_heatmap(
    rows: Sequence[SmallRow],
    *,
    layers: Sequence[str],
    corner: str,
    caption: str,
    key: str,
    on_cell: Callable[[int, str], None],
) -> None:
    """Draw a heatmap.

    Parameters
    ----------
    rows : sequence of SmallRow
    layers : sequence of str
        The name of each column.
    corner, caption : str
        The heading of the names of the rows, and of the table.
    key : str
    on_cell : callable
        Gets layer and target of a cell that was chosen, before the page is drawn again.
    """

    def tell() -> None:
        chosen = st.session_state[key].get("cell")
        if isinstance(chosen, list) and (chosen[0], chosen[1]) in known:
            on_cell(chosen[0], chosen[1])

    known = {(cell.layer, cell.target) for row in rows for cell in row.cells}
    component(
        "small_heatmap",
        scripts=("elements", "mount_once", "small_heatmap"),
        styles=("small_heatmap",),
    )(
        key=key,
        data={
            "corner": corner,
            "caption": caption,
            "layers": list(layers),
            "rows": [asdict(row) for row in rows],
        },
        on_cell_change=tell,
    )
