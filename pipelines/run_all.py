"""Run every step from recordings to recommendations: extract, targets, probe, index, evaluate.

The recordings of the demo library are made first. Steps that are up to date are left as they are.

python pipelines/run_all.py --dataset smd --encoder spectral,mert-v1-95m
"""

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from mess.status.steps import survey
from mess.storage.store import Store
from pipelines.build_demo import build_demo_shown
from pipelines.build_indices import build_index, describe_index
from pipelines.compute_targets import compute_dataset_targets
from pipelines.evaluation_text import print_evaluation
from pipelines.extract_features import extract_all, print_extracted
from pipelines.kept_states import KeptStates
from pipelines.mending import mend_damaged
from pipelines.options import (
    WORKERS,
    DatasetOption,
    EncodersOption,
    ForceOption,
    WorkersOption,
    encoders_or_default,
    incomplete,
    run_script,
)
from pipelines.run_evaluation import evaluate
from pipelines.run_probing import print_best, run_probing
from pipelines.summary_lines import closing_lines, evaluation_lines, probe_lines


def run_all(
    *,
    dataset: str,
    encoder: str | Sequence[str],
    workers: int = WORKERS,
    force: bool = False,
    tracking: bool = True,
) -> bool:
    """Bring a dataset and its encoders up to date; return whether no track failed."""
    encoders = [encoder] if isinstance(encoder, str) else list(encoder)
    failed, _ = bring_up_to_date(
        dataset=dataset, encoders=encoders, workers=workers, force=force, tracking=tracking
    )
    return not failed


def bring_up_to_date(
    *,
    dataset: str,
    encoders: Sequence[str],
    workers: int = WORKERS,
    force: bool = False,
    tracking: bool = True,
    verbose: bool = False,
) -> tuple[dict[str, str], int]:
    """Run every missing step, and print its result.

    Files are decoded once for all encoders, targets are measured once.

    Parameters
    ----------
    dataset : str
    encoders : sequence of str
    workers : int
    force : bool
        Redo what is up to date.
    tracking : bool
        Whether to record in MLflow.
    verbose : bool
        Whether to print every table, not two lines a step.

    Returns
    -------
    failed : dict of str to str
        The reason, by track.
    done : int
        The number of tracks that did not fail.
    """
    store = Store()
    if dataset == "demo":
        build_demo_shown(root=store.audio_dir("demo"), workers=workers)
    kept = {one: KeptStates() for one in encoders}
    extracted = extract_all(
        dataset=dataset, encoders=encoders, workers=workers, force=force, kept=kept
    )
    print_extracted(extracted)
    measured = compute_dataset_targets(dataset=dataset, workers=workers, force=force)
    typer.echo(f"targets: {measured}")
    for one in encoders:
        _analyse(
            store,
            dataset,
            one,
            force=force,
            tracking=tracking,
            verbose=verbose,
            kept=kept[one],
        )
    steps = [measured, *extracted.values()]
    failed = {track: why for step in steps for track, why in step.failed.items()}
    return failed, min(step.made + step.skipped for step in steps)


def _analyse(
    store: Store,
    dataset: str,
    encoder: str,
    *,
    force: bool,
    tracking: bool,
    verbose: bool,
    kept: KeptStates,
) -> None:
    """Probe, index and evaluate what is not up to date, and mend what else is damaged."""
    _, _, probe, index, evaluation = survey(store, dataset, encoder, whole=("probe", "index"))
    paths = store.artifact_paths(dataset, encoder)
    if force or probe.state != "ready":
        found = run_probing(dataset=dataset, encoder=encoder, tracking=tracking, kept=kept)
        kept.by_track.clear()
        if not verbose:
            _say(probe_lines(found, paths["probe"][0]))
    if verbose:
        print_best(store.discoveries.read(dataset, encoder))
    if force or index.state != "ready":
        build_index(dataset=dataset, encoder=encoder)
        typer.echo(f"index: {describe_index(store.indices.read_record(dataset, encoder))}")
    if force or {probe.state, index.state, evaluation.state} != {"ready"}:
        judged = evaluate(dataset=dataset, encoder=encoder, tracking=tracking)
        if not verbose:
            _say(evaluation_lines(judged, paths["evaluate"][0]))
    if verbose:
        print_evaluation(store.evaluations.read(dataset, encoder))
    _say(mend_damaged(store, dataset, encoder, tracking=tracking))


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def command(
    dataset: DatasetOption,
    encoder: EncodersOption = None,
    workers: WorkersOption = WORKERS,
    force: ForceOption = False,
    mlflow: Annotated[bool, typer.Option(help="Record the probing in MLflow.")] = True,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print every table.")] = False,
) -> None:
    """Extract, measure, probe, index and evaluate; running again does what is missing."""
    encoders = encoders_or_default(encoder, dataset)
    failed, done = bring_up_to_date(
        dataset=dataset,
        encoders=encoders,
        workers=workers,
        force=force,
        tracking=mlflow,
        verbose=verbose,
    )
    _say(closing_lines(Store(), dataset=dataset, encoders=encoders))
    if failed:
        raise incomplete(failed, done=done)


if __name__ == "__main__":
    run_script(command)
