"""Figures of the targets of a dataset: one, two, or all against all."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from dashboard.figures.heat import ColourScale, HeatCell, HeatRow, HeatTable, furthest
from dashboard.figures.names import about, family_of
from dashboard.figures.style import PALETTE, escape
from mess.as_text import two_decimals
from mess.records.reliability import ReliabilityRecord
from mess.targets import ALL_TARGETS, title_of, title_with_unit
from mess.targets.summaries import OUTLYING, robust_z

if TYPE_CHECKING:
    import pandas as pd

_BINS = 32
_DOTS = 2000  # recordings; up to this number, each is a dot of the histogram
_OCTAVES = ((1.0, "equal", "solid"), (2.0, "double", "dash"), (0.5, "half", "dot"))
_SMALL = 16  # bars of a histogram within a table


def distribution(
    values: "pd.Series[float]", *, target: str, labels: Mapping[str, str]
) -> go.Figure:
    """Draw how a target spreads: a dot for each recording, stacked as a histogram.

    An orange diamond is an outlier (robust z beyond 3.5). From 2,000 recordings on, only these
    are dots and the others are bars. The ``customdata`` of a dot is (track,).

    Parameters
    ----------
    values : Series
        A number for each track id; NaN is left out.
    target : str
    labels : mapping of str to str
        A track's name, by id.
    """
    import pandas as pd

    known = values.dropna().sort_values(kind="stable")
    z = robust_z(known.to_numpy())
    far = np.abs(z) > OUTLYING
    edges = (
        np.histogram_bin_edges(known.to_numpy(), bins=_BINS) if len(known) else np.array([0.0, 1.0])
    )
    bins = np.clip(np.searchsorted(edges, known, side="right") - 1, 0, len(edges) - 2)
    heights = pd.Series(bins).groupby(bins).cumcount().to_numpy() + 1
    figure = go.Figure()
    if len(known) > _DOTS:
        counts = np.bincount(bins, minlength=len(edges) - 1)
        middle = (edges[:-1] + edges[1:]) / 2
        figure.add_bar(
            x=middle, y=counts, width=np.diff(edges), name="recordings", marker_color=PALETTE[0]
        )
        kinds = [(far, "stands out", 1, "diamond")]
    else:
        kinds = [(~far, "recordings", 0, "circle"), (far, "stands out", 1, "diamond")]
    for chosen, name, colour, symbol in kinds:
        part = known[chosen]
        figure.add_scatter(
            x=part.to_numpy(),
            y=heights[chosen],
            mode="markers",
            name=name,
            marker={"color": PALETTE[colour], "symbol": symbol, "size": 9},
            customdata=[[str(track)] for track in part.index],
            text=[
                f"{escape(labels.get(str(track), str(track)))}<br>{value:.4g}, robust z {score:.1f}"
                for track, value, score in zip(part.index, part, z[chosen], strict=True)
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    figure.update_xaxes(title=title_with_unit(target))
    figure.update_yaxes(title="recordings", rangemode="tozero")
    return _clickable(figure, height=320)


def correlation_heat(matrix: "pd.DataFrame", order: Sequence[str]) -> HeatTable:
    """Return Spearman's correlation of all targets; a cell chooses (row, column).

    Parameters
    ----------
    matrix : DataFrame
        Targets by targets.
    order : sequence of str
        Of rows and columns.
    """
    scale = ColourScale(title="Spearman", grey="a target with itself, or not known")
    rows = []
    for row in order:
        values = matrix.loc[row, list(order)].to_numpy(dtype=np.float64)
        numbers = [
            None if one == row else float(value) for one, value in zip(order, values, strict=True)
        ]
        place = furthest(numbers)
        cells = []
        for column, number in zip(order, numbers, strict=True):
            colour, ink = scale.colours(number)
            said = f"{title_of(row)} and {title_of(column)}: Spearman {two_decimals(number)}"
            cells.append(
                HeatCell(
                    choice=(row, column) if row != column else None,
                    colour=colour,
                    ink=ink,
                    text=two_decimals(number),
                    said=said if row != column else f"{title_of(row)} with itself",
                )
            )
        rows.append(
            HeatRow(
                label=title_of(row),
                about=about(row),
                cells=cells,
                strongest=place,
                strongest_said=f"{title_of(order[place])}: {cells[place].text}",
            )
        )
    return HeatTable(
        rows=rows, columns=[title_of(one) for one in order], corner="target", scale=scale
    )


def two_targets(
    table: "pd.DataFrame", *, x: str, y: str, labels: Mapping[str, str], octaves: bool = False
) -> go.Figure:
    """Draw one number against another, a point for each recording; ``customdata`` is (track,).

    Parameters
    ----------
    table : DataFrame
        Columns ``x`` and ``y``, a row for each track id.
    x, y : str
    labels : mapping of str to str
        A track's name, by id.
    octaves : bool
        Draw the lines on which ``y`` is ``x``, its half and its double.
    """
    known = table[[x, y]].dropna()
    figure = go.Figure()
    figure.add_scatter(
        x=known[x].to_numpy(),
        y=known[y].to_numpy(),
        mode="markers",
        marker={"color": PALETTE[0], "size": 8, "opacity": 0.8},
        customdata=[[str(track)] for track in known.index],
        text=[
            f"{escape(labels.get(str(track), str(track)))}<br>{first:.4g}, {second:.4g}"
            for track, first, second in zip(known.index, known[x], known[y], strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    if octaves and len(known):
        ends = np.array([known[x].min(), known[x].max()])
        for factor, name, dash in _OCTAVES:
            figure.add_scatter(
                x=ends,
                y=factor * ends,
                mode="lines",
                name=name,
                line={"color": "#888", "dash": dash, "width": 1},
                hoverinfo="skip",
            )
    figure.update_xaxes(title=title_with_unit(x))
    figure.update_yaxes(title=title_with_unit(y))
    return _clickable(figure, height=380)


def overview(table: "pd.DataFrame", reliability: ReliabilityRecord | None) -> "pd.DataFrame":
    """Return a row for each target: its unit, its spread, and whether it can be trusted.

    Parameters
    ----------
    table : DataFrame
        A row for each track, a column for each target.
    reliability : ReliabilityRecord, optional
    """
    import pandas as pd

    tested = reliability.targets if reliability else {}
    rows = []
    for name in table.columns:
        known = table[name].dropna()
        low, middle, high = known.quantile([0.25, 0.5, 0.75]) if len(known) else [np.nan] * 3
        target = ALL_TARGETS.get(name)
        test = tested.get(name)
        agreements = (
            [value for value in test.numbers().values() if value is not None] if test else []
        )
        rows.append(
            {
                "target": title_of(name),
                "family": family_of(name),
                "unit": target.unit if target else "",
                "shape": np.histogram(known, bins=_SMALL)[0].tolist() if len(known) else [],
                "n": len(known),
                "lower quarter": low,
                "median": middle,
                "upper quarter": high,
                "stand out": int(
                    (np.abs(robust_z(known.to_numpy(dtype=np.float64))) > OUTLYING).sum()
                ),
                "agreement": two_decimals(min(agreements, default=None))
                + (" !" if test is not None and not test.trusted else ""),
            }
        )
    return pd.DataFrame(rows)


def _clickable(figure: go.Figure, *, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        clickmode="event+select",
        hovermode="closest",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return figure
