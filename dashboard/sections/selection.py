"""Rows that were picked in a chart: listed, and played some at a time."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard import readers
from dashboard.address.controls import here
from dashboard.components.player import CLIP_SECONDS, Sound, player
from dashboard.components.table import show_table
from dashboard.components.text import plain
from dashboard.readers import row_name
from mess.audio.decoding import SEGMENT_SECONDS

_AT_ONCE = 6
Row = tuple[str, int]  # track, segment (−1 for a whole track)


def show_selection(
    rows: Sequence[Row],
    tracks: dict[str, readers.TrackInfo],
    *,
    dataset: str,
    encoder: str,
    values: dict[str, Sequence[Any]] | None = None,
    key: str,
) -> None:
    """List rows and play them, some at a time.

    Parameters
    ----------
    rows : sequence of (str, int)
        Track and segment of each.
    tracks : dict of str to TrackInfo
        By id; a track that is not there is listed and cannot be heard.
    dataset, encoder : str
    values : dict of str to sequence, optional
        More columns of the table, as long as ``rows``.
    key : str
        Of this place on the page.
    """
    import pandas as pd

    table = pd.DataFrame(
        {
            "name": [row_name(tracks, *row) for row in rows],
            **(values or {}),
            "track": [track for track, _ in rows],
        }
    )
    show_table(table, width="stretch", height=min(38 + 35 * len(rows), 248))
    pages = -(-len(rows) // _AT_ONCE)
    first = 0
    if pages > 1:
        here().choose("part", range(1, pages + 1), key=f"{key}-page", usual=1)
        page = st.number_input(f"Players, page 1 to {pages}", 1, pages, key=f"{key}-page")
        first = (int(page) - 1) * _AT_ONCE
    for number, (track, segment) in enumerate(rows[first : first + _AT_ONCE]):
        name = row_name(tracks, track, segment)
        beside = [f"{label} {column[first + number]}" for label, column in (values or {}).items()]
        st.markdown(f"**{plain(name)}**" + "".join(f" · {plain(text)}" for text in beside))
        play_row(tracks, track, segment, dataset=dataset, encoder=encoder, key=f"{key}-{number}")


def play_row(
    tracks: dict[str, readers.TrackInfo],
    track: str,
    segment: int,
    *,
    dataset: str,
    encoder: str,
    key: str,
) -> None:
    """Draw the player of one row."""
    if track not in tracks:
        st.caption("It can be heard as soon as it has features by this encoder.")
        return
    sound = Sound(
        dataset=dataset,
        encoder=encoder,
        track=track,
        label=row_name(tracks, track, segment),
        start=readers.segment_start(tracks[track], segment),
        seconds=SEGMENT_SECONDS if segment >= 0 else CLIP_SECONDS,
    )
    player(sound, key=key)
