"""Tables and sentences of encoders beside each other: what the figures show, as text."""

from typing import TYPE_CHECKING

from mess.as_text import duration, interval, signed, size, two_decimals, with_interval
from mess.probing.differences import Verdict
from mess.probing.remarks import NOTHING
from mess.records.comparison import ComparisonRecord, EncoderPair, TargetScore
from mess.targets import title_of

if TYPE_CHECKING:
    import pandas as pd


def in_words(pair: EncoderPair) -> str:
    """Say in one line what holds of the first encoder against the second."""
    verdicts = [difference.verdict for difference in pair.targets.values()]
    beats, loses = verdicts.count("beats"), verdicts.count("loses")
    mean = pair.mean
    whole: dict[Verdict | None, str] = {"beats": "better", "loses": "worse", None: "not comparable"}
    said = whole.get(mean.verdict, "not told apart")
    return (
        f"better on {beats} of {len(verdicts)} targets, worse on {loses}, not told apart on "
        f"{len(verdicts) - beats - loses}; on the whole {said} (mean difference "
        f"{with_interval(mean.difference, mean.low, mean.high)})."
    )


def score_table(record: ComparisonRecord) -> "pd.DataFrame":
    """Return R², interval and best layers of every target, a column for each encoder."""
    import pandas as pd

    columns: dict[str, list[str]] = {"target": [title_of(target) for target in record.targets]}
    for row in record.encoders:
        columns[row.name] = [_score(row.r2.get(target)) for target in record.targets]
    return pd.DataFrame(columns)


def difference_table(pair: EncoderPair) -> "pd.DataFrame":
    """Return what `difference_plot` shows, the largest difference first."""
    import pandas as pd

    ordered = sorted(pair.targets.items(), key=lambda item: -abs(item[1].difference))
    return pd.DataFrame(
        {
            "target": title_of(target),
            "difference": signed(difference.difference),
            "95 %": interval(difference.low, difference.high),
            "p": _p(difference.p),
            "p, corrected": _p(difference.p_holm),
            "verdict": difference.verdict,
        }
        for target, difference in ordered
    )


def whole_table(record: ComparisonRecord) -> "pd.DataFrame":
    """Return how the compared encoders do on the whole: mean R², and what sliders gain by it."""
    import pandas as pd

    rows = []
    for row in record.encoders:
        known = row.faithfulness
        rows.append(
            {
                "encoder": row.name,
                "mean R²": two_decimals(row.mean_r2),
                "faithful sliders": two_decimals(known.probe if known else None),
                "best without probes": two_decimals(known.plain if known else None),
            }
        )
    return pd.DataFrame(rows)


def cost_table(record: ComparisonRecord) -> "pd.DataFrame":
    """Return size, cost and licence of the compared encoders and of all others."""
    import pandas as pd

    compared = [
        {
            "encoder": row.name,
            "state": "compared",
            **_times(row.seconds_per_minute, row.cost, minutes=record.minutes),
            "on disk": size(row.bytes),
            "layers × dim": f"{row.layers} × {row.dim}",
            "trained on": row.trained_on or "–",
            "licence": row.licence or "–",
        }
        for row in record.encoders
    ]
    missing = [
        {
            "encoder": one.name,
            "state": one.state,
            **_times(None, one.cost, minutes=record.minutes),
            "on disk": "–",
            "layers × dim": f"{one.layers} × {one.dim}",
            "trained on": one.trained_on or "–",
            "licence": one.licence or "–",
        }
        for one in record.missing
    ]
    return pd.DataFrame(compared + missing)


def _times(measured: float | None, cost: float | None, *, minutes: float) -> dict[str, str]:
    """Return what encoding costs: as measured here, else as it usually does (~)."""
    rate, about = (cost, "~") if measured is None else (measured, "")
    return {
        "s per minute": "–" if rate is None else f"{about}{rate:.2g}",
        "this dataset": _cost(rate, minutes, about=about),
    }


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _score(score: TargetScore | None) -> str:
    if score is None:
        return "–"
    layers = ", ".join(map(str, score.layers)) if score.beyond_mean else NOTHING
    return f"{with_interval(score.r2, score.low, score.high)} · {layers}"


def _cost(rate: float | None, minutes: float, *, about: str) -> str:
    """Return the time that all recordings of a dataset take."""
    if rate is None:
        return "–"
    return about + duration(rate * minutes)
