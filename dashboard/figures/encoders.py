"""The figure of two encoders beside each other; `encoder_tables` says the same as text."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.figures.style import PALETTE, escape
from mess.as_text import interval
from mess.probing.differences import Verdict
from mess.records.comparison import EncoderPair, TargetDifference
from mess.targets import title_of

_CLEAR = "rgba(0,0,0,0)"
_LINE = "#888"  # visible on white and on black
# Colour and shape say the same.
_MARKS: dict[Verdict, tuple[str, str]] = {
    "beats": (PALETTE[0], "triangle-right"),
    "loses": (PALETTE[5], "triangle-left"),
    "not told apart": (_LINE, "circle-open"),
}
_LABEL = 22  # letters of a name in a line


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
