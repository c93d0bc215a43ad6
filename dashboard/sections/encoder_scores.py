"""The scores of encoders beside each other, and one of them with what it is compared with."""

import streamlit as st

from dashboard.address.controls import here
from dashboard.components.heatmap import HOW_TO_CHOOSE, draw_heatmap
from dashboard.components.table import show_table
from dashboard.components.text import plain
from dashboard.figures.encoder_scores import CONTROL, best_layers, score_heat
from dashboard.figures.encoder_tables import score_table
from dashboard.figures.heat import Choice
from dashboard.figures.names import about
from dashboard.sections.beside_heatmap import beside_heatmap, on_narrow
from dashboard.sections.cell_choice import wish_for_cell
from dashboard.sections.saved_figure import offer_figure
from mess.as_text import interval, signed, two_decimals, with_interval
from mess.records.comparison import ComparisonRecord
from mess.reports.encoder_comparison import difference
from mess.targets import title_of

PARAMETERS = ("score_of", "score_on")
_ENCODER, _TARGET = "score-encoder", "score-target"


def show_scores(record: ComparisonRecord) -> None:
    """Show R² of every encoder and target, and beside it the cell that is chosen."""
    chosen = _chosen(record)
    table = score_heat(record)
    controls = any(row.control_of for row in record.encoders)
    about_controls = (
        f"{CONTROL} the same network with random weights: training did not add what it reaches. "
    )
    left, right, detail = beside_heatmap("score")
    with left:
        draw_heatmap(
            table,
            caption=f"R² of each encoder. {about_controls * controls}{HOW_TO_CHOOSE}",
            key="scores",
            on_cell=_choose,
            chosen=chosen,
            detail=detail,
        )
        words = f"R² of {len(record.encoders)} encoders on {len(record.targets)} targets"
        offer_figure(table, file_name=f"{record.dataset}-encoders", alt=words, name="scores")
    with right:
        _show_score(record, *chosen)
    with st.expander("The same as a table, with 95 % intervals and best layers"):
        show_table(score_table(record), width="stretch")


def _chosen(record: ComparisonRecord) -> Choice:
    """Return the encoder and the target that are shown; at first the highest score of the best."""
    names = [row.name for row in record.encoders]
    here().choose("score_of", names, key=_ENCODER, usual=names[0])
    first = record.encoders[0]
    usual = max(record.targets, key=lambda target: _r2(record, first.name, target))
    here().choose("score_on", record.targets, key=_TARGET, usual=usual)
    return str(st.session_state[_ENCODER]), str(st.session_state[_TARGET])


def _choose(cell: Choice) -> None:
    st.session_state[_ENCODER], st.session_state[_TARGET] = cell


def _show_score(record: ComparisonRecord, encoder: str, target: str) -> None:
    """Show one score, and what it is less those of the others."""
    st.header(f"{title_of(target)}, {plain(encoder)}")
    with on_narrow("score-lists"):
        first, second = st.columns(2)
        first.selectbox("Scores of", [row.name for row in record.encoders], key=_ENCODER)
        second.selectbox("on", record.targets, key=_TARGET, format_func=title_of)
    st.markdown(plain(about(target)))
    row = next(one for one in record.encoders if one.name == encoder)
    score = row.r2.get(target)
    if score is None or score.r2 is None:
        st.info("This target is undefined on too many tracks to be probed.")
        return
    spearman = two_decimals(score.spearman)
    st.markdown(
        f"R² **{plain(with_interval(score.r2, score.low, score.high))}** · Spearman "
        f"**{plain(spearman)}** · {plain(best_layers(score))}"
    )
    lines = _against(record, encoder, target)
    if lines:
        st.markdown("\n".join([f"R² of **{plain(encoder)}** less that of", "", *lines]))
    st.button(
        "Hear its recordings in Layer discovery",
        key="open-score",
        on_click=_open,
        args=(record.dataset, encoder),
        kwargs={"layer": score.best, "target": target},
    )


def _against(record: ComparisonRecord, encoder: str, target: str) -> list[str]:
    """Say by how much an encoder differs from each other one on a target."""
    lines = []
    for row in record.encoders:
        if row.name == encoder:
            continue
        one = difference(record, encoder, row.name).targets.get(target)
        if one is not None:
            known = f"{signed(one.difference)} {interval(one.low, one.high)}"
            lines.append(f"- {plain(f'{row.name}: {known}, {one.verdict}')}")
    return lines


def _open(dataset: str, encoder: str, *, layer: int, target: str) -> None:
    st.session_state["encoder"], st.session_state["encoder_of"] = encoder, dataset
    wish_for_cell(dataset, encoder, layer=layer, target=target)


def _r2(record: ComparisonRecord, encoder: str, target: str) -> float:
    (row,) = (one for one in record.encoders if one.name == encoder)
    score = row.r2.get(target)
    return -1e9 if score is None or score.r2 is None else score.r2
