"""Compare encoders: scores, differences that hold, and costs."""

import shlex

import streamlit as st

from dashboard import readers
from dashboard.address.controls import here, open_controls
from dashboard.components.table import show_table
from dashboard.components.text import plain
from dashboard.figures.encoder_tables import cost_table, difference_table, in_words, whole_table
from dashboard.figures.encoders import difference_plot, is_cut
from dashboard.pages import discovery
from dashboard.sections.cell_choice import follow_wish
from dashboard.sections.encoder_scores import PARAMETERS, show_scores
from dashboard.sections.missing import describe_gap, tell_making, tell_stale
from dashboard.sidebar import selected, start
from dashboard.titles import TITLES
from mess.encoders.catalogue import RANDOM
from mess.errors import ArtifactError
from mess.records.comparison import ComparisonRecord
from mess.reports.encoder_comparison import difference
from mess.storage.paths import command_for

_NO_BAR = {"displayModeBar": False}


def main() -> None:
    """Draw the page."""
    follow_wish(discovery.main)
    st.title(TITLES["compare"])
    dataset, encoder = selected()
    try:
        record = readers.comparison(dataset)
    except ArtifactError as error:
        _offer(dataset, encoder, error)
        return
    tell_stale(
        "This comparison",
        readers.stale_comparison(dataset),
        dataset=dataset,
        command=["compare", "--dataset", dataset],
        button="Compare again",
    )
    controls = open_controls("/compare", dataset, encoder, names=(*PARAMETERS, "a", "b", "join"))
    settings = record.settings
    st.markdown(
        f"R² on unseen works of **{plain(dataset)}**: {record.n} tracks of "
        f"{record.works} works, {settings.folds} folds by {settings.group_by[0]}. Each "
        "training fold chooses its own layer, so having many layers is no advantage."
    )
    show_scores(record)
    _show_differences(record)
    _show_costs(record)
    controls.write()


def _offer(dataset: str, encoder: str, error: ArtifactError) -> None:
    """Offer the command that compares encoders, or that probes a first one."""
    probed = [
        name
        for name in readers.store().features.encoders(dataset)
        if readers.store().discoveries.modified(dataset, name, "track")
    ]
    command = ["compare", "--dataset", dataset]
    if probed and tell_making(describe_gap(error), dataset=dataset, command=command):
        return
    if probed:
        st.info(plain(describe_gap(error)))
        st.code(error.command, language=None)
        _run_button(dataset, "Compare now")
        return
    gap = f"No encoder of {plain(dataset)} was probed yet."
    shown = command_for("run-all", dataset, encoder)
    if tell_making(gap, dataset=dataset, command=shlex.split(shown)[1:]):
        return
    st.info(f"{gap} Extract and probe one or more:")
    st.code(shown, language=None)
    if st.button("Extract and probe", type="primary"):
        start(dataset, shlex.split(shown)[1:])
        st.rerun()


def _run_button(dataset: str, label: str) -> None:
    if st.button(label, type="primary"):
        start(dataset, ["compare", "--dataset", dataset])
        st.rerun()


def _show_differences(record: ComparisonRecord) -> None:
    """Show the differences between two encoders that the person chooses."""
    st.header("Which is better, and where")
    names = [row.name for row in record.encoders]
    if len(names) < 2:
        st.info("There is only one encoder so far. Start another one below.")
        return
    left, right = st.columns(2)
    here().choose("a", names, key="compare-a", usual=names[0])
    a = left.selectbox("Encoder", names, key="compare-a")
    others = [name for name in names if name != a]
    here().choose("b", others, key="compare-b", usual=_rival(record, a, others))
    b = right.selectbox("Against", others, key="compare-b")
    pair = difference(record, a, b)
    st.markdown(f"**{plain(a)}** against **{plain(b)}**: {in_words(pair)}")
    st.plotly_chart(difference_plot(pair), key="differences", config=_NO_BAR)
    cut = " Intervals that leave the figure are in the table." if is_cut(pair) else ""
    st.caption(
        "Points to the right are in favour of the first; lines are 95 % intervals by a paired "
        "bootstrap over works. *Better* is said only where the interval leaves out 0 after Holm's "
        f"correction over the targets.{cut}"
    )
    with st.expander("The differences as a table"):
        show_table(difference_table(pair), width="stretch")


def _rival(record: ComparisonRecord, a: str, others: list[str]) -> str:
    """Return the first opponent: of a control its own network, else the best trained encoder."""
    (row,) = (one for one in record.encoders if one.name == a)
    if row.control_of is not None and row.control_of in others:
        return row.control_of
    controls = {one.name for one in record.encoders if one.control_of}
    return next((name for name in others if name not in controls), others[0])


def _show_costs(record: ComparisonRecord) -> None:
    st.header("On the whole")
    show_table(whole_table(record), width="stretch")
    st.caption(
        "*Faithful sliders*: how well a ranking by the probe agrees with the true differences "
        "(Spearman), beside the best without probes."
    )
    st.header("What each costs")
    show_table(cost_table(record), width="stretch")
    st.caption(
        "Seconds of encoding per minute of audio, measured on this machine (~: elsewhere, with "
        "decoding)."
    )
    missing = {row.name: row for row in record.missing}
    if not missing:
        return
    here().choose("join", list(missing), key="join", usual=next(iter(missing)))
    name = st.selectbox("Add another encoder", list(missing), key="join")
    row = missing[name]
    st.code(row.command, language=None)
    if not name.startswith(RANDOM):
        st.caption(f"Licence of its weights: {plain(row.licence)}.")
    if st.button("Start it", key="start-join"):
        start(record.dataset, shlex.split(row.command)[1:])
        st.rerun()
