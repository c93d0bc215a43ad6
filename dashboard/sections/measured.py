"""The targets of a dataset: the spread of each, their correlations, and the MIDI beside them."""

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from dashboard import readers
from dashboard.address.controls import here
from dashboard.address.recording import choose_recording
from dashboard.components.fold import below_on_phone
from dashboard.components.heatmap import HOW_TO_CHOOSE, draw_heatmap
from dashboard.components.table import UNKNOWN, show_table
from dashboard.components.text import plain
from dashboard.figures.heat import Choice
from dashboard.figures.targets import (
    correlation_heat,
    distribution,
    overview,
    two_targets,
)
from dashboard.readers import row_name
from dashboard.sections.beside_heatmap import beside_heatmap, on_narrow
from dashboard.sections.missing import offer
from dashboard.sections.saved_figure import offer_figure
from dashboard.sections.selection import play_row, show_selection
from mess.as_text import interval, two_decimals
from mess.errors import ArtifactError
from mess.targets import ALL_TARGETS, title_of, title_with_unit
from mess.targets.reliability import TRUSTED
from mess.targets.summaries import (
    COUNTERPARTS,
    FEWEST_PAIRS,
    LEAST_AGREEMENT,
    OUTLYING,
    STATED,
    as_expected,
    clustered_order,
    outliers,
    spearman,
    spearman_interval,
    spearman_matrix,
    strongest_pairs,
)

if TYPE_CHECKING:
    import pandas as pd

PARAMETERS = ("tab", "target", "order", "x", "y", "pair", "heard", "part")
_TOOLS = {"displaylogo": False, "modeBarButtons": [["toImage"]]}
_ORDERS = ["by family", "by likeness"]
Tracks = dict[str, readers.TrackInfo]


def show_distributions(
    table: "pd.DataFrame", tracks: Tracks, *, dataset: str, encoder: str
) -> None:
    """Show all targets as a table, and one of them with its outliers."""
    tested: ArtifactError | None = None
    reliability = None
    try:
        reliability = readers.reliability(dataset)
    except ArtifactError as error:
        tested = error
    shown = overview(table, reliability)
    numbers = {
        name: st.column_config.NumberColumn(format="%.4g")
        for name in ("lower quarter", "median", "upper quarter")
    }
    below = below_on_phone("targets-table")  # a list and a figure are read more easily there
    event: Any = show_table(
        shown,
        within=below,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        key="targets-table",
        column_config={
            **numbers,
            "shape": st.column_config.BarChartColumn("spread", width="small"),
            "agreement": st.column_config.TextColumn(
                help="The least of split-half reliability and agreement after gain, MP3 and "
                f"resampling; ! is under {TRUSTED}.",
            ),
        },
    )
    if tested:
        command = ["check-targets", "--dataset", dataset]
        with below:
            offer(tested, dataset=dataset, command=command, button="Test the targets")
    names = [str(name) for name in table.columns]
    _follow(event, names)
    here().choose("target", names, key="target-shown", usual=names[0])
    target = str(st.selectbox("Target", names, key="target-shown", format_func=title_of))
    _show_one(table[target], tracks, target=target, dataset=dataset, encoder=encoder)


def _follow(event: Any, names: list[str]) -> None:
    """Let a click on a row choose the target."""
    rows = event["selection"]["rows"]
    picked = names[rows[0]] if rows else None
    if picked and picked != st.session_state.get("target-row"):
        st.session_state["target-shown"] = picked
    st.session_state["target-row"] = picked


