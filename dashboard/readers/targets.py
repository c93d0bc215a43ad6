"""The targets of a dataset: tables, single numbers, and what the dataset states itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.readers.data import store
from mess.errors import ArtifactError
from mess.records.discovery import Level
from mess.serving import shelf

if TYPE_CHECKING:
    import pandas as pd


def targets(dataset: str, *, level: Level = "track") -> "pd.DataFrame":
    """Return the targets of a dataset; see `TargetFiles.read`. Nobody may change the table."""
    return shelf.targets(store(), dataset, level=level)


@st.cache_data(max_entries=4, show_spinner=False)
def _stated(dataset: str, name: str, version: float) -> "pd.Series[float]":
    import pandas as pd

    entries = store().targets.manifest(dataset).done()
    found = {track: entry.extra.get(name) for track, entry in entries.items()}
    return pd.to_numeric(pd.Series(found, dtype=object), errors="coerce").dropna()


def stated(dataset: str, name: str) -> "pd.Series[float]":
    """Return a number that a dataset states of its tracks, by id; empty where it states none."""
    return _stated(dataset, name, store().targets.modified(dataset))


@st.cache_data(max_entries=4, show_spinner=False)
def _target_notes(dataset: str, version: float) -> dict[str, str]:
    entries = store().targets.manifest(dataset).done()
    return {track: "; ".join(entry.notes) for track, entry in entries.items() if entry.notes}


def target_notes(dataset: str) -> dict[str, str]:
    """Return what is doubtful about the file of a measured track, by id."""
    return _target_notes(dataset, store().targets.modified(dataset))


def target_names(dataset: str) -> list[str]:
    """Return the targets that have values, none where nothing was measured."""
    try:
        table = targets(dataset)
    except ArtifactError:
        return []
    return [name for name in table.columns if table[name].notna().any()]


def target_values(
    dataset: str, target: str, rows: Sequence[tuple[str, int]], *, level: Level = "track"
) -> NDArray[np.float64]:
    """Return a target of each row (track, segment), NaN where it is unknown.

    A target that is undefined on segments has the value of the whole track.
    """
    import pandas as pd

    table = targets(dataset, level=level)
    if target not in table.columns:
        table, rows = targets(dataset), [(track, -1) for track, _ in rows]
    index = pd.MultiIndex.from_tuples(rows, names=table.index.names)
    return table[target].reindex(index).to_numpy(dtype=np.float64)
