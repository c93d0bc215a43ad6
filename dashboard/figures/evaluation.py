"""Figures and tables of an evaluation: faithfulness, leakage, the controlled experiment."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from dashboard.figures.heat import (
    ColourScale,
    HeatCell,
    HeatTable,
    number_heat,
    number_row,
)
from dashboard.figures.style import PALETTE
from mess.as_text import as_words, interval, two_decimals
from mess.evaluation.composition import LIKED
from mess.records.evaluation import (
    BaselineFaithfulness,
    Composition,
    ControlledResult,
    EvaluationRecord,
    Method,
    Ranker,
)
from mess.records.factors import FactorsRecord, RowKind
from mess.targets import title_of

if TYPE_CHECKING:
    import pandas as pd

UNSURE = "·"
# The names of the methods on the page.
METHOD_NAMES: dict[Ranker, str] = {
    "probe": "probe (out of fold)",
    "subspace": "subspace",
    "direct": "measured value",
    "layer": "whole best layer",
    "mean_layers": "mean of layers",
    "random": "random",
}
KIND_NAMES: dict[RowKind, str] = {
    "head": "learned head",
    "probe": "slider",
    "in time": "slider, through time",
    "layer": "whole",
}


def faithfulness(record: EvaluationRecord) -> go.Figure:
    """Draw, for every target, how faithfully each method ranks by it."""
    scores = record.faithfulness.by_method()
    defined = record.faithfulness.random.per_target
    targets = [target for target, value in defined.items() if value is not None]
    figure = go.Figure()
    for number, (method, name) in enumerate(METHOD_NAMES.items()):
        values = [scores[method].per_target.get(target) for target in targets]
        figure.add_scatter(
            x=values,
            y=[title_of(target) for target in targets],
            mode="markers",
            name=name,
            marker={"color": PALETTE[number], "size": 10, "symbol": number},
            hovertemplate=f"%{{y}}<br>{name}: %{{x:.2f}}<extra></extra>",
        )
    figure.update_xaxes(title="Spearman of rank and true |Δ|", range=[-0.1, 1.05], zeroline=True)
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(
        height=110 + 24 * len(targets),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return figure


def faithfulness_table(record: EvaluationRecord) -> "pd.DataFrame":
    """Return what `faithfulness` draws: a row for each target, a column for each method."""
    import pandas as pd

    scores = record.faithfulness.by_method()
    defined = record.faithfulness.random.per_target
    return pd.DataFrame(
        {
            "target": title_of(target),
            **{
                name: two_decimals(scores[method].per_target.get(target))
                for method, name in METHOD_NAMES.items()
            },
        }
        for target, value in defined.items()
        if value is not None
    )


def matrix_heat(
    matrix: Mapping[str, Mapping[str, float | None]], *, title: str = "R²", corner: str = ""
) -> HeatTable:
    """Return rows of numbers from −1 to 1, a column for each target that the first row knows.

    Parameters
    ----------
    matrix : mapping
        Name of a row → target → number.
    title : str
        What the numbers are.
    corner : str
        The heading of the names of the rows.
    """
    first = next(iter(matrix.values()), {})
    targets = [target for target, value in first.items() if value is not None]
    scale = ColourScale(title=title)
    return number_heat(matrix, columns=targets, name=title_of, scale=scale, corner=corner)


def factor_heat(record: FactorsRecord) -> HeatTable:
    """Return how often each similarity finds what shares a factor; white is chance."""
    scale = ColourScale(title="accuracy", low=0.0, high=1.0, middle=0.5, reach=0.5)
    rows = []
    for row in record.rows:
        label = f"{as_words(row.name)} ({KIND_NAMES[row.kind]})"
        cells = []
        for factor in record.factors:
            one = row.scores[factor]
            colour, ink = scale.colours(one.accuracy)
            said = f"{label}, {factor}: {one.accuracy:.2f} {interval(one.low, one.high)}"
            cells.append(
                HeatCell(
                    colour=colour,
                    ink=ink,
                    text=f"{one.accuracy:.2f}",
                    mark="" if one.seen else UNSURE,
                    said=said + ("" if one.seen else ", may be chance"),
                )
            )
        scores = [row.scores[factor].accuracy for factor in record.factors]
        rows.append(
            number_row(label, cells, numbers=scores, columns=record.factors, middle=scale.middle)
        )
    return HeatTable(rows=rows, columns=record.factors, corner="factor", scale=scale)


def controlled_table(controlled: Mapping[Method, Mapping[str, ControlledResult]]) -> "pd.DataFrame":
    """Return a row for each method and slider: the distance it sees for each known change."""
    import pandas as pd

    rows = []
    for method, by_aspect in controlled.items():
        for aspect, result in by_aspect.items():
            rows.append(
                {
                    "slider": as_words(aspect),
                    "method": METHOD_NAMES[method],
                    "should see": as_words(result.own),
                    "own farthest": f"{result.told_apart:.0%}",
                    "its place": f"{result.place[result.own]:.0%}",
                    "chance": f"{result.chance:.0%}",
                    "n": result.n,
                    **{as_words(one): two_decimals(value) for one, value in result.moved.items()},
                }
            )
    return pd.DataFrame(rows).sort_values(["slider", "method"], ignore_index=True)


def baselines_table(baselines: Sequence[BaselineFaithfulness]) -> "pd.DataFrame":
    """Return a row for each plain metric: its mean faithfulness over which layers."""
    import pandas as pd

    by_metric: dict[str, dict[str, str]] = {}
    for row in baselines:
        by_metric.setdefault(row.metric, {"without probes": row.metric})[row.over] = two_decimals(
            row.mean
        )
    return pd.DataFrame(list(by_metric.values()))


def composition_table(composition: Mapping[str, Composition]) -> "pd.DataFrame":
    """Return what becomes of a liked aspect beside a disliked one, for each kind of similarity."""
    import pandas as pd

    words = {"bounded": "as the sliders rank", "parabola": "without a bound, 1 − d²/2"}
    return pd.DataFrame(
        [
            {
                "similarity": words.get(kind, kind),
                "weights": f"+{LIKED:g} and {one.weight:g}".replace("-", "−"),
                "distance in the liked": two_decimals(one.liked),
                "in the disliked": two_decimals(one.disliked),
                "different best tracks": f"{one.top_hits:.0%}",
            }
            for kind, found in composition.items()
            for one in found.composed
        ]
    )
