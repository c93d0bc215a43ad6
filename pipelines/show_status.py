"""Print what exists of each dataset and what to run next.

python pipelines/show_status.py
"""

from typing import Annotated

import typer

from mess.as_text import size
from mess.datasets import KNOWN, Dataset, available_datasets, stray_names
from mess.status.inventory import (
    describe_amount,
    describe_licences,
    find_recordings,
    readable,
    take_inventory,
    why_unread,
)
from mess.status.steps import STEPS, next_step, survey, survey_targets
from mess.storage.paths import command_for
from mess.storage.store import Store
from pipelines.options import encoder_or_default, run_script


def command(
    check: Annotated[
        bool, typer.Option("--check", help="Read every file to its end, so that damage is found.")
    ] = False,
) -> None:
    """Show what exists of each dataset, what is stale and why, and what to run next."""
    store = Store()
    typer.echo(f"data: {store.where()}")
    for dataset in available_datasets(store.audio_dir("")):
        if not store.audio_dir(dataset).exists() and not store.features.encoders(dataset):
            if dataset in KNOWN:
                way = "mess demo" if dataset == "demo" else f"put it in {store.audio_dir(dataset)}"
                typer.echo(f"{dataset}: no recordings ({way})")
            continue
        encoders = store.features.encoders(dataset)
        problem = "" if encoders else why_unread(store, dataset)
        if problem:
            typer.echo(readable(problem))
        elif not encoders:
            # Which encoders the demo uses depends on the machine: the command decides.
            encoder = None if dataset == "demo" else encoder_or_default(None, dataset)
            command = command_for("run-all", dataset, encoder)
            typer.echo(f"{readable(dataset)}: recordings, nothing extracted; next: {command}")
            _show_notes(find_recordings(store, dataset))
        for encoder in encoders:
            _show(store, dataset, encoder, check=check)
    for line in stray_names(store.audio_dir("")):
        typer.echo(readable(line))


def _show(store: Store, dataset: str, encoder: str, *, check: bool) -> None:
    recordings = find_recordings(store, dataset)
    found = take_inventory(store, dataset, encoder, recordings=recordings)
    typer.echo(f"{readable(dataset)} by {encoder}: {describe_amount(found)}")
    for line in describe_licences(found, encoder):
        typer.echo(f"  {line}")
    statuses = survey(store, dataset, encoder, recordings=recordings, whole=STEPS if check else ())
    for status in [*statuses, survey_targets(store, dataset)]:
        occupied = size(found.sizes[status.step]) if status.step in found.sizes else "–"
        typer.echo(f"  {status.step:<13} {status.state:<8} {occupied:>8}  {status.detail}")
    _show_notes(recordings)
    for reason in found.failed.values():
        typer.echo(f"  failed: {readable(reason)}")
    for track, note in found.doubtful.items():
        typer.echo(f"  note: {readable(track)}: {readable(note)}")
    waiting = next_step(statuses)
    if waiting:
        typer.echo(f"  next: {readable(waiting.command)}")


def _show_notes(recordings: Dataset | None) -> None:
    for note in recordings.notes if recordings else ():
        typer.echo(f"  {readable(note)}")


if __name__ == "__main__":
    run_script(command)
