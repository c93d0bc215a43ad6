"""How far a discovery can be trusted: layers, splits, works, targets, other datasets."""

import streamlit as st

from dashboard import readers
from dashboard.address.controls import here
from dashboard.components.heatmap import draw_heatmap
from dashboard.components.table import show_table
from dashboard.figures.evaluation import matrix_heat
from dashboard.figures.lines import layer_lines
from dashboard.figures.names import layer_labels
from dashboard.sections.missing import offer, tell_stale
from dashboard.sections.target_tests import show_reliability
from mess.as_text import two_decimals, with_interval
from mess.errors import ArtifactError
from mess.probing.remarks import NOTHING
from mess.probing.results import Cell, Combined
from mess.records.discovery import DiscoveryRecord
from mess.targets import title_of


def show_layers(record: DiscoveryRecord) -> None:
    """Show targets across layers, and which layers may be the best of each."""
    import pandas as pd

    probed = [summary.target for summary in record.summaries]
    by_place = {(cell.target, cell.layer): cell for cell in record.cells}
    if not probed:
        st.info("No target could be probed.")
        return
    best = {one.target: by_place[one.target, one.best].r2 for one in record.summaries}
    usual = sorted(probed, key=lambda target: -(best[target] or 0.0))[:3]
    here().choose_some("lines", probed, key="line-targets", usual=usual)
    chosen = st.multiselect(
        "Targets",
        probed,
        key="line-targets",
        format_func=title_of,
        max_selections=8,
    )
    if chosen:
        words = "; ".join(
            f"{title_of(name)}: best R² {two_decimals(best[name])}" for name in chosen
        )
        st.plotly_chart(
            layer_lines(record, chosen),
            key="layer-lines",
            config={"displaylogo": False},
            alt=f"R² from layer to layer. {words}.",
        )
        st.caption(f"Bands are 95 % intervals by a bootstrap over works. {words}.")
    st.header("Best layers")
    st.markdown(
        "Every layer within one standard error of the best, and how often each is the best when "
        "works are drawn anew. *Nested* chooses the layer inside each training fold, *weighted* "
        "mixes all layers there: neither profits from picking the best of many."
    )
    labels = layer_labels(record)
    rows = []
    for summary in record.summaries:
        cell = by_place[summary.target, summary.best]
        often = [(share, layer) for layer, share in enumerate(summary.wins) if share >= 0.05]
        often.sort(key=lambda pair: -pair[0])
        rows.append(
            {
                "target": title_of(summary.target),
                "best": labels[summary.best],
                "within one SE": ", ".join(map(str, summary.within))
                if summary.beyond_mean
                else NOTHING,
                "wins": ", ".join(f"{layer}: {share:.0%}" for share, layer in often),
                "R²": _with_interval(cell),
                "nested R²": _with_interval(summary.nested),
                "weighted R²": _with_interval(summary.weighted),
            }
        )
    show_table(pd.DataFrame(rows), width="stretch")


def _with_interval(one: Cell | Combined) -> str:
    return with_interval(one.r2, one.low, one.high)


def show_robustness(record: DiscoveryRecord) -> None:
    """Show how far the split, the number of works, the targets and the dataset matter."""
    _show_splits(record)
    st.header("The targets themselves")
    show_reliability(record.dataset)
    _show_cross(record.encoder, record.dataset)


def _show_splits(record: DiscoveryRecord) -> None:
    by_split = {
        f"by {split.group_by}, seed {split.seed}": split.r2
        for split in record.sensitivity
        if split.r2 is not None
    }
    if len(by_split) > 1:
        st.header("Other groupings and seeds")
        draw_heatmap(
            matrix_heat(by_split, corner="target"),
            caption="Nested R²: does the result depend on how works were put into folds?",
            key="sensitivity",
        )
    curve = {f"{point.works} works": point.r2 for point in record.curve or []}
    if len(curve) > 1:
        st.header("With fewer works")
        draw_heatmap(
            matrix_heat(dict(reversed(curve.items())), corner="target"),
            caption="Nested R²: would more recordings help?",
            key="curve",
        )


def _show_cross(encoder: str, dataset: str) -> None:
    st.header("On other datasets")
    try:
        record = readers.cross(encoder)
    except ArtifactError as error:
        others = _others(encoder, dataset)
        if not others:
            st.info(
                f"Probes of {dataset} can be tested on another dataset as soon as one has features "
                f"by {encoder} and targets."
            )
            return
        names = ",".join([dataset, *others])
        command = ["cross", "--encoder", encoder, "--datasets", names]
        offer(error, dataset=dataset, command=command, button=f"Test across {names}")
        return
    tell_stale(
        "This table",
        readers.stale_cross(encoder, record),
        dataset=dataset,
        command=["cross", "--encoder", encoder, "--datasets", ",".join(record.datasets)],
        button="Test across again",
    )
    rows: dict[str, dict[str, float | None]] = {}
    for row in record.rows:
        rows.setdefault(f"{row.train} → {row.test}", {})[row.target] = row.r2
    draw_heatmap(
        matrix_heat(rows, corner="target"),
        caption="R² of probes fitted on one dataset and tested on another, best training layer.",
        key="cross",
    )


def _others(encoder: str, dataset: str) -> list[str]:
    """Return other datasets that have features by the same encoder."""
    return [name for name in readers.datasets_of(encoder) if name != dataset]
