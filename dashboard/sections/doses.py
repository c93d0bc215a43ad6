"""The matrix of edits and targets, and one cell of it: hear the change, see what follows."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import readers
from dashboard.address.controls import here
from dashboard.address.recording import current_recording
from dashboard.components.heatmap import HOW_TO_CHOOSE, draw_heatmap
from dashboard.components.player import ChangedSound, player
from dashboard.components.text import plain
from dashboard.figures.doses import (
    MEANT,
    VALUES,
    Value,
    by_dose_figure,
    changes_figure,
    dose_heat,
)
from dashboard.figures.heat import Choice
from dashboard.sections.beside_heatmap import beside_heatmap, on_narrow
from dashboard.sections.saved_figure import offer_figure
from mess.as_text import two_decimals
from mess.doses.responses import as_response
from mess.doses.words import is_side_effect, slope_text, verdict
from mess.encoders import encoder_slug
from mess.errors import MessError
from mess.records.dose import DoseCell, DoseRecord
from mess.targets import ALL_TARGETS, title_of

if TYPE_CHECKING:
    import pandas as pd

PARAMETERS = ("value", "reading", "layer", "edit", "target", "figure", "recording", "dose")
USUAL = "as folds chose"
_WHAT: dict[Value, str] = {
    "slope": "Slope of the predicted on the measured change: 1 follows, 0 is blind; none where the "
    "edit hardly moves the target.",
    "predicted": "How far the prediction moves (deviations of the target); ! is a side effect: "
    "twice as far as the target itself, and 0.3 at least.",
    "measured": "How far the edit moves the target itself (deviations).",
}
_FIGURES = ("every change", "by dose")


def show_matrix(record: DoseRecord, tracks: Mapping[str, readers.TrackInfo]) -> None:
    """Show the matrix for a reading and a layer, and the cell that was clicked."""
    value, cells = _choose_cells(record)
    targets = [one.target for one in record.targets_read]
    shown = [edit for edit in record.edits if any((edit.name, t) in cells for t in targets)]
    if not shown:
        st.info("This reading knows none of the targets.")
        return
    edit, target = _chosen_cell(cells)
    table = dose_heat(cells, edits=shown, targets=targets, value=value)
    left, right, detail = beside_heatmap("dose", shares=(2, 1))
    with left:
        draw_heatmap(
            table,
            caption=f"{_WHAT[value]} {MEANT} is what an edit is meant to move. {HOW_TO_CHOOSE}",
            key=f"dose-matrix-{record.dataset}-{record.encoder}",
            on_cell=_choose,
            chosen=(edit, target),
            detail=detail,
        )
        words = f"{VALUES[value]} of {len(targets)} targets under {len(shown)} edits"
        place = f"{record.dataset}-{encoder_slug(record.encoder)}"
        offer_figure(table, file_name=f"{place}-doses-{value}", alt=words, name="matrix")
    with right:
        show_cell(record, cells, tracks, at=(edit, target))


def _choose(cell: Choice) -> None:
    st.session_state["dose-edit"], st.session_state["dose-target"] = cell


def _choose_cells(record: DoseRecord) -> tuple[Value, dict[tuple[str, str], DoseCell]]:
    """Draw what is chosen; return the number to show, and the cells of a reading and layer."""
    import pandas as pd

    first, second, third = st.columns([3, 2, 1], vertical_alignment="bottom")
    here().choose("value", list(VALUES), key="dose-value", usual="slope")
    chosen = first.segmented_control(
        "Number in each cell",
        list(VALUES),
        format_func=VALUES.__getitem__,
        key="dose-value",
        required=True,
    )
    value: Value = chosen or "slope"
    readings = [USUAL, *record.readings]
    here().choose("reading", readings, key="dose-reading", usual=USUAL)
    reading = second.selectbox("Read by", readings, key="dose-reading")
    if reading == USUAL:
        return value, {(one.edit, one.target): one for one in record.cells}
    here().choose("layer", range(len(record.layer_names)), key="dose-layer", usual=0)
    layer = third.selectbox(
        "Layer",
        range(len(record.layer_names)),
        format_func=record.layer_names.__getitem__,
        key="dose-layer",
    )
    table = readers.dose_responses(record.dataset, record.encoder)
    rows = table[(table["reading"] == reading) & (table["layer"] == layer)]
    return value, {
        (row["edit"], row["target"]): DoseCell(
            edit=row["edit"],
            target=row["target"],
            reading=reading,
            layer=int(layer),
            across=None if pd.isna(row["across"]) else float(row["across"]),
            response=as_response({str(key): one for key, one in row.items()}),
        )
        for row in rows.to_dict("records")
    }


def _chosen_cell(cells: Mapping[tuple[str, str], DoseCell]) -> Choice:
    """Return the cell that is shown; at first it is the one with most to see."""
    edits = list(dict.fromkeys(edit for edit, _ in cells))
    first_seen = max(cells, key=lambda at: _interest(cells[at]))
    here().choose("edit", edits, key="dose-edit", usual=first_seen[0])
    edit = str(st.session_state["dose-edit"])
    targets = [target for name, target in cells if name == edit]
    usual = max(targets, key=lambda target: _interest(cells[edit, target]))
    here().choose("target", targets, key="dose-target", usual=usual)
    return edit, str(st.session_state["dose-target"])


def _choose_in_lists(cells: Mapping[tuple[str, str], DoseCell], edit: str) -> None:
    """Let the person choose a cell, where there is no room for all of them."""
    first, second = st.columns(2)
    first.selectbox("Edit", list(dict.fromkeys(one for one, _ in cells)), key="dose-edit")
    targets = [target for name, target in cells if name == edit]
    second.selectbox("Target", targets, key="dose-target", format_func=title_of)


def _interest(cell: DoseCell) -> float:
    """Return how much there is to see in a cell: an edit that moves the target as it follows."""
    return abs(cell.response.slope or 0.0) * min(cell.response.measured, 1.0)


def show_cell(
    record: DoseRecord,
    cells: Mapping[tuple[str, str], DoseCell],
    tracks: Mapping[str, readers.TrackInfo],
    *,
    at: Choice,
) -> None:
    """Show one cell: its numbers, the sounds before and after, and every change."""
    cell = cells[at]
    moved = readers.dose_changes(record.dataset, record.encoder)
    index = moved.index
    own = (
        (index.get_level_values("edit") == cell.edit)
        & (index.get_level_values("target") == cell.target)
        & (index.get_level_values("reading") == cell.reading)
    )
    rows = moved[own][["measured", cell.layer]].rename(columns={cell.layer: "predicted"})
    rows = rows.reset_index()[["track", "dose", "measured", "predicted"]]
    labels = {name: one.label for name, one in tracks.items()}
    st.header(f"{title_of(cell.target)} under {cell.edit}")
    with on_narrow("dose-lists"):
        _choose_in_lists(cells, cell.edit)
    _numbers(cell)
    track, dose = _choose_sound(record, rows, labels, cell)
    _listen(record, cell, track=track, dose=dose, label=labels.get(track, track))
    heard = rows[(rows["track"] == track) & (rows["dose"] == dose)]
    if len(heard):
        row = heard.iloc[0]
        st.caption(
            f"measured {_signed(row['measured'])}, predicted {_signed(row['predicted'])} "
            f"deviations. {plain(record.edit(cell.edit).description)}"
        )
    _draw(rows, cell, record, track=track, labels=labels)
    st.caption("  \n".join(plain(line) for line in _lines(record, cell)))


def _draw(
    rows: "pd.DataFrame",
    cell: DoseCell,
    record: DoseRecord,
    *,
    track: str,
    labels: Mapping[str, str],
) -> None:
    here().choose("figure", _FIGURES, key="dose-figure", usual=_FIGURES[0])
    kind = st.segmented_control(
        "Figure",
        _FIGURES,
        key="dose-figure",
        required=True,
        label_visibility="collapsed",
    )
    edit = record.edit(cell.edit)
    place = f"{cell.edit}-{cell.target}-{cell.reading}-{cell.layer}"
    words = f"slope {slope_text(cell)}"
    if kind == "by dose":
        st.plotly_chart(
            by_dose_figure(rows, edit, track=track, labels=labels),
            key=f"dose-curve-{place}",
            config={"displaylogo": False},
            alt=f"Mean measured and predicted change of {title_of(cell.target)} by dose; {words}.",
        )
        st.caption("The unchanged recording is 0. Dotted: the recording that is heard.")
        return
    if not rows["measured"].notna().any():
        st.info("The target is not known on these recordings.")
        return
    event: Any = st.plotly_chart(
        changes_figure(rows, slope=cell.response.slope, target=cell.target, labels=labels),
        on_select="rerun",
        selection_mode="points",
        key=f"dose-changes-{place}",
        config={"displaylogo": False},
        alt=f"Predicted against measured change of {title_of(cell.target)}: {words}.",
    )
    st.caption(
        "Every point is a recording at a dose. Click a point to hear it, or choose it above."
    )
    points = [one for one in event["selection"]["points"] if one.get("customdata")]
    clicked = (place, *points[0]["customdata"][:2]) if points else None
    if clicked and clicked != st.session_state.get("dose-point"):
        st.session_state["dose-point"] = clicked
        st.session_state["dose-wanted"] = clicked[1], clicked[2]
        st.rerun(scope="fragment")


def _numbers(cell: DoseCell) -> None:
    response = cell.response
    first, second, third = st.columns(3)
    first.metric("slope", two_decimals(response.slope))
    second.metric("measured", two_decimals(response.measured))
    third.metric("predicted", two_decimals(response.predicted))


def _lines(record: DoseRecord, cell: DoseCell) -> list[str]:
    """Say in words what is known of a cell."""
    response = cell.response
    known = ALL_TARGETS.get(cell.target)
    lines = [known.description] if known else []
    word = verdict(cell)
    if word:
        told = "is not sure to follow" if word == "unsure" else word
        lines.append(f"The prediction {told}: slope {slope_text(cell)}.")
    else:
        lines.append("The edit hardly moves the target, so there is no slope.")
    if is_side_effect(cell):
        lines.append("A side effect: the prediction moves, and the target hardly does.")
    lines.append(
        f"Across unchanged recordings the slope is {two_decimals(cell.across)}; linearity "
        f"{two_decimals(response.linearity)}; {response.n} changes of {response.works} works."
    )
    lines.append(f"Read by: {cell.reading}, layer {record.layer_names[cell.layer]}.")
    return lines


def _choose_sound(
    record: DoseRecord, rows: "pd.DataFrame", labels: Mapping[str, str], cell: DoseCell
) -> tuple[str, float]:
    """Return the recording and the dose to be heard: clicked, or chosen in the lists."""
    wanted = st.session_state.pop("dose-wanted", None)
    if wanted:
        st.session_state["dose-track"], st.session_state["dose-dose"] = wanted
    names = list(dict.fromkeys(rows["track"].astype(str)))
    doses = record.edit(cell.edit).doses
    current = current_recording(record.dataset)
    usual = current if current in names else names[0]
    here().choose("recording", names, key="dose-track", usual=usual)
    here().choose("dose", doses, key="dose-dose", usual=doses[-1], text=lambda one: f"{one:g}")
    first, second = st.columns([3, 2])
    track = first.selectbox(
        "Recording", names, key="dose-track", format_func=lambda one: labels.get(one, one)
    )
    unit = record.edit(cell.edit).unit
    dose = second.selectbox(
        f"Dose ({unit})" if unit else "Dose",
        doses,
        key="dose-dose",
        format_func=lambda one: f"{one:g}",
    )
    return track, float(dose)


def _listen(record: DoseRecord, cell: DoseCell, *, track: str, dose: float, label: str) -> None:
    """Draw a player before and one after the edit."""
    seconds = next(one.seconds for one in record.tracks if one.track == track)
    for part in ("before", "after"):
        st.markdown(f"**{part}**")
        sound = ChangedSound(
            label=f"{label}, {part} {cell.edit} {dose:g}",
            dataset=record.dataset,
            encoder=record.encoder,
            track=track,
            edit=cell.edit,
            dose=dose,
            part=part,
            seconds=seconds if part == "before" else _after(cell.edit, dose, seconds),
        )
        player(sound, key=f"dose-{part}")


def _after(edit: str, dose: float, seconds: float) -> float:
    """Return how long an excerpt is after an edit."""
    from mess.doses.plan import ALL_EDITS

    if edit not in ALL_EDITS:
        raise MessError(f"{edit!r} is not an edit of this version: run mess dose again")
    return seconds / ALL_EDITS[edit].speed(dose)


def _signed(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:+.2f}".replace("-", "−")
