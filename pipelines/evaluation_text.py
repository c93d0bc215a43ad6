"""An evaluation as `mess evaluate` prints it."""

import typer

from mess.as_text import two_decimals
from mess.evaluation.baselines import OVER, strongest
from mess.evaluation.composition import LIKED
from mess.evaluation.decisions import IN_BPM
from mess.records.evaluation import EvaluationRecord


def print_evaluation(record: EvaluationRecord) -> None:
    """Print whether the sliders are faithful, and whether they leak."""
    _print_faithfulness(record)
    _print_baselines(record)
    typer.echo("\nten nearest, nearer than chance in: the slider's targets / all others")
    for method, leak in record.leakage.items():
        own, others = two_decimals(leak.diagonal), two_decimals(leak.off_diagonal)
        typer.echo(f"{method:<10}{own:>6} /{others:>6}")
    _print_variants(record)
    _print_tempo(record)
    for ranking, found in (record.same_work or {}).items():
        recall = ", ".join(f"recall@{k} {v:.2f}" for k, v in found.recall.items())
        typer.echo(
            f"same work by {ranking}: MRR {found.mrr:.2f}, {recall} "
            f"({found.queries} queries of {found.works} works)"
        )
    _print_composition(record)
    chosen = ", ".join(f"{name} {one.method}" for name, one in record.defaults.items())
    typer.echo(f"method by which each slider ranks: {chosen or 'none is validated'}")


def _print_faithfulness(record: EvaluationRecord) -> None:
    faith, scores = record.faithfulness, record.faithfulness.by_method()
    typer.echo(
        f"{record.dataset} by {record.encoder}: Spearman of rank and true |Δ target|, "
        f"{record.settings.queries} queries, other works only"
    )
    typer.echo(f"{'target':<28}" + "".join(f"{method:>12}" for method in scores))
    for name in faith.random.per_target:
        row = "".join(f"{two_decimals(one.per_target.get(name)):>12}" for one in scores.values())
        weak = "" if name in faith.targets or name == IN_BPM else " (weak)"
        typer.echo(f"{name + weak:<28}{row}")
    means = {
        "mean, aspects": [one.mean for one in scores.values()],
        "mean, from MIDI": [one.mean_performance for one in scores.values()],
    }
    for label, values in means.items():
        typer.echo(f"{label:<28}" + "".join(f"{two_decimals(value):>12}" for value in values))
    if IN_BPM in faith.random.per_target:
        typer.echo(f"tempo: whole octaves count as equal; {IN_BPM}: they do not")


def _print_baselines(record: EvaluationRecord) -> None:
    """Print the plain baselines, and the strongest of each kind."""
    rows = record.baselines
    metrics = list(dict.fromkeys(row.metric for row in rows))
    typer.echo("\nwithout probes: the same mean over the aspects' validated targets")
    typer.echo(f"{'':<22}" + "".join(f"{over:>12}" for over in OVER))
    for metric in metrics:
        means = {row.over: row.mean for row in rows if row.metric == metric}
        typer.echo(
            f"{metric:<22}" + "".join(f"{two_decimals(means.get(over)):>12}" for over in OVER)
        )
    if best := strongest(rows):
        probed = two_decimals(record.faithfulness.probe.mean)
        typer.echo(
            f"strongest: {best.metric} over {_over(best.over)}, "
            f"{two_decimals(best.mean)}; along the probes {probed}"
        )


def _over(over: str) -> str:
    words = {"best layer": "each target's best layer", "last layer": "the last layer"}
    return words.get(over, over)


def _print_variants(record: EvaluationRecord) -> None:
    if not record.controlled:
        return
    typer.echo(
        "\nvariants with one change: own variant farthest; where each stands in its base's list "
        "(0 % top, 100 % end; median); *: so the slider ranks"
    )
    for method, by_aspect in record.controlled.items():
        for name, seen in by_aspect.items():
            used = name in record.defaults and record.defaults[name].method == method
            place = ", ".join(f"{change} {value:.0%}" for change, value in seen.place.items())
            typer.echo(
                f"{'*' if used else ' '} {method:<9}{name:<20}{seen.told_apart:>5.0%} "
                f"(chance {seen.chance:.0%}, n {seen.n}; own: {seen.own}): {place}"
            )


def _print_composition(record: EvaluationRecord) -> None:
    """Print what becomes of a liked aspect beside a disliked one, and what a mix follows."""
    kinds = record.composition
    if not any(one.composed for one in kinds.values()):
        return
    words = {"bounded": "as search ranks", "parabola": "without a bound, 1 − d²/2"}
    typer.echo(
        f"\none aspect liked ({LIKED:g}), another disliked: true distance of the ten best, as "
        "a share of chance; different best tracks, as a share of the queries"
    )
    typer.echo(f"{'disliked':<10}{'':<28}{'in the liked':>14}{'in the disliked':>17}{'best':>7}")
    for kind, found in kinds.items():
        for one in found.composed:
            typer.echo(
                f"{one.weight:<10g}{words.get(kind, kind):<28}{two_decimals(one.liked):>14}"
                f"{two_decimals(one.disliked):>17}{one.top_hits:>7.0%}"
            )
    typer.echo("\nall sliders with one weight: Spearman of the mix with each")
    for kind, found in kinds.items():
        parts = ", ".join(f"{name} {two_decimals(one)}" for name, one in found.mix.items())
        typer.echo(f"{words.get(kind, kind)}: {parts}")


def _print_tempo(record: EvaluationRecord) -> None:
    tempo = record.tempo
    if not tempo:
        return
    typer.echo(
        f"\nmeasured tempo: density of onsets counts {tempo.density_share:g}, chosen on half "
        "of the works; on the other half:"
    )
    for share, seen in tempo.reported_on.items():
        told = "–" if seen.told_apart is None else f"{seen.told_apart:.0%}"
        typer.echo(
            f"  density {share:<5} faithful up to octaves {two_decimals(seen.octaves)}, in bpm "
            f"{two_decimals(seen.in_bpm)}, own variant farthest {told}"
        )
