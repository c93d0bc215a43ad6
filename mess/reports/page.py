"""The report page of a discovery: one HTML file without external resources, and a methods section.

The same record gives the same bytes: the page has no date, and follows the order of the record.
Names are escaped.
"""

from collections.abc import Mapping, Sequence
from html import escape

from mess.as_text import as_words, interval, two_decimals
from mess.doses.words import is_side_effect, lesson, meant, slope_text, verdict
from mess.probing.remarks import HOLDS_ZERO, NOTHING, holds_zero
from mess.probing.results import Cell, Combined
from mess.probing.statistics import SIGNIFICANT
from mess.records.cross import CrossRecord
from mess.records.discovery import DiscoveryRecord
from mess.records.dose import DoseCell, DoseRecord
from mess.records.evaluation import EvaluationRecord
from mess.records.factors import FactorsRecord
from mess.records.reliability import ReliabilityRecord
from mess.records.untangled import Untangled
from mess.reports import untangled as untangled_tables
from mess.reports.forest_plot import forest
from mess.targets import title_of
from mess.targets.reliability import CHANGES, TRUSTED

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0;font-size:13px}
th,td{padding:.2rem .5rem;text-align:right;border-bottom:1px solid #e4e4e2}
th:first-child,td:first-child{text-align:left}
.scroll{overflow-x:auto}.chance{color:#888;background:#f1f1ef!important}
caption{text-align:left;font-weight:600;padding:.3rem 0}
"""
_LIMITS = (
    "A probe shows what a linear map can read, not what the model uses.",
    "A proxy target is a formula, not a listener.",
    "R² is for works like these; on another repertoire it may differ (compare across datasets).",
    "Significance is of shuffled works within this dataset; it says nothing of other datasets.",
)


def methods(
    record: DiscoveryRecord,
    *,
    reliability: ReliabilityRecord | None,
    evaluation: EvaluationRecord | None,
) -> str:
    """Return the methods section as Markdown, with every setting of the run."""
    s = record.settings
    pooling = {
        "mean": "their mean over time",
        "mean_std": "their mean and standard deviation over time",
    }[s.pooling]
    penalty = (
        "chosen inside each training fold from 10⁻² to 10⁶, leaving one group out at a time"
        if s.alpha == "auto"
        else f"fixed at {s.alpha}"
    )
    samples = "all tracks" if s.samples is None else f"{s.samples} tracks drawn at random"
    parts = [
        f"# Methods: {record.dataset} by {record.encoder}",
        f"Hidden states of {len(record.layer_names)} layers of {record.encoder} were reduced "
        f"to {pooling} for each {s.level}. Ridge regressions from every layer to every one of "
        f"{len(record.target_names)} targets were cross-validated on {record.n} "
        f"{s.level}s ({samples}) of {record.works} works, in {s.folds} folds that never "
        f"split a {s.group_by[0]}{record.within} (seed {s.seed}). Features were standardised on "
        f"the training rows; the penalty was {penalty}.",
        "R² is pooled over all rows against the mean of the training rows. 95 % intervals come "
        f"from {s.bootstrap} draws of works, each moved by the jackknife of the whole "
        "experiment, fits included. The best layer is reported as the set within one standard "
        "error; nested R² chooses the layer inside each training fold, weighted R² a convex "
        "mixture of layers.",
    ]
    if s.permutations:
        parts.append(
            f"Significance: {s.permutations} shuffles of whole works, each with its own choice "
            "of penalties; family-wise by max-T (Westfall & Young 1993), false discovery rate by "
            f"Benjamini & Hochberg (1995), both at {SIGNIFICANT}."
        )
    seeds = sorted({split.seed for split in record.sensitivity})
    groupings = list(dict.fromkeys(split.group_by for split in record.sensitivity))
    if seeds:
        parts.append(
            f"Sensitivity: the nested experiment was repeated with folds by {', '.join(groupings)} "
            f"and with the seeds {', '.join(map(str, seeds))}."
        )
    controls = list(dict.fromkeys(row.name for row in record.controls or []))
    if controls:
        parts.append(f"Baselines on the same rows and folds: {', '.join(controls)}.")
    if reliability:
        parts.append(
            f"Targets were tested on {reliability.tracks} tracks: split-half reliability "
            f"(Spearman–Brown) and Lin's concordance after {', '.join(CHANGES)}."
        )
    if evaluation:
        parts.append(
            "Rankings were judged by the Spearman correlation of rank and true difference, over "
            f"{evaluation.settings.queries} queries against tracks of other works, with "
            "out-of-fold predictions only."
        )
    parts.append(
        f"Digests: features {record.features}, targets {record.targets}"
        + (f", index {evaluation.index}" if evaluation else "")
        + "."
    )
    parts.append("Limits. " + " ".join(_LIMITS))
    return "\n\n".join(parts) + "\n"


def html(
    record: DiscoveryRecord,
    *,
    reliability: ReliabilityRecord | None = None,
    evaluation: EvaluationRecord | None = None,
    factors: FactorsRecord | None = None,
    cross: CrossRecord | None = None,
    doses: DoseRecord | None = None,
    untangled: Sequence[Untangled] = (),
) -> str:
    """Return the whole report as one HTML page.

    Parameters
    ----------
    record : DiscoveryRecord
    reliability, evaluation, factors, cross, doses : record, optional
        What else was measured of the same dataset and encoder.
    untangled : sequence of records
        What the readings are made of.
    """
    text = methods(record, reliability=reliability, evaluation=evaluation)
    title = f"{record.dataset} by {record.encoder}"
    body = [f"<h1>{escape(title)}</h1>", _heatmap(record), forest(record), _best(record)]
    body += [_controls(record), _sensitivity(record), _curve(record)]
    if reliability:
        body.append(_reliability(reliability))
    if evaluation:
        body.append(_evaluation(evaluation))
    if factors:
        body.append(_factors(factors))
    if cross:
        body.append(_cross(cross))
    if doses:
        body.append(_doses(doses))
    for one in untangled:
        body += untangled_tables.sections(one, table=_table, matrix=_matrix)
    paragraphs = text.strip().split("\n\n")
    body.append("<h2>Methods</h2>")
    body += [f"<p>{escape(part)}</p>" for part in paragraphs[1:]]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        f"</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(filter(None, body))
        + "\n</body></html>\n"
    )


def _heatmap(record: DiscoveryRecord) -> str:
    by_place = {(cell.target, cell.layer): cell for cell in record.cells}
    names, layers = record.layer_names, range(len(record.layer_names))
    rows: list[list[str | tuple[str, str]]] = [
        [title_of(target), *(_r2_cell(by_place.get((target, layer))) for layer in layers)]
        for target in record.target_names
    ]
    heads = ["target", *(f"{n}" if n == str(i) else f"{i} {n}" for i, n in enumerate(names))]
    note = (
        f"R² of every layer and target; grey cells may be chance (family-wise p > {SIGNIFICANT})"
        if record.settings.permutations
        else "R² of every layer and target"
    )
    return _table(note, heads, rows)


def _r2_cell(cell: Cell | None) -> tuple[str, str]:
    if cell is None or cell.r2 is None:
        return "–", ""
    if (cell.p_family or 0.0) > SIGNIFICANT:
        return two_decimals(cell.r2), ' class="chance"'
    return two_decimals(cell.r2), _colour(cell.r2)


def _colour(value: float | None) -> str:
    """Return a style between red (−1), white and blue (1)."""
    if value is None:
        return ""
    strength = min(abs(value), 1.0)
    far = (33, 102, 172) if value > 0 else (178, 24, 43)
    red, green, blue = (round(255 + (channel - 255) * strength) for channel in far)
    ink = "#fff" if strength > 0.6 else "#222"
    return f' style="background:rgb({red},{green},{blue});color:{ink}"'


def _best(record: DiscoveryRecord) -> str:
    cell_of = {(cell.target, cell.layer): cell for cell in record.cells}
    rows = []
    for summary in record.summaries:
        cell = cell_of[summary.target, summary.best]
        rows.append(
            [
                title_of(summary.target),
                f"{summary.best} {record.layer_names[summary.best]}",
                _with_interval(cell),
                two_decimals(cell.spearman),
                _p(cell.p_family),
                _p(cell.q),
                ", ".join(map(str, summary.within)) if summary.beyond_mean else NOTHING,
                _with_interval(summary.nested),
                two_decimals(summary.weighted.r2),
                str(cell.n),
                str(cell.works),
            ]
        )
    heads = ["target", "best layer", "R² [95 %]", "Spearman", "p family", "q"]
    heads += ["within one SE", "nested R² [95 %]", "weighted R²", "n", "works"]
    zero = sum(holds_zero(cell) for cell in record.cells)
    note = f"<p>{zero} cells are {escape(HOLDS_ZERO)}.</p>" if zero else ""
    return _table("Best layers", heads, rows) + note


def _controls(record: DiscoveryRecord) -> str:
    if not record.controls:
        return ""
    columns = {record.encoder: {summary.target: summary.nested.r2 for summary in record.summaries}}
    for row in record.controls:
        columns.setdefault(row.name, {})[row.target] = row.r2
    return _matrix("Nested R² beside baselines", columns, record.target_names)


def _sensitivity(record: DiscoveryRecord) -> str:
    columns = {
        f"by {split.group_by}, seed {split.seed} ({split.groups} groups)": split.r2 or {}
        for split in record.sensitivity
    }
    return _matrix("Nested R² by grouping and seed", columns, record.target_names)


def _curve(record: DiscoveryRecord) -> str:
    columns = {f"{point.works} works": point.r2 for point in record.curve or []}
    return _matrix("Nested R² by number of works", columns, record.target_names)


def _matrix(
    caption: str, columns: Mapping[str, Mapping[str, float | None]], targets: Sequence[str]
) -> str:
    if not columns:
        return ""
    rows: list[list[str | tuple[str, str]]] = [
        [
            title_of(target),
            *(
                (two_decimals(column.get(target)), _colour(column.get(target)))
                for column in columns.values()
            ),
        ]
        for target in targets
    ]
    return _table(caption, ["target", *columns], rows)


def _reliability(reliability: ReliabilityRecord) -> str:
    rows: list[list[str | tuple[str, str]]] = [
        [
            title_of(name) + ("" if row.trusted else " !"),
            two_decimals(row.split_half),
            *(two_decimals(row.changes.get(change)) for change in CHANGES),
        ]
        for name, row in reliability.targets.items()
    ]
    return _table(
        f"The targets themselves ({reliability.tracks} tracks; ! falls under {TRUSTED})",
        ["target", "split-half", *CHANGES],
        rows,
    )


def _evaluation(evaluation: EvaluationRecord) -> str:
    scores = evaluation.faithfulness.by_method()
    columns = {as_words(name): score.per_target for name, score in scores.items()}
    targets = list(evaluation.faithfulness.random.per_target)
    parts = [_matrix("Faithfulness of rankings (Spearman)", columns, targets)]
    means = [[as_words(name), two_decimals(score.mean)] for name, score in scores.items()]
    means += [[f"{row.metric}, {row.over}", two_decimals(row.mean)] for row in evaluation.baselines]
    parts.append(_table("Mean over the aspects' validated targets", ["method", "mean"], means))
    leaks = [
        [as_words(name), two_decimals(leakage.diagonal), two_decimals(leakage.off_diagonal)]
        for name, leakage in evaluation.leakage.items()
    ]
    heads = ["method", "own targets", "all others"]
    parts.append(_table("Ten nearest, nearer than chance in", heads, leaks))
    seen = [
        [
            as_words(method),
            as_words(aspect),
            as_words(result.own),
            f"{result.told_apart:.0%}",
            f"{result.chance:.0%}",
            str(result.n),
        ]
        for method, by_aspect in (evaluation.controlled or {}).items()
        for aspect, result in by_aspect.items()
    ]
    if seen:
        heads = ["method", "slider", "change", "own variant farthest", "chance", "n"]
        parts.append(_table("Recordings that differ in one thing", heads, seen))
    return "\n".join(parts)


def _factors(table: FactorsRecord) -> str:
    rows = []
    for row in table.rows:
        scores = [row.scores[factor] for factor in table.factors]
        cells = [f"{one.accuracy:.2f} {interval(one.low, one.high)}" for one in scores]
        rows.append([row.kind, as_words(row.name), row.own or "–", *cells])
    return _table(
        "How often the one of two recordings is nearer that shares a factor with a third, and "
        f"nothing else ({table.triplets} triplets of {len(table.pairs)} pairs of works in each "
        "column; chance 0.50)",
        ["similarity", "name", "should follow", *table.factors],
        rows,
    )


def _cross(cross: CrossRecord) -> str:
    columns: dict[str, dict[str, float | None]] = {}
    for row in cross.rows:
        columns.setdefault(f"{row.train} → {row.test}", {})[row.target] = row.r2
    targets = list(dict.fromkeys(row.target for row in cross.rows))
    return _matrix("Probes of one dataset on another (R²)", columns, targets)


def _doses(doses: DoseRecord) -> str:
    names = [edit.name for edit in doses.edits]
    followed: list[list[str | tuple[str, str]]] = [
        [
            f"{cell.edit}: {title_of(cell.target)}",
            f"{cell.reading}, layer {doses.layer_names[cell.layer]}",
            slope_text(cell),
            verdict(cell) or "–",
            two_decimals(cell.across),
            two_decimals(cell.response.linearity),
            two_decimals(cell.response.measured),
            two_decimals(cell.response.predicted),
        ]
        for cell in meant(doses)
    ]
    heads = ["edit: target", "read by", "slope [95 %]", "verdict", "across recordings", "linearity"]
    heads += ["measured change", "predicted change"]
    rows: list[list[str | tuple[str, str]]] = []
    for target in doses.targets_read:
        cells = [doses.cell(name, target.target) for name in names]
        rows.append([title_of(target.target), *(_moved(cell) for cell in cells)])
    about = (
        f"{len(doses.tracks)} recordings of {doses.works} works were changed by known steps; "
        "changes are in deviations of the target, and the slope is that of the predicted on the "
        "measured change (1 follows, 0 is blind)."
    )
    return "\n".join(
        [
            f"<h2>When the music is changed</h2><p>{escape(about)}</p>",
            _table("Does the prediction follow?", heads, followed),
            _table(
                "How far each edit moves the prediction / the target itself (red: side effects)",
                ["target", *names],
                rows,
            ),
            *(f"<p>{escape(line)}</p>" for line in lesson(doses)),
        ]
    )


def _moved(cell: DoseCell | None) -> tuple[str, str]:
    if cell is None:
        return "–", ""
    moved, truth = cell.response.predicted, cell.response.measured
    style = _colour(-min(moved, 1.0)) if is_side_effect(cell) else ""
    return f"{two_decimals(moved)} / {two_decimals(truth)}", style


def _table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str | tuple[str, str]]]
) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    lines = []
    for row in rows:
        cells = [cell if isinstance(cell, tuple) else (cell, "") for cell in row]
        lines.append(
            "<tr>" + "".join(f"<td{style}>{escape(t)}</td>" for t, style in cells) + "</tr>"
        )
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr>'
        f"</thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _with_interval(score: Cell | Combined) -> str:
    return f"{two_decimals(score.r2)} {interval(score.low, score.high)}"
