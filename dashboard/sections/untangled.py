"""What a reading is made of: erased, counted in bits, with confounds held apart."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import readers
from dashboard.address.controls import here
from dashboard.components.heatmap import HOW_TO_CHOOSE, draw_heatmap
from dashboard.components.table import show_table
from dashboard.components.text import plain
from dashboard.figures.evaluation import matrix_heat
from dashboard.figures.heat import Choice
from dashboard.figures.untangled import (
    codelength_heat,
    codelength_table,
    confounds_matrix,
    confounds_table,
    describe_erasure,
    erasure_heat,
    random_loss,
    unseen_table,
)
from dashboard.sections.beside_heatmap import beside_heatmap, on_narrow
from dashboard.sections.missing import offer, tell_stale
from dashboard.sections.saved_figure import offer_figure
from mess.as_text import interval, two_decimals
from mess.encoders import encoder_slug
from mess.errors import ArtifactError
from mess.records.discovery import DiscoveryRecord
from mess.records.untangled import CodelengthRecord, ConfoundsRecord, ErasureRecord, Part
from mess.targets import title_of

if TYPE_CHECKING:
    import pandas as pd

_ERASED, _TARGET = "erasure-erased", "erasure-target"
_PARTS: dict[Part, str] = {
    "erasure": "Erase a target",
    "codelength": "Count bits",
    "confounds": "Hold confounds apart",
}


def show_untangled(record: DiscoveryRecord) -> None:
    """Show one of the three experiments, or offer to run it."""
    if record.settings.level != "track":
        st.info("Readings are untangled for whole tracks: choose them above.")
        return
    here().choose("part", list(_PARTS), key="untangled-part", usual="erasure")
    chosen = st.segmented_control(
        "What is asked",
        list(_PARTS),
        key="untangled-part",
        required=True,
        label_visibility="collapsed",
        format_func=_PARTS.__getitem__,
    )
    part: Part = chosen or "erasure"
    dataset, encoder = record.dataset, record.encoder
    command = ["untangle", "--dataset", dataset, "--encoder", encoder, "--what", part]
    try:
        found = readers.untangled(dataset, encoder, part)
    except ArtifactError as error:
        offer(error, dataset=dataset, command=command, button="Ask now")
        return
    tell_stale(
        "This",
        readers.stale("untangled", dataset, encoder, found.origin),
        dataset=dataset,
        command=command,
        button="Ask again",
    )
    if isinstance(found, ErasureRecord):
        _show_erasure(found)
    elif isinstance(found, CodelengthRecord):
        _show_codelength(found)
    else:
        _show_confounds(found)


def _show_erasure(record: ErasureRecord) -> None:
    st.markdown(
        "One target is erased from a layer, and all targets are probed again. What do the others "
        "lose? A target that loses much was read along the same direction."
    )
    if record.unread:
        st.caption(
            f"Not erased, as no layer tells them surely: {', '.join(map(title_of, record.unread))}."
        )
    if not record.names:
        return
    here().choose("number", ["lost", "left"], key="erasure-value", usual="lost")
    shown = st.segmented_control(
        "Number in each cell",
        ["lost", "left"],
        key="erasure-value",
        required=True,
        format_func={"lost": "R² lost", "left": "R² left"}.__getitem__,
    )
    words = describe_erasure(record)
    here().choose("erased", record.names, key=_ERASED, usual=record.names[0])
    here().choose("probed", record.names, key=_TARGET, usual=record.names[0])
    erased, target = st.session_state[_ERASED], st.session_state[_TARGET]
    table = erasure_heat(record, left=shown == "left")
    left, right, detail = beside_heatmap("erasure")
    with left:
        draw_heatmap(
            table,
            caption=f"The last row is the mean of {record.settings.draws} random directions of the "
            f"layer of the target in the column. {HOW_TO_CHOOSE}",
            key=f"erasure-{record.dataset}-{record.encoder}",
            on_cell=_choose,
            chosen=(erased, target),
            detail=detail,
        )
        st.caption(words)
        name = f"{record.dataset}-{encoder_slug(record.encoder)}-erasure-{shown}"
        offer_figure(table, file_name=name, alt=words, name="matrix")
    with right:
        _show_loss(record, erased, target)
    st.header("Is it really gone?")
    st.markdown(
        "For probes of the same works an erased target is gone by definition. So the eraser is "
        "also fitted on half of the works, and a probe on the other half."
    )
    show_table(unseen_table(record), width="stretch")


def _choose(cell: Choice) -> None:
    st.session_state[_ERASED], st.session_state[_TARGET] = cell


def _show_loss(record: ErasureRecord, erased: str, target: str) -> None:
    """Show the numbers of the cell that is chosen."""
    st.header(f"{title_of(target)} without {title_of(erased)}")
    with on_narrow("erasure-lists"):
        left, right = st.columns(2)
        left.selectbox("Erased", record.names, key=_ERASED, format_func=title_of)
        right.selectbox("Probed", record.names, key=_TARGET, format_func=title_of)
    one = record.loss(erased, target)
    if one is None:
        st.info("This pair could not be probed.")
        return
    first, second = st.columns(2)
    first.metric("R² before", two_decimals(one.before))
    second.metric("R² left", two_decimals(one.after))
    st.metric("Correlation of the two targets", two_decimals(one.correlation))
    by_chance = [two_decimals(random_loss(record, target, of)) for of in (min, max)]
    p = "" if one.p is None else f", p {one.p:.3g} after Holm's correction over the row"
    st.caption(
        plain(
            f"{title_of(target)} in layer {record.layer_names[one.layer]}: the change of R² has "
            f"the 95 % interval {interval(one.low, one.high)}{p}. Random directions of its best "
            f"layer cost it {by_chance[0]} to {by_chance[1]}."
        )
    )


def _show_codelength(record: CodelengthRecord) -> None:
    st.markdown(
        "How many bits does a layer save when the targets are told work after work? A layer that "
        "has the information at hand saves bits early."
    )
    draw_heatmap(
        codelength_heat(record),
        caption="Bits a value saved against the mean; below 0 the mean is shorter. Means over "
        f"{record.settings.orders} orders of the works.",
        key="codelength",
    )
    show_table(codelength_table(record), width="stretch")


def _show_confounds(record: ConfoundsRecord) -> None:
    st.markdown(
        "Is a reading one of the instrument, the composer, the register or the loudness? *Apart*: "
        "the probe is tested on levels that it never saw. *Given*: what the layer tells of what "
        "the confound leaves untold."
    )
    for name, why in record.left_out.items():
        st.caption(plain(f"{name} is not held apart: {why}."))
    if not record.levels:
        return
    draw_heatmap(
        matrix_heat(confounds_matrix(record), corner="target"),
        caption="R² of every target with each confound held apart and given",
        key="confounds",
    )
    here().choose("confound", list(record.levels), key="confound", usual=next(iter(record.levels)))
    chosen = st.selectbox("Confound", list(record.levels), key="confound")
    st.caption(f"{record.levels[chosen]} levels. Brackets are 95 % intervals by works.")
    table: pd.DataFrame = confounds_table(record, chosen)
    show_table(table, width="stretch")
