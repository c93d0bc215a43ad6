"""Figures and tables of what a reading is made of: erasure, codelength, confounds."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from dashboard.figures.style import SCALE, escape
from mess.as_text import interval, two_decimals
from mess.probing.erasure import Loss
from mess.probing.statistics import SIGNIFICANT
from mess.records.untangled import CodelengthRecord, ConfoundsRecord, ErasureRecord
from mess.targets import title_of

if TYPE_CHECKING:
    import pandas as pd

_RANDOM = "a random direction"
_ROW, _MARGIN = 26, 150  # pixels


def erasure_heatmap(record: ErasureRecord, *, left: bool) -> go.Figure:
    """Draw what every target loses, or what is left of it, when another one is erased.

    Invisible markers over the cells take the clicks. The ``customdata`` of a click is (erased,
    target); the row of random directions takes none.

    Parameters
    ----------
    record : ErasureRecord
    left : bool
        Show the R² that is left instead of the R² that is lost.
    """
    names = record.names
    rows = [*names, _RANDOM]
    values = [[_number(record.loss(row, column), left) for column in names] for row in names]
    values.append([random_loss(record, column, np.mean, left=left) for column in names])
    figure = go.Figure(
        go.Heatmap(
            z=[[np.nan if value is None else value for value in row] for row in values],
            x=[escape(title_of(name)) for name in names],
            y=[escape(title_of(name)) for name in rows],
            zmin=-1,
            zmax=1,
            colorscale=SCALE,
            xgap=1,
            ygap=1,
            text=[[two_decimals(value) for value in row] for row in values],
            texttemplate="%{text}",
            hoverinfo="skip",
            colorbar={"thickness": 10},
        )
    )
    cells = [one for one in record.losses if one.erased in names and one.target in names]
    figure.add_scatter(
        x=[escape(title_of(one.target)) for one in cells],
        y=[escape(title_of(one.erased)) for one in cells],
        mode="markers",
        marker={"symbol": "square", "size": 20, "opacity": 0},
        customdata=[[one.erased, one.target] for one in cells],
        text=[loss_text(one) for one in cells],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    figure.update_yaxes(autorange="reversed", title="erased", fixedrange=True, showgrid=False)
    figure.update_xaxes(tickangle=-45, side="top", fixedrange=True, showgrid=False)
    figure.update_layout(
        height=_MARGIN + _ROW * len(rows),
        margin={"l": 10, "r": 10, "t": 130, "b": 10},
        clickmode="event+select",
        hovermode="closest",
        dragmode=False,
    )
    return figure


def _number(one: Loss | None, left: bool) -> float | None:
    if one is None:
        return None
    return one.after if left else one.before - one.after


def loss_text(one: Loss) -> str:
    """Return the text of a cell of the matrix beside the pointer."""
    return "<br>".join(
        [
            f"<b>{escape(title_of(one.target))}</b>",
            f"when {escape(title_of(one.erased))} is erased from layer {one.layer}",
            f"R² {two_decimals(one.before)} → {two_decimals(one.after)}",
            f"change, 95 % {interval(one.low, one.high)}",
        ]
    )


def describe_erasure(record: ErasureRecord) -> str:
    """Say in words what the matrix shows."""
    others = [one for one in record.losses if one.erased != one.target]
    if not others:
        return f"{len(record.names)} targets were erased; there is no other to lose."
    most = max(others, key=lambda one: one.before - one.after)
    sure = sum(one.p is not None and one.p <= SIGNIFICANT for one in others)
    return (
        f"Matrix of {len(record.names)} erased targets. The largest loss of another target is that "
        f"of {title_of(most.target)} when {title_of(most.erased)} is erased: R² "
        f"{two_decimals(most.before)} → {two_decimals(most.after)}. "
        f"{sure} of {len(others)} losses are told from 0."
    )


def random_loss(
    record: ErasureRecord, target: str, of: Callable[[list[float]], Any], *, left: bool = False
) -> float | None:
    """Return the mean, least or largest loss by random directions of a target's own layer."""
    own = record.loss(target, target)
    for one in record.control:
        if own is not None and (one.layer, one.target) == (own.layer, target):
            return float(of(one.after if left else [one.before - after for after in one.after]))
    return None


