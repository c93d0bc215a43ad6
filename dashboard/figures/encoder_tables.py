"""Tables and sentences of encoders beside each other: what the figures show, as text."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mess.as_text import duration, interval, signed, size, two_decimals
from mess.probing.remarks import NOTHING


def in_words(pair: Mapping[str, Any]) -> str:
    """Say in one line what holds of the first encoder against the second."""
    verdicts = [one["verdict"] for one in pair["targets"].values()]
    beats, loses = verdicts.count("beats"), verdicts.count("loses")
    mean = pair["mean"]
    whole = {"beats": "better", "loses": "worse", None: "not comparable"}
    said = whole.get(mean["verdict"], "not told apart")
    return (
        f"better on {beats} of {len(verdicts)} targets, worse on {loses}, not told apart on "
        f"{len(verdicts) - beats - loses}; on the whole {said} (mean difference "
        f"{two_decimals(mean['difference'])} "
        f"{interval(mean['low'], mean['high'])})."
    )


def score_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return R², interval and best layers of every target, a column for each encoder."""
    columns: dict[str, list[str]] = {"target": list(record["targets"])}
    for row in record["encoders"]:
        columns[row["name"]] = [_score(row["r2"].get(target)) for target in record["targets"]]
    return pd.DataFrame(columns)


def difference_table(pair: Mapping[str, Any]) -> pd.DataFrame:
    """Return what `difference_plot` shows, the largest difference first."""
    ordered = sorted(pair["targets"].items(), key=lambda item: -abs(item[1]["difference"]))
    return pd.DataFrame(
        {
            "target": target,
            "difference": signed(one["difference"]),
            "95 %": interval(one["low"], one["high"]),
            "p": f"{one['p']:.3g}",
            "p, corrected": f"{one['p_holm']:.3g}",
            "verdict": one["verdict"],
        }
        for target, one in ordered
    )


def cost_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return size, cost, licence and faithfulness of what is compared and of what could join."""
    rows = []
    for row in [*record["encoders"], *record["missing"]]:
        faith = row.get("faithfulness") or {}
        rate, about = row.get("seconds_per_minute"), ""
        if rate is None:  # not measured here
            rate, about = row["cost"], "~"
        occupied = row.get("bytes")
        rows.append(
            {
                "encoder": row["name"],
                "state": row.get("state", "compared"),
                "mean R²": two_decimals(row.get("mean_r2")),
                "faithful sliders": two_decimals(faith.get("probe")),
                "best without probes": two_decimals(faith.get("plain")),
                "s per minute": "–" if rate is None else f"{about}{rate:.2g}",
                "this dataset": _cost(rate, record["minutes"], about=about),
                "on disk": "–" if occupied is None else size(occupied),
                "layers × dim": f"{row['layers']} × {row['dim']}",
                "trained on": row["trained_on"] or "–",
                "licence": row["licence"] or "–",
            }
        )
    return pd.DataFrame(rows)


def _score(cell: Mapping[str, Any] | None) -> str:
    if cell is None:
        return "–"
    layers = ", ".join(map(str, cell["layers"])) if cell.get("beyond_mean", True) else NOTHING
    return f"{two_decimals(cell['r2'])} {interval(cell['low'], cell['high'])} · {layers}"


def _cost(rate: float | None, minutes: float, *, about: str) -> str:
    """Return how long all recordings of a dataset take."""
    if rate is None:
        return "–"
    return about + duration(rate * minutes)
