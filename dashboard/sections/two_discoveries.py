"""Two discoveries side by side, and their difference."""

import streamlit as st

from dashboard import readers
from dashboard.components.heatmap import HOW_TO_CHOOSE, draw_heatmap
from dashboard.components.text import plain
from dashboard.figures.differences import (
    APART,
    PairOfScores,
    column_words,
    compared_columns,
    describe_difference,
    difference_heat,
    pair_scores,
)
from dashboard.figures.heat import Choice
from dashboard.figures.layers import describe_heatmap
from dashboard.figures.lines import two_lines
from dashboard.figures.names import about
from dashboard.figures.style import cell_interval
from dashboard.sections.beside_heatmap import beside_heatmap, on_narrow
from dashboard.sections.cell_choice import choose_cell
from dashboard.sections.difference_choice import (
    WITH,
    Place,
    choose_difference,
    choose_other,
    chosen_difference,
)
from dashboard.sections.heat_rows import target_heat
from dashboard.sections.saved_figure import offer_figure
from mess.as_text import signed, two_decimals
from mess.encoders import encoder_slug
from mess.errors import ArtifactError
from mess.records.discovery import DiscoveryRecord
from mess.targets import title_of

_LINED_UP = {
    "layer": "Both have the same layers: they are compared one by one.",
    "depth": "The networks differ in depth: layers are compared by relative depth, from the first "
    "(0) to the last (1).",
    "none": "One encoder is not a network, so its layers have no counterparts. The best layer, the "
    "nested choice and the mixture are compared.",
}
_FIRST_SEEN = "best, nested"  # the column that does not profit from the choice of a layer


def show_comparison(record: DiscoveryRecord) -> None:
    """Let the person choose another discovery, and compare."""
    own = record.dataset, record.encoder, record.settings.level
    others = [place for place in readers.discoveries() if place != own]
    if not others:
        st.info(
            "There is nothing to compare with yet: extract and probe with another encoder, probe "
            "segments (`--level segment`), or add a dataset."
        )
        return
    others.sort(key=lambda place: (place[0] != own[0], place))
    choose_other(others)
    other = st.selectbox("Compare with", others, format_func=_name, key=WITH)
    try:
        second = readers.discovery(other[0], other[1], level=other[2])
    except ArtifactError as error:
        st.warning(readers.told(error))
        st.code(error.command, language=None)
        return
    st.header("Difference")
    st.markdown(
        f"R² of **{plain(_name(own))}** (first) minus R² of **{plain(_name(other))}** (second): "
        f"blue, the first is better. {_LINED_UP[compared_columns(record, second)]}"
    )
    if own[0] != other[0] or record.n != second.n:
        st.caption(
            f"They rest on different rows ({record.n} and {second.n}), so a difference may "
            "be the music's as well as the encoder's."
        )
    shared = [name for name in record.target_names if name in second.target_names]
    if not shared:
        st.info("They have no target in common.")
        return
    _show_difference(record, second, places=(own, other), targets=shared)
    st.header("Side by side")
    columns = st.columns(2)
    for column, place, one in zip(columns, (own, other), (record, second), strict=True):
        with column:
            draw_heatmap(
                target_heat(
                    one, grey=one.settings.permutations > 0, targets=shared, choosable=False
                ),
                caption=_name(place),
                key=f"side-{'-'.join(place)}",
            )
            st.caption(describe_heatmap(one))


def _show_difference(
    record: DiscoveryRecord,
    second: DiscoveryRecord,
    *,
    places: tuple[Place, Place],
    targets: list[str],
) -> None:
    """Show the difference as a heatmap, and one of its cells."""
    found = pair_scores(record, second)
    known = [(target, column) for target in targets for column in found]
    first_seen = max(targets, key=lambda one: _width(found[_FIRST_SEEN][one]))
    chosen = chosen_difference(places, known, usual=(first_seen, _FIRST_SEEN))
    table = difference_heat(record, second)
    words = describe_difference(record, second)
    left, right, detail = beside_heatmap("difference")
    with left:
        draw_heatmap(
            table,
            caption=f"{APART} their 95 % intervals do not overlap. {HOW_TO_CHOOSE}",
            key=f"difference-{'-'.join(places[0] + places[1])}",
            on_cell=lambda cell: choose_difference(places, cell),
            chosen=chosen,
            detail=detail,
        )
        st.caption(words)
        names = (f"{one[0]}-{encoder_slug(one[1])}-{one[2]}" for one in places)
        offer_figure(table, file_name="-less-".join(names), alt=words, name="difference")
    with right:
        _show_cell(record, second, found, places=places, chosen=chosen)


def _show_cell(
    record: DiscoveryRecord,
    second: DiscoveryRecord,
    found: dict[str, dict[str, PairOfScores]],
    *,
    places: tuple[Place, Place],
    chosen: Choice,
) -> None:
    """Show both scores of a cell, and the target across the layers of both."""
    target, column = chosen
    pair = found[column][target]
    st.header(f"{title_of(target)}, {column_words(column)}")
    with on_narrow("column-of-difference"):
        key = f"column-of-{target}-{column}"
        st.selectbox(
            "Another column of this target",
            list(found),
            index=list(found).index(column),
            format_func=column_words,
            key=key,
            on_change=lambda: choose_difference(places, (target, st.session_state[key])),
        )
    st.markdown(plain(about(target)))
    for place, score in zip(places, (pair.a, pair.b), strict=True):
        known = f" {cell_interval(score)}" if score.low is not None else ""
        st.markdown(f"{plain(_name(place))}: R² **{plain(two_decimals(score.r2) + known)}**")
    apart = "do not overlap" if pair.apart else "overlap, or are not known"
    st.markdown(f"Difference **{plain(signed(pair.change))}**. Their 95 % intervals {apart}.")
    layer = list(found).index(column)
    if compared_columns(record, second) == "layer" and layer < len(record.layer_names):
        st.button(
            "Hear this cell of the first",
            key="hear-difference",
            on_click=_open_cell,
            args=(places[0], layer, target),
        )
    st.plotly_chart(
        two_lines(record, second, target, names=(_name(places[0]), _name(places[1]))),
        key=f"lines-of-{target}",
        config={"displaylogo": False},
        alt=f"R² of {title_of(target)} from layer to layer in both; the heatmap has the numbers.",
    )


def _open_cell(place: Place, layer: int, target: str) -> None:
    choose_cell(*place, layer=layer, target=target)
    st.session_state["tab"] = "Heatmap"


def _width(pair: PairOfScores) -> float:
    return -1.0 if pair.change != pair.change else abs(pair.change)


def _name(place: Place) -> str:
    dataset, encoder, level = place
    return f"{dataset} by {encoder}" + ("" if level == "track" else ", segments")
