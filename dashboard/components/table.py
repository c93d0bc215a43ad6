"""Tables: what is not known is a dash, and no row has a number for a name."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler

UNKNOWN = "–"
_SHORT = 24  # letters of a name that is seen whole, whatever else is


def show_table(
    frame: "pd.DataFrame | Styler | Sequence[Mapping[str, object]]",
    *,
    within: Any = st,
    **options: Any,
) -> Any:
    """Draw a table; what is missing in it is a dash, and its first column stays in sight.

    Parameters
    ----------
    frame : DataFrame, Styler or sequence of mappings
        Or its rows. An index with a name becomes the first column; another one is not shown.
    within : container, optional
        Where it is drawn.
    options
        Of `streamlit.dataframe`.

    Returns
    -------
    Any
        What is selected, if ``on_select`` is given.
    """
    if getattr(getattr(frame, "index", None), "name", None) is not None:
        frame = cast("pd.DataFrame", frame).reset_index()
    usual: dict[str, Any] = {"hide_index": True, "placeholder": UNKNOWN}
    looks = dict(options.pop("column_config", None) or {})
    if (first := _first_column(frame)) is not None:
        # Who reads a wide table on a narrow screen sees of which row a number is.
        given = looks.get(first) or st.column_config.Column()
        looks[first] = {"width": _width(frame, first), **_known(given), "pinned": True}
    return within.dataframe(frame, column_config=looks, **(usual | options))


def _known(looks: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in looks.items() if value is not None}


def _width(frame: "pd.DataFrame | Styler | Sequence[Mapping[str, object]]", column: Any) -> Any:
    """Return the pixels that short names take; the browser measures some of them only."""
    table: Any = getattr(frame, "data", frame)
    rows = table[column] if hasattr(table, "columns") else [row.get(column) for row in table]
    texts = [*rows, str(column)]
    if not all(isinstance(text, str) for text in texts):
        return None
    longest = max(map(len, texts))
    return 22 + 7 * longest if longest <= _SHORT else None


def _first_column(frame: "pd.DataFrame | Styler | Sequence[Mapping[str, object]]") -> Any:
    table: Any = getattr(frame, "data", frame)
    if (columns := getattr(table, "columns", None)) is None:
        columns = table[0] if table else ()
    return next(iter(columns), None)
