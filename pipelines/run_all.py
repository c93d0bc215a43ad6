"""Everything from recordings to recommendations: extract, targets, probe, index, evaluate.

Of the demo library the recordings are made first. What is up to date is left as it is.

python pipelines/run_all.py --dataset smd --encoder spectral,mert-v1-95m
"""

from collections.abc import Sequence
from typing import Annotated

import typer

from mess.status import survey
from mess.store import Store
from pipelines.build_demo import build_demo_shown
from pipelines.build_indices import build_index, describe_index
from pipelines.compute_targets import compute_dataset_targets
from pipelines.extract_features import extract_all, print_extracted
from pipelines.mending import mend_damaged
from pipelines.options import (
    WORKERS,
    DatasetOption,
    EncodersOption,
    ForceOption,
    WorkersOption,
    encoders_or_default,
    run_script,
)
from pipelines.run_evaluation import evaluate, print_evaluation
from pipelines.run_probing import print_best, run_probing


def run_all(
    *,
    dataset: str,
    encoder: str | Sequence[str],
    workers: int = WORKERS,
    force: bool = False,
    tracking: bool = True,
) -> bool:
    """Bring everything of a dataset and its encoders up to date; return if no track failed.

    Files are decoded once for all encoders, targets are measured once.
    """
    store = Store()
    encoders = [encoder] if isinstance(encoder, str) else list(encoder)
    if dataset == "demo":
        build_demo_shown(root=store.audio_dir("demo"), workers=workers)
    extracted = extract_all(dataset=dataset, encoders=encoders, workers=workers, force=force)
    print_extracted(extracted)
    measured = compute_dataset_targets(dataset=dataset, workers=workers, force=force)
    typer.echo(f"targets: {measured}")
    for one in encoders:
        _analyse(store, dataset, one, force=force, tracking=tracking)
    return not measured.failed and not any(summary.failed for summary in extracted.values())


def _analyse(store: Store, dataset: str, encoder: str, *, force: bool, tracking: bool) -> None:
    """Probe, index and evaluate what is not up to date, and mend what else is damaged."""
    _, _, probe, index, evaluation = survey(store, dataset, encoder, whole=("probe", "index"))
    if force or probe.state != "ready":
        print_best(run_probing(dataset=dataset, encoder=encoder, tracking=tracking))
    if force or index.state != "ready":
        build_index(dataset=dataset, encoder=encoder)
        typer.echo(f"index: {describe_index(store.read_index_record(dataset, encoder))}")
    if force or {probe.state, index.state, evaluation.state} != {"ready"}:
        print_evaluation(evaluate(dataset=dataset, encoder=encoder, tracking=tracking))
    for line in mend_damaged(store, dataset, encoder, tracking=tracking):
        typer.echo(line)


def command(
    dataset: DatasetOption,
    encoder: EncodersOption = None,
    workers: WorkersOption = WORKERS,
    force: ForceOption = False,
    mlflow: Annotated[bool, typer.Option(help="Record the probing in MLflow.")] = True,
) -> None:
    """Extract, measure, probe, index and evaluate; running again does what is missing."""
    whole = run_all(
        dataset=dataset,
        encoder=encoders_or_default(encoder, dataset),
        workers=workers,
        force=force,
        tracking=mlflow,
    )
    if not whole:
        raise typer.Exit(1)


if __name__ == "__main__":
    run_script(command)
