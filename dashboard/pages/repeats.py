"""Copies and works: the files that hold the same recording, and the works in several recordings."""

import pandas as pd
import streamlit as st

from dashboard import readers
from dashboard.components.player import player, track_sound
from dashboard.components.table import show_table
from dashboard.components.text import plain
from dashboard.sections.missing import offer
from dashboard.sidebar import selected
from mess.errors import ArtifactError

_MOST = 24  # players that are drawn
_ROW, _TALLEST = 36, 290  # pixels


def main() -> None:
    """Draw the page."""
    st.title("Copies and works")
    dataset, encoder = selected()
    try:
        found = readers.repeats(dataset, encoder)
        tracks = readers.tracks(dataset, encoder)
    except ArtifactError as error:
        command = ["run-all", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Run it now")
        return
    st.markdown(
        "Files that hold the same recording are found by their sound, whatever their names, "
        "formats and levels are. They count as one work wherever works count, and a search can "
        "leave them out."
    )
    copies, works = st.tabs(
        [f"Copies ({len(found.copies)})", f"Works in several recordings ({len(found.works)})"]
    )
    with copies:
        groups = [(tracks[own[0]].label, [[track] for track in own]) for own in found.copies]
        _show(groups, tracks, kind="copies", none="No recording is here twice.")
    with works:
        groups = [(one.work.replace("/", ": ", 1), one.recordings) for one in found.works]
        _show(groups, tracks, kind="works", none="No work has several recordings here.")


def _show(
    groups: list[tuple[str, list[list[str]]]],
    tracks: dict[str, readers.TrackInfo],
    *,
    kind: str,
    none: str,
) -> None:
    """Show a list of groups; a click on one shows players of all its files."""
    if not groups:
        st.info(none)
        return
    name = "recording" if kind == "copies" else "work"
    table = pd.DataFrame(
        [
            {
                name: label,
                "files" if kind == "copies" else "recordings": len(recordings),
                "tracks": ", ".join(track for own in recordings for track in own),
            }
            for label, recordings in groups
        ]
    )
    event = show_table(
        table,
        width="stretch",
        height=min(_ROW * (len(table) + 1), _TALLEST),  # the players below are seen, too
        on_select="rerun",
        selection_mode="single-row-required",
        key=f"repeats-{kind}",
    )
    st.download_button(
        "Table as CSV",
        table.to_csv(index=False),
        file_name=f"{kind}.csv",
        mime="text/csv",
        on_click="ignore",
        key=f"repeats-{kind}-csv",
    )
    rows = event["selection"]["rows"]
    label, recordings = groups[rows[0] if rows else 0]
    st.header(plain(label), anchor=False)
    shown = [track for own in recordings for track in own]
    dataset, encoder = selected()
    for number, track in enumerate(shown[:_MOST]):
        st.caption(plain(f"{track} ({tracks[track].path.name})"))
        player(
            track_sound(tracks[track], dataset=dataset, encoder=encoder),
            key=f"repeats-{kind}-{number}",
        )
    if len(shown) > _MOST:
        st.caption(f"and {len(shown) - _MOST} more, in the table")
