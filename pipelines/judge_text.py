"""What `mess judge` prints."""

from collections.abc import Sequence
from pathlib import Path

import typer

from mess.as_text import duration, interval, signed, two_decimals
from mess.listening.agreement import Agreement, ListeningResult
from mess.listening.planning import NotAsked, balance_of
from mess.listening.power import least_agreement, power
from mess.listening.sessions import SIZE
from mess.records.listening import ListeningPlan
from mess.storage.listening import Merged

NAMES = {
    "through_time": "probe, through time",
    "mean": "probe, from means",
    "measured": "measurement",
    "layer": "whole-layer cosine",
}
_LISTENERS = (3, 5, 10)


def print_plan(plan: ListeningPlan, left_out: Sequence[NotAsked]) -> None:
    """Print what is asked, how evenly, and what it can tell."""
    typer.echo(f"{plan.dataset} by {plan.encoder}: plan {plan.id}")
    for aspect, methods in plan.methods.items():
        balance = balance_of([one for one in plan.items if one.aspect == aspect])
        margins = ", ".join(f"{NAMES[one]} {value:.2f}" for one, value in balance.margin.items())
        apart = " or ".join(map(str, balance.disagreements))
        typer.echo(
            f"\n{aspect}: {balance.items} triplets; each two of {len(methods)} methods disagree "
            f"about {apart} of them; certainty: {margins}"
        )
        for judge, words in methods.items():
            typer.echo(f"  {NAMES[judge]}: {words}")
    if left_out:
        reasons = "; ".join(f"{one.aspect} ({one.reason})" for one in left_out)
        typer.echo(f"\nNot asked: {reasons}.")
    per_session = SIZE * 3 // 4
    typer.echo(
        f"\nA session has {SIZE} trials, {per_session} of them new. What it can tell from 0.5 "
        "(two-sided 5 %):"
    )
    for listeners in _LISTENERS:
        told = power(listeners, per_session, agreement=0.75)
        least = least_agreement(listeners, per_session)
        typer.echo(
            f"  {listeners:>2} listeners and {per_session} triplets: "
            f"an agreement of 0.75 with probability {two_decimals(told)}"
            + ("" if least is None else f"; from {two_decimals(least)} on with 0.80")
        )
    typer.echo("\nThe page Listen and judge asks these questions.")


def print_merged(path: Path, merged: Merged) -> None:
    """Print what became of a file that was imported."""
    new = ", ".join(f"{count} new {table}" for table, count in merged.new.items())
    typer.echo(f"{path}: {new}; {merged.known} were here already")
    if merged.different:
        shown = ", ".join(merged.different[:3]) + (" …" if len(merged.different) > 3 else "")
        typer.echo(
            f"{path}: {len(merged.different)} differ from what is here, which stays: {shown}",
            err=True,
        )


def print_result(result: ListeningResult) -> None:
    """Print the agreement of methods and listeners."""
    typer.echo(
        f"{result.dataset} by {result.encoder}: {result.answers} answers by {result.listeners} "
        f"listeners in {result.sessions} sessions"
    )
    typer.echo(f"Left out: {len(result.left_out)} sessions ({result.rule}).")
    if not result.answers:
        return
    about = {"": "all aspects"} | {
        one.aspect: one.aspect for one in result.agreements if one.aspect
    }
    for aspect, title in about.items():
        typer.echo(f"\n{title}:")
        for one in result.agreements:
            if one.aspect == aspect:
                typer.echo(f"  {NAMES[one.method]:<20} {_share(one)}")
        between = result.between_about(aspect)
        if between is not None and between.share is not None:
            typer.echo(
                f"  {'between listeners':<20} {two_decimals(between.share)} of {between.pairs} "
                f"pairs; no method can exceed {two_decimals(between.ceiling)}"
            )
    if result.differences:
        typer.echo("\ndifferences, over the same answers:")
    for apart in result.differences:
        told = "" if apart.low is None else f" {interval(apart.low, apart.high)}"
        typer.echo(
            f"  {NAMES[apart.method]} less {NAMES[apart.other]}: {signed(apart.share)}{told}"
        )
    typer.echo(
        f"\nConsistency: {two_decimals(result.consistency)} of {result.repeats} repeated triplets "
        f"got the same answer. Cannot tell: {two_decimals(result.cannot_tell)} of the answers."
    )
    if result.seconds is not None:
        typer.echo(
            f"An answer took {result.seconds:.0f} s (median), a session of {SIZE} about "
            f"{duration(SIZE * result.seconds)}."
        )


def _share(one: Agreement) -> str:
    if one.low is None:
        return (
            f"{two_decimals(one.share)} of {one.answers} answers (no interval: {one.listeners} "
            f"listeners, {one.works} works)"
        )
    return (
        f"{two_decimals(one.share)} {interval(one.low, one.high)} of {one.answers} answers by "
        f"{one.listeners} listeners on {one.works} works"
    )
