"""Tables: what is not known is a dash, and no row has a number for a name."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

UNKNOWN = "–"


def show_table(frame: pd.DataFrame | Sequence[Mapping[str, object]], **options: Any) -> Any:
    """Draw a table; what is missing in it is a dash.

    Parameters
    ----------
    frame : DataFrame or sequence of mappings
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
