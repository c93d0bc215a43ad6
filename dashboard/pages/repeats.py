"""Copies and works: the files that hold the same recording, and the works in several recordings."""

from collections.abc import Sequence
from itertools import takewhile

import streamlit as st

from dashboard import exports, readers
from dashboard.address.controls import here, open_controls
from dashboard.address.recording import current_recording
from dashboard.components.fold import fold_text
from dashboard.components.player import player, track_sound
from dashboard.components.table import show_table
from dashboard.components.text import plain
from dashboard.sections.missing import offer
from dashboard.sidebar import selected
from dashboard.titles import TITLES
from mess.errors import ArtifactError

_KINDS = ("copies", "works")
_MOST = 24  # players that are drawn
_ROW, _TALLEST = 36, 290  # pixels
_ENDS = (": ", " (")  # what comes after them in a title is of one movement, or of one recording


def main() -> None:
    """Draw the page."""
    st.title(TITLES["repeats"])
    dataset, encoder = selected()
    try:
        found = readers.repeats(dataset, encoder)
        tracks = readers.tracks(dataset, encoder)
    except ArtifactError as error:
        command = ["run-all", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Run it now")
        return
    fold_text(
        "Files that hold the same recording are found by their sound, whatever their names, "
        "formats and levels are. They count as one work wherever works count, and a search can "
        "leave them out.",
        label="What is shown",
        summary="the same recording, found by its sound",
        key="about-repeats",
    )
    controls = open_controls("/repeats", dataset, encoder, names=("tab", *_KINDS))
    names = {
        "copies": f"Copies ({len(found.copies)})",
        "works": f"Works in several recordings ({len(found.works)})",
    }
    kinds = {name: kind for kind, name in names.items()}
    controls.choose(
        "tab",
        list(kinds),
        key="repeats-tab",
        usual=names["works" if found.works and not found.copies else "copies"],
        text=kinds.__getitem__,
    )
    copies, works = st.tabs(list(kinds), key="repeats-tab", on_change="rerun")
    with copies:
        groups = [(tracks[own[0]].label, [[track] for track in own]) for own in found.copies]
        _show(groups, tracks, kind="copies", none="No recording is here twice.")
    with works:
        groups = [
            (
                name_work(
                    one.work, [tracks[track].title for own in one.recordings for track in own]
                ),
                one.recordings,
            )
            for one in found.works
        ]
        _show(groups, tracks, kind="works", none="No work has several recordings here.")
    controls.write()


def name_work(work: str, titles: Sequence[str]) -> str:
    """Return the name of a work, with what the titles of its recordings begin with.

    Parameters
    ----------
    work : str
        Often a composer and a number, with a stroke between.
    titles : sequence of str

    Examples
    --------
    >>> name_work("Clara Schumann/Op001", ["Polonaises: No. 1", "Polonaises: No. 2 (slower)"])
    'Clara Schumann: Op001, Polonaises'
    >>> name_work("Mozart/K545", ["Sonata: Allegro", "Sonata: Allegro (slower)"])
    'Mozart: K545, Sonata: Allegro'
    >>> name_work("Mozart/K545", ["", "Sonata"])
    'Mozart: K545'
    """
    name = work.replace("/", ": ", 1)
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*titles, strict=False))
    common = "".join(letters[0] for letters in alike)
    while any((rest := one[len(common) :]) and not rest.startswith(_ENDS) for one in titles):
        common = common[: max(0, *(common.rfind(end) for end in _ENDS))]
        if not common:
            return name
    return name if not common or common.lower() in name.lower() else f"{name}, {common}"


def _choose(kind: str, firsts: list[str]) -> None:
    """Choose what the list below a table says; the table is drawn anew with it."""
    here().keep(kind, [firsts[st.session_state[f"repeats-{kind}-listed"]]])
    st.session_state[f"repeats-{kind}-drawn"] += 1


def _show(
    groups: list[tuple[str, list[list[str]]]],
    tracks: dict[str, readers.TrackInfo],
    *,
    kind: str,
    none: str,
) -> None:
    """Show a list of groups; a click on one shows players of all its files."""
    import pandas as pd

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
    # A click stays with the table; an address, or "back", makes another one.
    drawn = st.session_state.setdefault(f"repeats-{kind}-drawn", 0)
    if here().given is not None:
        drawn = st.session_state[f"repeats-{kind}-drawn"] = drawn + 1
    current = current_recording(selected()[0])
    firsts = [recordings[0][0] for _, recordings in groups]
    usual = next(
        (number for number, (_, own) in enumerate(groups) if any(current in one for one in own)), 0
    )
    asked = "".join(here().value(kind)[-1:])
    before = firsts.index(asked) if asked in firsts else usual
    event = show_table(
        table,
        width="stretch",
        height=min(_ROW * (len(table) + 1), _TALLEST),  # the players below are seen, too
        on_select="rerun",
        selection_mode="single-row-required",
        key=f"repeats-table-{kind}-{drawn}",
        selection_default={"selection": {"rows": [before], "columns": [], "cells": []}},
    )
    st.download_button(
        "Table as CSV",
        lambda: exports.table_as_csv(table),
        file_name=f"{kind}.csv",
        mime="text/csv",
        on_click="ignore",
        key=f"repeats-{kind}-csv",
    )
    rows = event["selection"]["rows"]
    row = rows[0] if rows and rows[0] < len(groups) else before
    here().keep(kind, [] if row == usual else [firsts[row]])
    # Streamlit's table has no keys that choose a row: this list does the same.
    listed = f"repeats-{kind}-listed"
    st.session_state[listed] = row
    st.selectbox(
        name.capitalize(),
        range(len(groups)),
        key=listed,
        format_func=lambda number: groups[number][0],
        on_change=_choose,
        args=(kind, firsts),
    )
    label, recordings = groups[row]
    st.header(plain(label), anchor=False)
    shown = [track for own in recordings for track in own]
    dataset, encoder = selected()
    for number, track in enumerate(shown[:_MOST]):
        info = tracks[track]
        title = info.label.removeprefix(f"{info.composer}: ")  # it stands in the heading
        st.caption(plain(f"{title} · {info.path.name}"))
        player(
            track_sound(tracks[track], dataset=dataset, encoder=encoder),
            key=f"repeats-{kind}-{number}",
        )
    if len(shown) > _MOST:
        st.caption(f"and {len(shown) - _MOST} more, in the table")
