"""A factor table as `mess factors` prints it."""

import typer

from mess.records.factors import FactorScore, FactorsRecord, RowKind

KINDS: dict[RowKind, str] = {
    "head": "learned heads",
    "probe": "sliders, along the probes",
    "in time": "sliders, read through time",
    "layer": "whole layers",
}


def print_factors(record: FactorsRecord) -> None:
    """Print how often each similarity finds what shares a factor."""
    typer.echo(
        f"{record.dataset} by {record.encoder}: of two recordings, one shares a factor with a "
        f"third and nothing else; how often is it the nearer one? {record.triplets} triplets of "
        f"{len(record.pairs)} pairs of works in each column; chance 0.50"
    )
    typer.echo(f"{'':<20}" + "".join(f"{factor:>19}" for factor in record.factors))
    for kind, words in KINDS.items():
        rows = [row for row in record.rows if row.kind == kind]
        if rows:
            typer.echo(words)
        for row in rows:
            cells = [_cell(row.scores[factor], own=factor == row.own) for factor in record.factors]
            typer.echo(f"  {row.name:<18}" + "".join(f"{cell:>19}" for cell in cells))
    typer.echo("[ , ]: 95 % interval over pairs of works; *: the factor that the name promises")


def _cell(score: FactorScore, *, own: bool) -> str:
    bounds = "" if score.low is None else f" [{score.low:.2f}, {score.high:.2f}]"
    return f"{'*' if own else ''}{score.accuracy:.2f}{bounds}"
