"""Two discoveries compared: where one predicts a target better than the other."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard.components.figures import SCALE, escape, interval, two_decimals

Record = Mapping[str, Any]
_COMBINED = {"nested": "best, nested", "weighted": "all, weighted"}


def difference_heatmap(record_a: Record, record_b: Record) -> go.Figure:
    """Draw R² of the first discovery minus R² of the second, for the targets of both.

    Layers are compared one by one where both discoveries have the same. Beside them stand the
    layer chosen inside the folds and the mixture of all layers, which any two encoders have.

    Parameters
    ----------
    record_a, record_b : mapping
        Discoveries as `Store.read_discovery` returns them.
    """
    targets = [name for name in record_a["target_names"] if name in record_b["target_names"]]
    same = list(record_a["layer_names"]) == list(record_b["layer_names"])
    sides = [_columns(record, layers=same) for record in (record_a, record_b)]
    names = list(sides[0])
    change = np.full((len(targets), len(names)), np.nan)
    hover = np.full(change.shape, "", dtype=object)
    for row, column in np.ndindex(change.shape):
        a, b = (side[names[column]].get(targets[row], {}) for side in sides)
        change[row, column] = _r2(a) - _r2(b)
        hover[row, column] = _text(targets[row], names[column], a, b)
    reach = float(np.nanmax(np.abs(change))) if np.isfinite(change).any() else 1.0
    limit = min(max(reach, 0.1), 1.0)
    figure = go.Figure(
        go.Heatmap(
            z=change,
            x=names,
            y=targets,
            zmin=-limit,
            zmax=limit,
            colorscale=SCALE,
            text=np.vectorize(two_decimals, otypes=[object])(change),
            texttemplate="%{text}",
            xgap=1,
            ygap=1,
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
            colorbar={"title": "R² less R²", "thickness": 12},
        )
    )
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(type="category", title="layer")
    figure.update_layout(
        height=110 + 30 * len(targets), margin={"l": 10, "r": 10, "t": 10, "b": 10}, dragmode=False
    )
    return figure


def _columns(record: Record, *, layers: bool) -> dict[str, dict[str, Record]]:
    """Return column → target → what is known of it."""
    columns: dict[str, dict[str, Record]] = {}
    if layers:
        for number, name in enumerate(record["layer_names"]):
            columns[str(name)] = {
                cell["target"]: cell for cell in record["cells"] if cell["layer"] == number
            }
    for key, name in _COMBINED.items():
        columns[name] = {one["target"]: one[key] for one in record.get("summaries", [])}
    return columns


def _r2(one: Record) -> float:
    value = one.get("r2")
    return float("nan") if value is None else float(value)


def _text(target: str, column: str, a: Record, b: Record) -> str:
    lines = [f"<b>{escape(target)}</b>", escape(column)]
    for name, one in (("first", a), ("second", b)):
        lines.append(f"{name}: R² {two_decimals(one.get('r2'))}, 95 % {interval(one)}")
    return "<br>".join(lines)
