"""A discovery as the text that a command prints."""

import numpy as np
import typer

from mess.as_text import interval, two_decimals
from mess.probing.remarks import HOLDS_ZERO, NO_INTERVAL, NOTHING, holds_zero
from mess.probing.results import Cell
from mess.probing.statistics import FEWEST_WORKS, SIGNIFICANT
from mess.records.discovery import DiscoveryRecord

_NAMED = 5  # the number of copies that a message names


def print_best(record: DiscoveryRecord) -> None:
    """Print the best layer of every target, its interval, and the layers that may be as good."""
    settings = record.settings
    typer.echo(
        f"{record.dataset} by {record.encoder}: {record.n} {settings.level}s of "
        f"{record.works} works, alpha {settings.alpha}, {settings.folds} folds by "
        f"{settings.group_by[0]}{record.within}, "
        f"pooling {settings.pooling}"
    )
    typer.echo(
        f"{'target':<21}{'layer':>5}  {'name':<22}{'R²':>6} {'95 %':>14} {'nested':>7}"
        f"{'Spearman':>9}{'n':>6}  layers within one standard error"
    )
    if copies := record.copies:
        named = ", ".join(f"{track} = {first}" for track, first in list(copies.items())[:_NAMED])
        more = f" and {len(copies) - _NAMED} more" if len(copies) > _NAMED else ""
        typer.echo(
            f"copies: {len(copies)} recordings hold what another holds "
            f"and are of one work with it: {named}{more}"
        )
    if record.groups < FEWEST_WORKS:
        typer.echo(NO_INTERVAL)
    summaries = {summary.target: summary for summary in record.summaries}
    by_place = {(cell.target, cell.layer): cell for cell in record.cells}
    for target in record.target_names:
        summary = summaries.get(target)
        if summary is None:
            typer.echo(f"{target:<21}{'–':>5}  undefined on these tracks")
            continue
        best = by_place[target, summary.best]
        spread = interval(best.low, best.high)
        name = record.layer_names[best.layer]
        typer.echo(
            f"{target:<21}{best.layer:>5}  {name:<22}"
            f"{two_decimals(best.r2):>6}{_stars(best):<1}{spread:>14} "
            f"{two_decimals(summary.nested.r2):>7}{two_decimals(best.spearman):>9}"
            f"{best.n:>6}  "
            + (", ".join(map(str, summary.within)) if summary.beyond_mean else NOTHING)
        )
    if settings.permutations:
        sure = sum((cell.p_family or 1.0) <= SIGNIFICANT for cell in record.cells)
        false = sum((cell.q or 1.0) <= SIGNIFICANT for cell in record.cells)
        typer.echo(
            f"* family-wise p ≤ {SIGNIFICANT} over all cells, {settings.permutations} shuffles "
            f"of {settings.group_by[0]}s: {sure} of {len(record.cells)} cells; {false} at a "
            f"false discovery rate of {SIGNIFICANT}"
        )
        if zero := sum(holds_zero(cell) for cell in record.cells):
            typer.echo(f"{zero} of these are {HOLDS_ZERO}")


def print_beside(record: DiscoveryRecord) -> None:
    """Print nested R² by other groupings and seeds, and of the baselines."""
    columns: dict[str, dict[str, float | None]] = {}
    for split in record.sensitivity:
        columns[f"{split.group_by}/{split.seed}"] = split.r2 or {}
        if split.why is not None:
            typer.echo(f"no folds by {split.group_by}: {split.why}")
    for row in record.controls or []:
        columns.setdefault(row.name, {})[row.target] = row.r2
    if not columns:
        return
    typer.echo("\nnested R² by grouping/seed, and of the baselines")
    short = [name if len(name) < 12 else f"{name[:10]}…" for name in columns]
    typer.echo(f"{'target':<21}" + "".join(f"{name:>12}" for name in short))
    for target in record.target_names:
        cells = [two_decimals(column.get(target)) for column in columns.values()]
        typer.echo(f"{target:<21}" + "".join(f"{cell:>12}" for cell in cells))
    _print_beyond(record)
    for point in record.curve or []:
        known = [value for value in point.r2.values() if value is not None]
        mean = f"{np.mean(known):.2f}" if known else "–"
        typer.echo(f"with {point.works} works ({point.n} rows): mean nested R² {mean}")


def _print_beyond(record: DiscoveryRecord) -> None:
    """Print what layers and baseline tell together, minus what the baseline tells alone."""
    for name in dict.fromkeys(one.baseline for one in record.beyond or []):
        typer.echo(f"\nbeyond {name}: nested R² of both together minus that of {name} alone")
        typer.echo(f"{'target':<21}{'alone':>7}{'both':>7}{'beyond':>8} {'95 %':>14}  Holm's p")
        for one in record.beyond or []:
            if one.baseline == name:
                typer.echo(
                    f"{one.target:<21}{two_decimals(one.alone):>7}{two_decimals(one.together):>7}"
                    f"{two_decimals(one.difference):>8} {interval(one.low, one.high):>14}  "
                    f"{'–' if one.p is None else f'{one.p:.3f}'}"
                )


def _stars(cell: Cell) -> str:
    return "*" if cell.p_family is not None and cell.p_family <= SIGNIFICANT else " "