def _show_one(
    values: "pd.Series[float]", tracks: Tracks, *, target: str, dataset: str, encoder: str
) -> None:
    known = ALL_TARGETS.get(target)
    st.header(title_with_unit(target))
    if known:
        st.markdown(known.description)
    if not values.notna().any():
        st.info("It is undefined on every recording here.")
        return
    far = outliers(values)
    words = (
        f"{values.notna().sum()} recordings; median {values.median():.4g}, from {values.min():.4g} "
        f"to {values.max():.4g}; {len(far)} stand out (robust z beyond {OUTLYING})."
    )
    event: Any = st.plotly_chart(
        distribution(values, target=target, labels=_labels(tracks)),
        on_select="rerun",
        selection_mode="points",
        key=f"distribution-{target}",
        config=_TOOLS,
        alt=f"Distribution of {title_of(target)}. {words}",
    )
    st.caption(f"{words} Click a dot to hear it, or choose a recording.")
    _play_clicked(event, values, tracks, dataset=dataset, encoder=encoder, key="spread")
    if len(far):
        st.header("What stands out")
        show_selection(
            [(str(track), -1) for track in far.index],
            tracks,
            dataset=dataset,
            encoder=encoder,
            values={
                title_of(target): [f"{values[track]:.4g}" for track in far.index],
                "robust z": [f"{score:.1f}" for score in far],
            },
            key="outlier",
        )


def show_correlations(table: "pd.DataFrame", tracks: Tracks, *, dataset: str, encoder: str) -> None:
    """Show the correlations of all targets, and two targets against each other."""
    useful = table[[name for name in table.columns if table[name].nunique() > 1]]
    if useful.shape[1] < 2:
        st.info("Two targets that vary are needed.")
        return
    here().choose("order", _ORDERS, key="correlation-order", usual=_ORDERS[0])
    order = st.segmented_control(
        "Order",
        _ORDERS,
        key="correlation-order",
        required=True,
    )
    matrix = spearman_matrix(useful)
    names = list(matrix.columns) if order == "by family" else clustered_order(matrix)
    strongest = strongest_pairs(matrix)
    words = "Strongest: " + "; ".join(
        f"{title_of(a)} and {title_of(b)} {two_decimals(value)}" for a, b, value in strongest[:3]
    )
    start = strongest[0] if strongest else (names[0], names[1])
    here().choose("x", names, key="pair-x", usual=start[0])
    here().choose("y", names, key="pair-y", usual=start[1])
    x, y = str(st.session_state["pair-x"]), str(st.session_state["pair-y"])
    heat = correlation_heat(matrix, names)
    left, right, detail = beside_heatmap("pair", shares=(2, 1))
    with left:
        draw_heatmap(
            heat,
            caption=f"Spearman's rank correlation over whole recordings. {HOW_TO_CHOOSE}",
            key=f"correlations-{_ORDERS.index(order or _ORDERS[0])}",
            on_cell=_choose_pair,
            chosen=(y, x),
            detail=detail,
        )
        st.caption(f"{words}.")
        alt = f"Spearman's correlation of {len(names)} targets. {words}."
        offer_figure(heat, file_name=f"{dataset}-correlations", alt=alt, name="matrix")
    with right:
        st.header(f"{title_of(y)} against {title_of(x)}")
        with on_narrow("pair-lists"):
            first, second = st.columns(2)
            first.selectbox("Across", names, key="pair-x", format_func=title_of)
            second.selectbox("Up", names, key="pair-y", format_func=title_of)
        if x == y:
            st.info("Choose two different targets.")
            return
        _show_pair(useful, tracks, x=x, y=y, dataset=dataset, encoder=encoder)


def _choose_pair(cell: Choice) -> None:
    st.session_state["pair-y"], st.session_state["pair-x"] = cell


