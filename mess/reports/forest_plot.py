"""The forest plot of a report, as SVG without external fonts, scripts or files."""

from html import escape

from mess.records.discovery import DiscoveryRecord
from mess.targets import title_of

_LEFT, _WIDTH, _ROW, _TOP = 190, 560, 22, 34
_LOWEST = -0.5  # lower values are drawn at the edge, with an arrow
_INK, _PALE, _OURS, _THEIRS = "#222", "#ddd", "#2166ac", "#b35806"


def forest(record: DiscoveryRecord) -> str:
    """Draw the nested R² of every target with its interval, and the best baseline beside it.

    Parameters
    ----------
    record : DiscoveryRecord

    Returns
    -------
    str
        An SVG element; "" if no target has a score.
    """
    rows = [
        (summary.target, summary.nested.r2, summary.nested.low, summary.nested.high)
        for summary in record.summaries
        if summary.nested.r2 is not None
    ]
    if not rows:
        return ""
    rivals = _best_baselines(record)
    height = _TOP + _ROW * len(rows) + 30
    parts = [_axis(height)]
    for number, (target, r2, least, most) in enumerate(rows):
        y = _TOP + _ROW * number + _ROW / 2
        parts.append(_text(_LEFT - 8, y + 4, title_of(target), anchor="end"))
        if least is not None and most is not None:
            parts.append(_line(_x(least), y, _x(most), y, colour=_OURS, width=2))
        parts.append(_dot(r2, y))
        if target in rivals:
            x = _x(rivals[target])
            parts.append(_line(x, y - 6, x, y + 6, colour=_THEIRS, width=2))
    legend = "nested R² with its 95 % interval (dot, line); the best baseline (upright mark)"
    parts.append(_text(_LEFT, 14, legend, anchor="start"))
    body = "".join(parts)
    return (
        f'<figure><svg role="img" aria-label="{escape(legend)}; the tables hold the numbers" '
        f'viewBox="0 0 {_LEFT + _WIDTH + 40} {height}" width="100%" style="max-width:60rem" '
        f'font-family="system-ui,sans-serif" font-size="12">{body}</svg></figure>'
    )


def _best_baselines(record: DiscoveryRecord) -> dict[str, float]:
    best: dict[str, float] = {}
    for row in record.controls or []:
        if row.r2 is not None:
            best[row.target] = max(row.r2, best.get(row.target, row.r2))
    return best


def _x(value: float) -> float:
    return _LEFT + _WIDTH * (min(max(value, _LOWEST), 1.0) - _LOWEST) / (1.0 - _LOWEST)


def _axis(height: int) -> str:
    marks = []
    for value in (-0.5, 0.0, 0.5, 1.0):
        x = _x(value)
        marks.append(_line(x, _TOP, x, height - 26, colour=_INK if value == 0 else _PALE, width=1))
        marks.append(_text(x, height - 10, f"{value:g}".replace("-", "−"), anchor="middle"))
    return "".join(marks)


def _dot(value: float, y: float) -> str:
    if value < _LOWEST:
        return _text(_x(_LOWEST), y + 4, f"◀ {value:.2f}".replace("-", "−"), anchor="start")
    return f'<circle cx="{_x(value):.1f}" cy="{y:.1f}" r="4.5" fill="{_OURS}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, *, colour: str, width: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{colour}" stroke-width="{width:g}"/>'
    )


def _text(x: float, y: float, text: str, *, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_INK}">{escape(text)}</text>'
    )
