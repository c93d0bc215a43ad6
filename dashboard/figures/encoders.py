"""Figures of encoders beside each other; `encoder_tables` says the same as text."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dashboard.figures.style import PALETTE, SCALE, escape
from mess.as_text import interval, two_decimals
from mess.probing.differences import Verdict
from mess.probing.remarks import NOTHING
from mess.records.comparison import (
    ComparisonRecord,
    EncoderPair,
    EncoderScores,
    TargetDifference,
)
from mess.targets import title_of

# The colours of controls: the same scale, mixed with white.
_PALE = [[0.0, "#e2a9a0"], [0.5, "#fafafa"], [1.0, "#a3c3dc"]]
_CLEAR = "rgba(0,0,0,0)"
_LINE = "#888"  # visible on white and on black
# Colour and shape say the same.
_MARKS: dict[Verdict, tuple[str, str]] = {
    "beats": (PALETTE[0], "triangle-right"),
    "loses": (PALETTE[5], "triangle-left"),
    "not told apart": (_LINE, "circle-open"),
}
_LABEL = 22  # letters of a name in a line


def score_heatmap(record: ComparisonRecord) -> go.Figure:
    """Draw R² of targets (rows) by encoders (columns), the controls paler.

    Parameters
    ----------
    record : ComparisonRecord
    """
    rows, targets = record.encoders, record.targets
    r2 = np.full((len(targets), len(rows)), np.nan)
    hover = np.full(r2.shape, "", dtype=object)
    for column, row in enumerate(rows):
        for place, target in enumerate(targets):
            score = row.r2.get(target)
            if score is None or score.r2 is None:
                continue
            r2[place, column] = score.r2
            layers = f"best layers {', '.join(map(str, score.layers))}"
            if not score.beyond_mean:
                layers = NOTHING
            hover[place, column] = (
                f"{title_of(target)}<br>{escape(row.name)}<br>R² {score.r2:.3f} "
                f"{interval(score.low, score.high)}<br>{layers}"
            )
    is_control = np.array([row.control_of is not None for row in rows], dtype=bool)
    figure = go.Figure()
    for pale in (False, True):
        if not (is_control == pale).any():
            continue
        shown = np.where(is_control == pale, r2, np.nan)
        figure.add_heatmap(
            z=shown,
            zmin=-1,
            zmax=1,
            colorscale=_PALE if pale else SCALE,
            showscale=False,  # the numbers are written
            xgap=2,
            ygap=1,
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=False,
        )
    figure.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(rows))),
        ticktext=[_column_title(row) for row in rows],
        side="top",
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(targets))),
        ticktext=[escape(title_of(target)) for target in targets],
        autorange="reversed",
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_layout(
        annotations=[
            {
                "x": column,
                "y": place,
                "text": two_decimals(value),
                "showarrow": False,
                "font": {"size": 12, "color": _ink(float(value), pale=bool(is_control[column]))},
            }
            for (place, column), value in np.ndenumerate(r2)
            if np.isfinite(value)
        ]
    )
    _lay_out(figure, height=110 + 24 * len(targets))
    return figure


def difference_plot(pair: EncoderPair) -> go.Figure:
    """Draw the difference of two encoders on every target with its 95 % interval.

    Parameters
    ----------
    pair : EncoderPair
        From `mess.reports.encoder_comparison.difference`.
    """
    ordered = sorted(pair.targets.items(), key=lambda item: item[1].difference)
    names = [title_of(target) for target, _ in ordered]
    figure = go.Figure()
    for verdict, (colour, symbol) in _MARKS.items():
        part = [(target, one) for target, one in ordered if one.verdict == verdict]
        if not part:
            continue
        values = [one.difference for _, one in part]
        figure.add_scatter(
            x=values,
            y=[names.index(title_of(target)) for target, _ in part],
            mode="markers",
            name=_legend(pair, verdict),
            marker={
                "color": colour,
                "symbol": symbol,
                "size": 11,
                "line": {"width": 2, "color": colour},
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [_ends(one)[1] - one.difference for _, one in part],
                "arrayminus": [one.difference - _ends(one)[0] for _, one in part],
                "color": colour,
                "thickness": 1.5,
                "width": 3,
            },
            text=[
                f"{title_of(target)}<br>{one.difference:+.3f} {interval(one.low, one.high)}"
                + ("" if one.p is None else f"<br>p {one.p:.3g}, corrected ")
                + ("" if one.p_holm is None else f"{one.p_holm:.3g}")
                + f"<br>{verdict}"
                for target, one in part
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": _LINE, "width": 1})
    reach = _reach([one for _, one in ordered])
    figure.update_xaxes(
        title=f"R² of {escape(_short(pair.a))} − R² of {escape(_short(pair.b))}",
        range=[-reach, reach],
        zeroline=False,
        fixedrange=True,
    )
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(names))),
        ticktext=[title_of(name) for name in names],
        fixedrange=True,
    )
    figure.update_layout(legend={"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0})
    _lay_out(figure, height=130 + 22 * len(names))
    return figure


def is_cut(pair: EncoderPair) -> bool:
    """Tell whether an interval ends outside `difference_plot`."""
    found = list(pair.targets.values())
    return any(max(map(abs, _ends(one))) > _reach(found) for one in found)


def _ink(value: float, *, pale: bool) -> str:
    """Return the colour of a number on its cell, which is opaque in any theme."""
    return "#fff" if abs(value) > 0.65 and not pale else "#111"


def _column_title(row: EncoderScores) -> str:
    name = escape(_short(row.name)).replace("random:", "random:<br>")
    return f"{name}<br>mean {two_decimals(row.mean_r2)}"


def _legend(pair: EncoderPair, verdict: Verdict) -> str:
    if verdict == "not told apart":
        return verdict
    winner = pair.a if verdict == "beats" else pair.b
    return f"{escape(_short(winner))} is better"


def _ends(one: TargetDifference) -> tuple[float, float]:
    """Return the ends of an interval. Without an interval, both are the difference."""
    if one.low is None or one.high is None:
        return one.difference, one.difference
    return one.low, one.high


def _reach(found: Sequence[TargetDifference]) -> float:
    """Return the end of the axis: all points fit, and intervals up to a limit."""
    widest = max((max(map(abs, _ends(one))) for one in found), default=1.0)
    points = max((abs(one.difference) for one in found), default=0.5)
    return 1.05 * min(widest, max(1.0, 1.3 * points))


def _lay_out(figure: go.Figure, *, height: int) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        paper_bgcolor=_CLEAR,
        plot_bgcolor=_CLEAR,
        dragmode=False,
    )


def _short(name: str) -> str:
    return name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…"