def unseen_table(record: ErasureRecord) -> "pd.DataFrame":
    """Return what is left of each erased target, for probes of the same works and of others."""
    import pandas as pd

    rows = []
    for one in record.unseen:
        own = record.loss(one.target, one.target)
        rows.append(
            {
                "target": title_of(one.target),
                "layer": one.layer,
                "R²": two_decimals(own.before if own else None),
                "left, same works": two_decimals(own.after if own else None),
                "R², half of the works": two_decimals(one.before),
                "left, works that the eraser never saw": two_decimals(one.after),
            }
        )
    return pd.DataFrame(rows)


def codelength_heatmap(record: CodelengthRecord) -> go.Figure:
    """Draw the bits a value that each layer saves against the mean of the works told before."""
    names = [one.target for one in record.codes]
    saved = [[(one.mean - bits) / one.n for bits in one.bits] for one in record.codes]
    most = max((abs(value) for row in saved for value in row), default=1.0)
    figure = go.Figure(
        go.Heatmap(
            z=saved,
            x=[f"layer {name}" for name in record.layer_names],
            y=[escape(title_of(name)) for name in names],
            zmin=-most,
            zmax=most,
            colorscale=SCALE,
            xgap=1,
            ygap=1,
            text=[[two_decimals(value) for value in row] for row in saved],
            texttemplate="%{text}",
            hovertemplate="%{y}<br>%{x}: %{z:.2f} bits a value<extra></extra>",
            colorbar={"thickness": 10},
        )
    )
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    figure.update_xaxes(side="top", fixedrange=True, showgrid=False)
    figure.update_layout(
        height=90 + _ROW * len(names), margin={"l": 10, "r": 10, "t": 60, "b": 10}, dragmode=False
    )
    return figure


def codelength_table(record: CodelengthRecord) -> "pd.DataFrame":
    """Return the bits a value of each target, by the uniform model, the mean and the best layer."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "target": title_of(one.target),
                "n": one.n,
                "uniform": two_decimals(one.uniform / one.n),
                "mean": two_decimals(one.mean / one.n),
                "best layer, named": two_decimals(one.shortest / one.n),
                "layer": one.best,
                "saves, over the orders": (
                    f"{two_decimals(one.saved_least[one.best] / one.n)} to "
                    f"{two_decimals(one.saved_most[one.best] / one.n)}"
                ),
            }
            for one in record.codes
        ]
    )


def confounds_matrix(record: ConfoundsRecord) -> dict[str, dict[str, float | None]]:
    """Return the rows of a heatmap: R² as usual, then with each confound held apart, and partial.

    Targets that cannot be probed are left out.
    """
    first = next(iter(record.levels), "")
    usual = {one.target: one.usual for one in record.rows if one.confound == first}
    for one in record.rows:  # the target that is itself the first confound
        usual.setdefault(one.target, one.usual)
    probed = [name for name in record.names if usual.get(name) is not None]
    found: dict[str, dict[str, float | None]] = {"folds by work": {n: usual[n] for n in probed}}
    for name in record.levels:
        of = {one.target: one for one in record.rows if one.confound == name}
        found[f"{name} apart"] = {n: of[n].apart if n in of else None for n in probed}
        found[f"{name} given (partial)"] = {n: of[n].partial if n in of else None for n in probed}
    return found


def confounds_table(record: ConfoundsRecord, confound: str) -> "pd.DataFrame":
    """Return the scores of every target with one confound, with their intervals."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "target": title_of(one.target),
                "R²": two_decimals(one.usual),
                "apart": f"{two_decimals(one.apart)} {interval(one.apart_low, one.apart_high)}",
                "partial": (
                    f"{two_decimals(one.partial)} {interval(one.partial_low, one.partial_high)}"
                ),
                f"{confound} alone": two_decimals(one.alone),
            }
            for one in record.rows
            if one.confound == confound and one.usual is not None
        ]
    )