def show_truth(table: "pd.DataFrame", tracks: Tracks, *, dataset: str, encoder: str) -> None:
    """Show what is measured on audio against what the MIDI says."""
    import pandas as pd

    stated = readers.stated(dataset, STATED)
    table = table.assign(**{STATED: stated.reindex(table.index)}) if len(stated) else table
    pairs = [
        one
        for one in COUNTERPARTS
        if one.proxy in table.columns
        and one.truth in table.columns
        and len(table[[one.proxy, one.truth]].dropna()) >= FEWEST_PAIRS
    ]
    if not pairs:
        st.info(
            "None of these recordings has MIDI. SMD, MAESTRO and the demo library have it: choose "
            "one in the sidebar."
        )
        return
    rows = []
    for one in pairs:
        both = table[[one.proxy, one.truth]].dropna()
        found = spearman(both[one.proxy], both[one.truth])
        works = len({tracks[track].work if track in tracks else track for track in both.index})
        bounds = spearman_interval(found, works=works)
        rows.append(
            {
                "measured on audio": title_of(one.proxy),
                "known from MIDI": title_of(one.truth),
                "Spearman": found,
                "95 %": interval(*bounds) if bounds else UNKNOWN,
                "expected": "rises" if one.sign > 0 else "falls",
                "as expected": as_expected(found, sign=one.sign, works=works),
                "n": len(both),
                "works": works,
            }
        )
    show_table(
        pd.DataFrame(rows),
        width="stretch",
        column_config={
            "Spearman": st.column_config.NumberColumn(format="%.2f"),
            "95 %": st.column_config.TextColumn(
                help="Of the correlation. Works are counted, not recordings of one work."
            ),
            "as expected": st.column_config.TextColumn(
                help="Yes: the whole interval lies on the expected side of 0, and the correlation "
                f"is {LEAST_AGREEMENT} or more. Weakly: it is less. Not told: the interval holds 0."
            ),
        },
    )
    here().choose(
        "pair", pairs, key="truth-pair", usual=pairs[0], text=lambda one: f"{one.proxy}:{one.truth}"
    )
    chosen = st.selectbox(
        "Show",
        pairs,
        format_func=lambda one: f"{title_of(one.proxy)} against {title_of(one.truth)}",
        key="truth-pair",
    )
    st.caption(plain(chosen.reason))
    _show_pair(table, tracks, x=chosen.truth, y=chosen.proxy, dataset=dataset, encoder=encoder)


def _show_pair(
    table: "pd.DataFrame", tracks: Tracks, *, x: str, y: str, dataset: str, encoder: str
) -> None:
    both = table[[x, y]].dropna()
    found = two_decimals(spearman(both[x], both[y]))
    words = f"{title_of(y)} against {title_of(x)}: Spearman {found} over {len(both)} recordings."
    event: Any = st.plotly_chart(
        two_targets(table, x=x, y=y, labels=_labels(tracks), octaves=x == STATED),
        on_select="rerun",
        selection_mode="points",
        key=f"pair-{x}-{y}",
        config=_TOOLS,
        alt=words,
    )
    st.caption(f"{words} Click a point to hear it, or choose a recording.")
    _play_clicked(event, table[y], tracks, dataset=dataset, encoder=encoder, key="pair")


def _play_clicked(
    event: Any,
    values: "pd.Series[float]",
    tracks: Tracks,
    *,
    dataset: str,
    encoder: str,
    key: str,
) -> None:
    sound = f"{key}-sound"
    points = [one for one in event["selection"]["points"] if one.get("customdata")]
    clicked = str(points[0]["customdata"][0]) if points else ""
    if clicked and clicked != st.session_state.get(f"{key}-clicked"):
        st.session_state[sound] = clicked
        choose_recording(dataset, clicked)
    st.session_state[f"{key}-clicked"] = clicked
    known = values.dropna().sort_values()
    tracks_here: list[str | None] = [None, *map(str, known.index)]
    here().choose("heard", tracks_here, key=sound, usual=None, text=lambda one: one or "")
    track: str | None = st.selectbox(
        "Listen (from the least to the most)",
        tracks_here[1:],
        index=None,
        format_func=lambda one: f"{row_name(tracks, str(one))}: {known[one]:.4g}",
        placeholder="Choose a recording",
        key=sound,
        on_change=_make_current,
        args=(dataset, sound),
    )
    if track is None:
        return
    st.markdown(f"**{plain(row_name(tracks, track))}** · {plain(title_of(str(values.name)))} ")
    st.caption(f"{title_of(str(values.name))} {values.get(track, np.nan):.4g}")
    play_row(tracks, track, -1, dataset=dataset, encoder=encoder, key=f"{key}-player")


def _make_current(dataset: str, sound: str) -> None:
    if track := st.session_state[sound]:
        choose_recording(dataset, track)


def _labels(tracks: Tracks) -> dict[str, str]:
    return {track: one.label for track, one in tracks.items()}
