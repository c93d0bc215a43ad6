"""The heatmap of a discovery, and beside it the cell that is chosen."""

import streamlit as st

from dashboard import readers
from dashboard.address.controls import here
from dashboard.components.heatmap import draw_heatmap
from dashboard.figures.heat import HeatTable
from dashboard.figures.layers import VALUES, Value, describe_heatmap
from dashboard.figures.names import layer_labels
from dashboard.sections.beside_heatmap import beside_heatmap, on_narrow
from dashboard.sections.cell import show_cell
from dashboard.sections.cell_choice import choose_cell, chosen_cell, tell_missing_cell
from dashboard.sections.heat_rows import can_grey, target_caption, target_heat, values_of
from dashboard.sections.missing import offer_probes
from dashboard.sections.saved_figure import offer_figure
from mess.encoders import encoder_slug
from mess.errors import ArtifactError
from mess.probing.statistics import SIGNIFICANT
from mess.records.discovery import DiscoveryRecord, Level

_PAINTED = "heatmap-painted"


@st.cache_resource(max_entries=12, show_spinner=False)
def _table(
    dataset: str, encoder: str, level: Level, version: float, value: Value, grey: bool
) -> HeatTable:
    return target_heat(readers.discovery(dataset, encoder, level=level), value=value, grey=grey)


def show_heatmap(record: DiscoveryRecord, tracks: dict[str, readers.TrackInfo]) -> None:
    """Show the heatmap of a discovery and the cell that is chosen."""
    place = record.dataset, record.encoder, record.settings.level
    left, right, detail = beside_heatmap("cell")
    with left:
        value, grey = _controls(record)
        version = readers.store().discoveries.modified(*place)
        table = _table(*place, version, value, grey)
        layer, target = chosen_cell(record)
        tell_missing_cell()
        draw_heatmap(
            table,
            caption=target_caption(value),
            key=f"heatmap-{'-'.join(place)}",
            on_cell=lambda cell: choose_cell(*place, layer=int(cell[0]), target=cell[1]),
            chosen=(str(layer), target),
            detail=detail,
            on_painted=None if _is_painted() else _note_painted,
        )
        st.caption(describe_heatmap(record, value=value))
        name = f"{place[0]}-{encoder_slug(place[1])}-{place[2]}-{value}"
        offer_figure(table, file_name=name, alt=describe_heatmap(record, value=value))
    with right:
        predictions = None
        if _is_painted():
            try:
                predictions = readers.predictions(record.dataset, record.encoder, level=place[2])
            except ArtifactError as error:
                offer_probes(error, record.dataset, record.encoder, level=place[2])
        show_cell(record, predictions, tracks, layer=layer, target=target)
        with on_narrow("layer-of-cell"):
            _choose_layer(record, layer=layer, target=target)


def _is_painted() -> bool:
    """Tell whether the browser has painted a heatmap yet; what stands beside it is slower."""
    return bool(st.session_state.get(_PAINTED))


def _note_painted() -> None:
    st.session_state[_PAINTED] = True


def _controls(record: DiscoveryRecord) -> tuple[Value, bool]:
    """Let the person choose the number in each cell, and whether what may be chance is grey."""
    settings = record.settings
    values = values_of(record)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        here().choose("value", values, key="heatmap-value", usual="r2")
        value: Value | None = st.segmented_control(
            "Number in each cell",
            values,
            format_func=VALUES.__getitem__,
            key="heatmap-value",
            required=True,
        )
        value = value or "r2"
        grey = False
        if can_grey(record, value):
            here().switch("grey", key="grey", usual=True)
            grey = st.toggle(
                "Grey what may be chance",
                key="grey",
                help=f"Cells whose R² the best cell of {settings.permutations} shuffles of works "
                f"reaches more often than in {SIGNIFICANT:.0%} (family-wise, max-T).",
            )
    return value, grey


def _choose_layer(record: DiscoveryRecord, *, layer: int, target: str) -> None:
    """Let the person choose another layer of the target, where there is no room for cells."""
    place = record.dataset, record.encoder, record.settings.level
    labels = layer_labels(record)
    key = f"layer-of-{target}-{layer}"
    st.selectbox(
        "Another layer of this target",
        range(len(labels)),
        index=layer,
        format_func=labels.__getitem__,
        key=key,
        on_change=lambda: choose_cell(*place, layer=st.session_state[key], target=target),
    )
