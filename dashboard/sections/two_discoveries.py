"""Two discoveries side by side, and their difference."""

import streamlit as st

from dashboard import readers
from dashboard.components.figure_buttons import figure_buttons
from dashboard.components.text import plain
from dashboard.figures.differences import (
    compared_columns,
    describe_difference,
    difference_heatmap,
)
from dashboard.figures.layers import describe_heatmap, heatmap
from dashboard.sections.wide import wide
from mess.errors import ArtifactError
from mess.records.discovery import DiscoveryRecord, Level

_LINED_UP = {
    "layer": "Both have the same layers: they are compared one by one.",
    "depth": "The networks differ in depth: layers are compared by relative depth, from the first "
    "(0) to the last (1).",
    "none": "One encoder is not a network, so its layers have no counterparts. The best layer, the "
    "nested choice and the mixture are compared.",
}
_TOOLS = {"displaylogo": False, "modeBarButtons": [["toImage"]]}
Place = tuple[str, str, Level]


def show_comparison(record: DiscoveryRecord) -> None:
    """Let the person choose another discovery, and compare."""
    here = record.dataset, record.encoder, record.settings.level
    others = [place for place in readers.discoveries() if place != here]
    if not others:
        st.info(
            "There is nothing to compare with yet: extract and probe with another encoder, probe "
            "segments (`--level segment`), or add a dataset."
        )
        return
    others.sort(key=lambda place: (place[0] != here[0], place))
    other = st.selectbox("Compare with", others, format_func=_name, key="compare-with")
    try:
        second = readers.discovery(other[0], other[1], level=other[2])
    except ArtifactError as error:
        st.warning(readers.told(error))
        st.code(error.command, language=None)
        return
    words = describe_difference(record, second)
    st.header("Difference")
    st.markdown(
        f"R² of **{plain(_name(here))}** minus R² of **{plain(_name(other))}**: blue, the first is "
        f"better. {_LINED_UP[compared_columns(record, second)]}"
    )
    wide("difference").plotly_chart(
        difference_heatmap(record, second), key="difference", config=_TOOLS, alt=words
    )
    st.caption(f"● their 95 % intervals do not overlap. {words}")
    if here[0] != other[0] or record.n != second.n:
        st.caption(
            f"They rest on different rows ({record.n} and {second.n}), so a difference may "
            "be the music's as well as the encoder's."
        )
    figure_buttons("difference", file_name="difference", key="difference-buttons")
    st.header("Side by side")
    shared = [name for name in record.target_names if name in second.target_names]
    columns = st.columns(2)
    for column, place, one in zip(columns, (here, other), (record, second), strict=True):
        column.markdown(f"**{plain(_name(place))}**")
        column.plotly_chart(
            heatmap(one, grey=one.settings.permutations > 0, small=shared),
            key=f"side-{'-'.join(place)}",
            config=_TOOLS,
            alt=describe_heatmap(one),
        )


def _name(place: Place) -> str:
    dataset, encoder, level = place
    return f"{dataset} by {encoder}" + ("" if level == "track" else ", segments")
