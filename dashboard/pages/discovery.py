"""Layer discovery: which layer linearly encodes which target."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import readers
from dashboard.components.evaluation import (
    METHOD_NAMES,
    controlled_table,
    faithfulness,
    matrix_heatmap,
)
from dashboard.components.figures import (
    heatmap,
    interval,
    predicted_against_true,
    two_decimals,
)
from dashboard.components.player import Sound, player
from dashboard.components.text import plain
from dashboard.sidebar import selected
from mess.errors import ArtifactError
from mess.places import Level
from mess.probing.statistics import SIGNIFICANT
from mess.targets import ALL_TARGETS
from mess.targets.reliability import TRUSTED


def main() -> None:
    """Draw the page."""
    st.title("Layer discovery")
    dataset, encoder = selected()
    level: Level = (
        st.segmented_control(
            "Rows", ["track", "segment"], default="track", key="level", label_visibility="collapsed"
        )
        or "track"
    )
    try:
        record = readers.discovery(dataset, encoder, level=level)
        predictions = readers.predictions(dataset, encoder, level=level)
        labels = {track.id: track.label for track in readers.tracks(dataset, encoder).values()}
    except ArtifactError as error:
        st.warning(str(error))
        st.code(error.command, language="bash")
        st.markdown("Or use **Re-extract and re-probe** in the sidebar.")
        return
    settings = record["settings"]
    st.markdown(
        f"How well a ridge probe on each layer of **{plain(record['encoder'])}** predicts each "
        f"proxy target of works that it never saw: R², 1 is perfect, 0 is no better than the "
        f"mean, below 0 is worse. {record['n']} {level}s of {record['works']} works, "
        f"{settings['folds']} folds by work, penalty {settings['alpha']}. Click a cell."
    )
    grey = False
    if settings.get("permutations"):
        grey = st.toggle(
            "Grey what may be chance",
            value=True,
            key="grey",
            help=f"Cells whose R² the best cell of {settings['permutations']} shuffles of works "
            f"reaches more often than in {SIGNIFICANT:.0%} (family-wise, max-T).",
        )
    event: Any = st.plotly_chart(
        heatmap(record, grey=grey),
        on_select="rerun",
        selection_mode="points",
        key=f"heatmap-{dataset}-{encoder}-{level}",
        config={"displayModeBar": False},
    )
    cells = pd.DataFrame(record["cells"])
    points = event["selection"]["points"]
    if points:
        layer, target = points[0]["customdata"][:2]
    else:
        best = cells.iloc[int(cells["r2"].astype(float).fillna(-np.inf).argmax())]
        layer, target = int(best["layer"]), str(best["target"])
    _show_cell(record, predictions, labels, layer=int(layer), target=target)
    _show_summaries(record)
    _show_table(cells, record, name=f"{dataset}-{encoder}-{level}")
    _show_beside(record)
    _show_reliability(dataset)
    _show_evaluation(dataset, encoder)


def _show_cell(
    record: dict[str, Any],
    predictions: pd.DataFrame,
    labels: dict[str, str],
    *,
    layer: int,
    target: str,
) -> None:
    name = record["layer_names"][layer]
    st.subheader(f"{target}, layer {layer}" + ("" if name == str(layer) else f" ({name})"))
    rows = predictions[(predictions["layer"] == layer) & (predictions["target"] == target)]
    if rows.empty:
        st.info("This target is undefined on too many tracks to be probed.")
        return
    (cell,) = (c for c in record["cells"] if (c["layer"], c["target"]) == (layer, target))
    known = ALL_TARGETS.get(target)
    left, right = st.columns([2, 1])
    left.plotly_chart(
        predicted_against_true(
            rows, target=target, unit=known.unit if known else "", labels=labels
        ),
        key="predicted-against-true",
        config={"displayModeBar": False},
    )
    with right:
        if known:
            st.markdown(known.description)
        first, second, third = st.columns(3)
        first.metric("R²", two_decimals(cell["r2"]))
        second.metric("Spearman", two_decimals(cell["spearman"]))
        third.metric("n", int(cell["n"]))
        st.caption(
            f"95 % interval of R² {interval(cell)} (bootstrap over {int(cell['works'])} works)"
        )
        if cell.get("p_family") is not None:
            st.caption(
                f"p {cell['p']:.3g}, family-wise {cell['p_family']:.3g}, q {cell['q']:.3g}; "
                f"selectivity {cell['selectivity']:.2f}"
            )
        st.caption(f"RMSE {cell['rmse']:.4g} {known.unit if known else ''}")
        st.caption("R² within each fold: " + ", ".join(two_decimals(v) for v in cell["fold_r2"]))
        chosen = sorted(set(cell["alpha"]))
        st.caption("Penalty of each fold: " + ", ".join(f"{alpha:g}" for alpha in chosen))
        _play(rows, labels)


def _play(rows: pd.DataFrame, labels: dict[str, str]) -> None:
    """Let the person hear a track of the plot, the worst predicted first."""
    dataset, encoder = selected()
    error = (rows["predicted"] - rows["true"]).abs()
    order = rows.assign(error=error).groupby("track", observed=True)["error"].mean()
    ids = order.sort_values(ascending=False).index.astype(str).tolist()
    chosen = st.selectbox(
        "Listen (worst predicted first)", ids, format_func=lambda track: labels.get(track, track)
    )
    if chosen is not None:
        sound = Sound(
            dataset=dataset, encoder=encoder, track=chosen, label=labels.get(chosen, chosen)
        )
        player(sound, key="cell-player")


def _show_summaries(record: dict[str, Any]) -> None:
    """Show which layers may be the best, and what choosing inside the folds costs."""
    st.subheader("Best layers")
    st.markdown(
        "Every layer within one standard error of the best, and how often each is the best when "
        "works are drawn anew. *Nested* chooses the layer inside each training fold, *weighted* "
        "mixes all layers there: neither profits from picking the best of many."
    )
    by_place = {(cell["target"], cell["layer"]): cell for cell in record["cells"]}
    rows = []
    for summary in record.get("summaries", []):
        best = by_place[summary["target"], summary["best"]]
        often = [layer for layer, share in enumerate(summary["wins"]) if share >= 0.05]
        often.sort(key=lambda layer: -summary["wins"][layer])
        rows.append(
            {
                "target": summary["target"],
                "best": summary["best"],
                "within one SE": ", ".join(map(str, summary["within"])),
                "wins": ", ".join(f"{layer}: {summary['wins'][layer]:.0%}" for layer in often),
                "R²": f"{two_decimals(best['r2'])} {interval(best)}",
                **{
                    f"{kind} R²": f"{two_decimals(summary[kind]['r2'])} {interval(summary[kind])}"
                    for kind in ("nested", "weighted")
                },
            }
        )
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")


def _show_table(cells: pd.DataFrame, record: dict[str, Any], *, name: str) -> None:
    with st.expander("Table"):
        table = cells.assign(
            layer_name=[record["layer_names"][layer] for layer in cells["layer"]],
            fold_r2=[" ".join(two_decimals(v) for v in row) for row in cells["fold_r2"]],
            alpha=[" ".join(f"{a:g}" for a in row) for row in cells["alpha"]],
        )
        st.dataframe(table, hide_index=True, width="stretch")
        st.download_button(
            "Download CSV", table.to_csv(index=False), file_name=f"{name}.csv", mime="text/csv"
        )


def _show_beside(record: dict[str, Any]) -> None:
    """Show what plain descriptions reach, and how far the split matters."""
    nested = {one["target"]: one["nested"]["r2"] for one in record.get("summaries", [])}
    rows: dict[str, dict[str, float | None]] = {record["encoder"]: nested}
    for control in record.get("controls", []):
        rows.setdefault(control["name"], {})[control["target"]] = control["r2"]
    if len(rows) > 1:
        st.subheader("Beside it: baselines")
        st.markdown(
            "Nested R² on the same rows and folds: the layer chosen inside the training folds, so "
            "that one vector and many layers compare on equal terms."
        )
        st.plotly_chart(
            matrix_heatmap(rows, title="", numbers=True),
            key="controls",
            config={"displayModeBar": False},
        )
    by_split = {
        f"by {row['group_by']}, seed {row['seed']}": row["r2"]
        for row in record.get("sensitivity", [])
        if "r2" in row
    }
    if len(by_split) > 1:
        st.markdown("**Other groupings and seeds** (nested R²)")
        st.plotly_chart(
            matrix_heatmap(by_split, title="", numbers=True),
            key="sensitivity",
            config={"displayModeBar": False},
        )
    curve = {f"{point['works']} works": point["r2"] for point in record.get("curve", [])}
    if len(curve) > 1:
        st.markdown("**With fewer works** (nested R²)")
        st.plotly_chart(
            matrix_heatmap(dict(reversed(curve.items())), title="", numbers=True),
            key="curve",
            config={"displayModeBar": False},
        )


def _show_reliability(dataset: str) -> None:
    """Show how far the targets themselves are to be trusted."""
    st.subheader("The targets themselves")
    try:
        record = readers.reliability(dataset)
    except ArtifactError as error:
        st.info(str(error))
        return
    table = pd.DataFrame(record["targets"]).T.drop(columns="trusted").astype(float).round(2)
    marks = ["" if row["trusted"] else "!" for row in record["targets"].values()]
    table.insert(0, f"under {TRUSTED}", marks)
    st.markdown(
        f"On {record['tracks']} tracks: do two halves agree (Spearman–Brown), and does the number "
        "stay after a change that is no music (Lin's concordance)?"
    )
    st.dataframe(table.rename(columns={"split_half": "split-half"}), width="stretch")


def _show_evaluation(dataset: str, encoder: str) -> None:
    """Show whether the sliders do what they say."""
    st.subheader("Do the sliders do what they say?")
    try:
        record = readers.evaluation(dataset, encoder)
    except ArtifactError as error:
        st.info(str(error))
        return
    st.markdown(
        "A slider is *faithful* if tracks that rank high are indeed alike in its target: the "
        f"correlation of rank and true difference over {record['settings']['queries']} queries, "
        "other works only, every prediction out of fold. The measured value is the ceiling, by "
        "construction."
    )
    st.plotly_chart(faithfulness(record), key="faithfulness", config={"displayModeBar": False})
    method = st.selectbox(
        "How much each slider moves each target (1 wholly, 0 no more than chance)",
        list(record["leakage"]),
        format_func=METHOD_NAMES.__getitem__,
        key="leakage-method",
    )
    found = record["leakage"][method]
    if found["matrix"]:
        st.plotly_chart(
            matrix_heatmap(found["matrix"], title="slider"),
            key="leakage",
            config={"displayModeBar": False},
        )
        st.caption(
            f"Mean in a slider's own targets {two_decimals(found['diagonal'])}, "
            f"in all others {two_decimals(found['off_diagonal'])}."
        )
    if record["controlled"]:
        st.markdown(
            "**Recordings that differ in one thing**: the distance that a slider sees for each "
            "change, 1 as far as another work. It should see its own change and no other."
        )
        st.dataframe(controlled_table(record["controlled"]), hide_index=True, width="stretch")
    for name, one in (record["same_work"] or {}).items():
        recall = ", ".join(f"recall@{k} {value:.2f}" for k, value in one["recall"].items())
        st.caption(
            f"Other recordings of the same work by {name.replace('_', ' of ')}: MRR "
            f"{one['mrr']:.2f}, {recall} ({one['queries']} queries)."
        )


main()
