"""Everything from recordings to recommendations: extract, targets, probe, index, evaluate.

Of the demo library the recordings are made first. What is up to date is left as it is.

python pipelines/run_all.py --dataset smd --encoder mert-v1-95m
"""

from typing import Annotated

import typer

from mess.status import survey
from mess.store import Store
from pipelines.build_demo import build_demo_shown
from pipelines.build_indices import build_index, describe_index
from pipelines.compute_targets import compute_dataset_targets
from pipelines.extract_features import extract_features
from pipelines.options import (
    WORKERS,
    DatasetOption,
    EncoderOption,
    ForceOption,
    WorkersOption,
    encoder_or_default,
    interrupted,
    run_script,
)
from pipelines.run_evaluation import evaluate, print_evaluation
from pipelines.run_probing import print_best, run_probing


def run_all(
    *,
    dataset: str,
    encoder: str,
    workers: int = WORKERS,
    force: bool = False,
    tracking: bool = True,
) -> bool:
    """Bring everything of one dataset and encoder up to date; return whether no track failed."""
    store = Store()
    if dataset == "demo":
        build_demo_shown(root=store.audio_dir("demo"), workers=workers)
    extracted = extract_features(dataset=dataset, encoder=encoder, workers=workers, force=force)
    typer.echo(f"extract: {extracted}")
    measured = compute_dataset_targets(dataset=dataset, workers=workers, force=force)
    typer.echo(f"targets: {measured}")
    _, _, probe, index, evaluation = survey(store, dataset, encoder)
    if force or probe.state != "ready":
        print_best(run_probing(dataset=dataset, encoder=encoder, tracking=tracking))
    if force or index.state != "ready":
        build_index(dataset=dataset, encoder=encoder)
        typer.echo(f"index: {describe_index(store.read_index_record(dataset, encoder))}")
    if force or {probe.state, index.state, evaluation.state} != {"ready"}:
        print_evaluation(evaluate(dataset=dataset, encoder=encoder, tracking=tracking))
    return not extracted.failed and not measured.failed


def command(
    dataset: DatasetOption,
    encoder: EncoderOption = None,
    workers: WorkersOption = WORKERS,
    force: ForceOption = False,
    mlflow: Annotated[bool, typer.Option(help="Record the probing in MLflow.")] = True,
) -> None:
    """Extract, measure, probe, index and evaluate; running again does what is missing."""
    try:
        whole = run_all(
            dataset=dataset,
            encoder=encoder_or_default(encoder, dataset),
            workers=workers,
            force=force,
            tracking=mlflow,
        )
    except KeyboardInterrupt:
        raise interrupted() from None
    if not whole:
        raise typer.Exit(1)


if __name__ == "__main__":
    run_script(command)
