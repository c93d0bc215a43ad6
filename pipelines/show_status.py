"""Print what exists of each dataset and what to run next.

python pipelines/show_status.py
"""

import typer

from mess.datasets import KNOWN, available_datasets
from mess.places import command_for
from mess.status import next_step, survey
from mess.store import Store
from pipelines.options import encoder_or_default, run_script


def command() -> None:
    """Show what is extracted, measured, probed and indexed, and what to run next."""
    store = Store()
    typer.echo(f"data: {store.root.absolute()}")
    for dataset in available_datasets(store.audio_dir("")):
        if not store.audio_dir(dataset).exists() and not store.encoders_of(dataset):
            if dataset in KNOWN:
                way = "mess demo" if dataset == "demo" else f"put it in {store.audio_dir(dataset)}"
                typer.echo(f"{dataset}: no recordings ({way})")
            continue
        encoders = store.encoders_of(dataset)
        if not encoders:
            # What the demo is run with depends on the machine: the command decides.
            encoder = None if dataset == "demo" else encoder_or_default(None, dataset)
            command = command_for("run-all", dataset, encoder)
            typer.echo(f"{dataset}: recordings, nothing extracted; next: {command}")
        for encoder in encoders:
            typer.echo(f"{dataset} by {encoder}:")
            statuses = survey(store, dataset, encoder)
            for status in statuses:
                typer.echo(f"  {status.step:<8} {status.state:<8} {status.detail}")
            waiting = next_step(statuses)
            if waiting:
                typer.echo(f"  next: {waiting.command}")


if __name__ == "__main__":
    run_script(command)
