"""Tables: what is not known is a dash, and no row has a number for a name."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler

UNKNOWN = "–"


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
        looks[first] = {**(looks.get(first) or st.column_config.Column()), "pinned": True}
    return within.dataframe(frame, column_config=looks, **(usual | options))


def _first_column(frame: "pd.DataFrame | Styler | Sequence[Mapping[str, object]]") -> Any:
    table: Any = getattr(frame, "data", frame)
    if (columns := getattr(table, "columns", None)) is None:
        columns = table[0] if table else ()
    return next(iter(columns), None)
