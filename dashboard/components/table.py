"""Tables: what is not known is a dash, and no row has a number for a name."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler

UNKNOWN = "–"


def show_table(
    frame: "pd.DataFrame | Styler | Sequence[Mapping[str, object]]", **options: Any
) -> Any:
    """Draw a table; what is missing in it is a dash.

    Parameters
    ----------
    frame : DataFrame, Styler or sequence of mappings
        Or its rows. An index is not shown.
    options
        Of `streamlit.dataframe`.

    Returns
    -------
    Any
        What is selected, if ``on_select`` is given.
    """
    usual: dict[str, Any] = {"hide_index": True, "placeholder": UNKNOWN}
    return st.dataframe(frame, **(usual | options))
