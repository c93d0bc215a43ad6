"""Layer discovery: which layer linearly encodes which target."""

import streamlit as st

from dashboard import readers
from dashboard.address.controls import Controls, open_controls
from dashboard.components.fold import fold_text
from dashboard.components.text import plain
from dashboard.sections.cell_choice import LEVELS, keep_cell
from dashboard.sections.downloads import show_downloads
from dashboard.sections.factors import show_factors
from dashboard.sections.heatmap import show_heatmap
from dashboard.sections.in_time import show_in_time
from dashboard.sections.missing import offer_probes, tell_stale
from dashboard.sections.robustness import show_layers, show_robustness
from dashboard.sections.sliders import show_sliders
from dashboard.sections.two_discoveries import show_comparison
from dashboard.sections.untangled import show_untangled
from dashboard.sidebar import selected
from dashboard.titles import TITLES
from mess.errors import ArtifactError
from mess.records.discovery import DiscoveryRecord, Level

_TABS = (
    *("Heatmap", "Layers", "In time", "Compare", "Robustness", "Untangled", "Sliders"),
    "Download",
)
_PARAMETERS = (
    *(
        "level",
        "value",
        "tab",
        "grey",
        "figure",
        "heard",
        "lines",
        "with",
        "difference",
        "part",
        "number",
    ),
    *("erased", "probed", "confound", "leakage", "target", "layer"),
)


def main() -> None:
    """Draw the page."""
    st.title(TITLES["discovery"])
    dataset, encoder = selected()
    controls = open_controls("/discovery", dataset, encoder, names=_PARAMETERS)
    controls.choose("level", list(LEVELS), key="level", usual="track")
    level: Level | None = st.segmented_control(
        "Rows",
        list(LEVELS),
        key="level",
        required=True,
        label_visibility="collapsed",
        format_func=LEVELS.__getitem__,
    )
    level = level or "track"
    try:
        record = readers.discovery(dataset, encoder, level=level)
        tracks = readers.tracks(dataset, encoder)
    except ArtifactError as error:
        offer_probes(error, dataset, encoder, level=level)
        return
    command = ["probe", "--dataset", dataset, "--encoder", encoder]
    command += ["--level", "segment"] if level == "segment" else []
    why = readers.stale("discovery", dataset, encoder, record.origin)
    tell_stale("This discovery", why, dataset=dataset, command=command, button="Probe again")
    settings = record.settings
    chosen = settings.alpha == "auto"
    fold_text(
        f"How well a ridge probe on each layer of **{plain(record.encoder)}** predicts each "
        f"proxy target of works that it never saw. {record.n} {level}s of {record.works} "
        f"works, {settings.folds} folds by {plain(settings.group_by[0] + record.within)}, "
        + ("each with a penalty of its own." if chosen else f"penalty {settings.alpha}."),
        label="What is shown",
        summary=f"probes on {record.n} {level}s of {record.works} works",
        key="about-discovery",
    )
    _show(record, tracks, controls)


@st.fragment
def _show(
    record: DiscoveryRecord, tracks: dict[str, readers.TrackInfo], controls: Controls
) -> None:
    """Draw the tab that is open, and only that one."""
    controls.choose("tab", _TABS, key="tab", usual=_TABS[0])
    tabs = dict(zip(_TABS, st.tabs(_TABS, key="tab", on_change="rerun"), strict=True))
    draw = {
        "Heatmap": lambda: show_heatmap(record, tracks),
        "Layers": lambda: show_layers(record),
        "In time": lambda: show_in_time(record),
        "Compare": lambda: show_comparison(record),
        "Robustness": lambda: show_robustness(record),
        "Untangled": lambda: show_untangled(record),
        "Sliders": lambda: _show_sliders(record.dataset, record.encoder),
        "Download": lambda: show_downloads(record),
    }
    if not tabs["Compare"].open:
        controls.keep("difference", [])
    for name, tab in tabs.items():
        if tab.open:
            with tab:
                draw[name]()
    keep_cell(record)
    controls.write()


def _show_sliders(dataset: str, encoder: str) -> None:
    show_sliders(dataset, encoder)
    show_factors(dataset, encoder)
