"""The downloads of a discovery: table, methods section, report."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from dashboard import readers
from dashboard.components.table import show_table
from dashboard.server.reports import report_links
from mess.as_text import as_words, two_decimals
from mess.encoders import encoder_slug
from mess.errors import ArtifactError, ArtifactMissing
from mess.records.cross import CrossRecord
from mess.records.discovery import DiscoveryRecord
from mess.records.untangled import KINDS
from mess.reports.page import html, methods
from mess.targets import title_of

if TYPE_CHECKING:
    import pandas as pd

Read = TypeVar("Read")
_HEADINGS = {  # of the table on the page; in the file stand the names of the columns
    "r2": "R²",
    "spearman": "Spearman",
    "rmse": "RMSE",
    "fold_r2": "R² of each fold",
    "alpha": "penalty of each fold",
    "low": "95 %, from",
    "high": "to",
    "p_family": "p, family-wise",
    "layer_name": "layer",
}
_LONG = ("fold_r2", "alpha")  # a number for each fold
_FORMATS = {
    **dict.fromkeys(("R²", "Spearman"), "%.3f"),
    **dict.fromkeys(("95 %, from", "to"), "%.2f"),
    **dict.fromkeys(("p", "p, family-wise", "q"), "%.2g"),
    "RMSE": "%.4g",
}
_LOOKS = {name: st.column_config.NumberColumn(format=digits) for name, digits in _FORMATS.items()}


def show_downloads(record: DiscoveryRecord) -> None:
    """Show the table of all cells and the methods section, and offer them as files."""
    dataset, encoder, level = record.dataset, record.encoder, record.settings.level
    name = f"{dataset}-{encoder_slug(encoder)}" + ("" if level == "track" else f"-{level}")
    reliability = _if_usable(lambda: readers.reliability(dataset))
    if reliability is not None and readers.stale_reliability(dataset, reliability):
        reliability = None
    evaluation = _if_usable(lambda: readers.evaluation(dataset, encoder))
    if evaluation is not None and readers.stale("evaluation", dataset, encoder, evaluation.origin):
        evaluation = None
    factors = _if_usable(lambda: readers.factors(dataset, encoder))
    if factors is not None and readers.stale("factors", dataset, encoder, factors.origin):
        factors = None
    cross = _cross(encoder)
    untangled = [
        found
        for part in KINDS
        if (found := _if_usable(partial(readers.untangled, dataset, encoder, part))) is not None
        and not readers.stale("untangled", dataset, encoder, found.origin)
    ]
    text = methods(record, reliability=reliability, evaluation=evaluation)
    table = cell_table(record)
    first, second, third = st.columns(3)
    first.download_button(
        "All cells as CSV",
        lambda: table.to_csv(index=False),
        file_name=f"{name}.csv",
        mime="text/csv",
        width="stretch",
        on_click="ignore",
    )
    second.download_button(
        "Methods section as Markdown",
        text,
        file_name=f"{name}-methods.md",
        mime="text/markdown",
        width="stretch",
        on_click="ignore",
    )
    third.download_button(
        "Full report as HTML",
        lambda: html(
            record,
            reliability=reliability,
            evaluation=evaluation,
            factors=factors,
            cross=cross,
            untangled=untangled,
        ),
        file_name=f"{name}.html",
        mime="text/html",
        width="stretch",
        on_click="ignore",
        help="One file with all tables, coloured, and the methods section.",
    )
    if links := report_links(dataset, encoder, level):
        st.markdown(
            f"A written report lies in the data root: [open it]({links['page']})"
            + (f", [its methods section]({links['methods']})." if "methods" in links else ".")
            if "page" in links
            else f"A written methods section lies in the data root: [open it]({links['methods']})."
        )
    st.caption("The heatmap itself is saved on its tab, as PNG or SVG.")
    st.header("Methods, to cite")
    st.code(text, language=None, wrap_lines=True)
    st.header("All cells")
    show_table(readable_cells(table), width="stretch", column_config=_LOOKS)


def readable_cells(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the cells as the page shows them: the name first, what is long last.

    Parameters
    ----------
    table : DataFrame
        Of `cell_table`.
    """
    first = ("target", "layer_name", "r2", "low", "high", "spearman", "p", "p_family", "q")
    names = [name for name in first if name in table]
    names += [name for name in table.columns if name not in (*first, *_LONG, "layer")]
    names += [name for name in _LONG if name in table]
    shown = table[names].assign(target=table["target"].map(title_of))
    return shown.rename(columns=_headings)


def _headings(column: str) -> str:
    return _HEADINGS.get(column, as_words(column))


def cell_table(record: DiscoveryRecord) -> "pd.DataFrame":
    """Return all cells as a table with a column for each number."""
    import pandas as pd

    cells = pd.DataFrame([asdict(cell) for cell in record.cells])
    return cells.assign(
        layer_name=[record.layer_names[layer] for layer in cells["layer"]],
        fold_r2=[" ".join(two_decimals(v) for v in row) for row in cells["fold_r2"]],
        alpha=[" ".join(f"{a:g}" for a in row) for row in cells["alpha"]],
    )


def _cross(encoder: str) -> CrossRecord | None:
    found = _if_usable(lambda: readers.cross(encoder))
    return None if found is None or readers.stale_cross(encoder, found) else found


def _if_usable(read: Callable[[], Read]) -> Read | None:
    """Return what was read; None where it is missing, or where a line says why it is left out."""
    try:
        return read()
    except ArtifactMissing:
        return None
    except ArtifactError as error:
        st.warning(f"left out of the report: {readers.told(error)}")
        return None
