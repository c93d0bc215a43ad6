"""Run every step from recordings to recommendations: extract, targets, probe, index, evaluate.

The recordings of the demo library are made first. Steps that are up to date are left as they are.

python pipelines/run_all.py --dataset smd --encoder spectral,mert-v1-95m
"""

import io
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stdout
from dataclasses import KW_ONLY, dataclass
from typing import Annotated

import typer

from mess.encoders import require_weights
from mess.errors import MessError
from mess.status.steps import survey
from mess.storage.paths import command_for
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
from pipelines.probing_text import print_best
from pipelines.processes import follow_parent, side_by_side, stopped
from pipelines.progress import print_lines_only
from pipelines.run_evaluation import evaluate
from pipelines.run_probing import run_probing
from pipelines.steps import Outcome, count_by_encoder
from pipelines.summary_lines import closing_lines, evaluation_lines, probe_lines


def run_all(
    *,
    dataset: str,
    encoder: str | Sequence[str],
    workers: int = WORKERS,
    force: bool = False,
    tracking: bool = True,
) -> bool:
    """Bring a dataset and its encoders up to date; return whether nothing failed."""
    encoders = [encoder] if isinstance(encoder, str) else list(encoder)
    failed, _, useless = bring_up_to_date(
        dataset=dataset, encoders=encoders, workers=workers, force=force, tracking=tracking
    )
    return not failed and not useless


def bring_up_to_date(
    *,
    dataset: str,
    encoders: Sequence[str],
    workers: int = WORKERS,
    force: bool = False,
    tracking: bool = True,
    verbose: bool = False,
) -> Outcome:
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

    Raises
    ------
    MessError
        If nothing could be done for any encoder.
    """
    require_weights(encoders)  # before the demo is rendered: that takes minutes
    store = Store()
    failed: dict[str, str] = {}
    if dataset == "demo":
        build_demo_shown(root=store.audio_dir("demo"), failed=failed, workers=workers)
    kept = {one: KeptStates() for one in encoders}
    extracted = extract_all(
        dataset=dataset, encoders=encoders, workers=workers, force=force, kept=kept
    )
    print_extracted(extracted)
    measured = compute_dataset_targets(dataset=dataset, workers=workers, force=force)
    typer.echo(f"targets: {measured}")
    unused, done, useless = count_by_encoder(extracted, measured)
    for one in useless:
        del kept[one]
    how = How(dataset, force=force, tracking=tracking, verbose=verbose)
    errors = _analyse_each(store, kept, how)
    if len(errors) == len(kept):
        raise next(iter(errors.values()))
    useless |= {one: f"{one}: {error}" for one, error in errors.items()}
    return Outcome(failed | unused, done, useless)


@dataclass(frozen=True)
class How:
    """How a dataset is analysed; see `bring_up_to_date`."""

    dataset: str
    _: KW_ONLY
    force: bool
    tracking: bool
    verbose: bool


def _analyse_each(store: Store, kept: dict[str, KeptStates], how: How) -> dict[str, MessError]:
    """Analyse encoders, several side by side: probing keeps one core busy.

    One that fails does not stop the others; its error is returned. This process does the one whose
    states it holds. A job of the dashboard has one status, which one process writes: it does them
    one by one.
    """
    whole = ("probe", "index")
    to_do = [
        one
        for one in kept
        if how.force or survey(store, how.dataset, one, whole=whole)[2].state != "ready"
    ]
    cores = os.cpu_count() or 1
    if len(to_do) < 2 or cores < 2 or how.verbose or "MESS_JOB" in os.environ:
        return {
            one: error
            for one, states in kept.items()
            if (error := _analyse_here(store, one, how, kept=states))
        }
    here = max(to_do, key=lambda one: len(kept[one].by_track))
    beside = [one for one in to_do if one != here]
    from threadpoolctl import threadpool_limits

    processes = min(len(beside), cores - 1)
    threads = max(1, cores // (processes + 1))
    again = command_for("run-all", how.dataset, ",".join(kept))
    with (
        side_by_side(
            processes,
            again=again,
            begin=_begin_beside,
            settings=(threads,),
        ) as pool,
        threadpool_limits(threads),
    ):
        futures = {one: pool.submit(_analyse_beside, one, how) for one in beside}
        errors = {
            one: error
            for one in (here, *(one for one in kept if one not in to_do))
            if (error := _analyse_here(store, one, how, kept=kept[one]))
        }
        for one, future in futures.items():
            try:
                lines, reason = future.result()
            except BrokenProcessPool:  # for want of memory, say; what is done here stays done
                lines, reason = [], str(stopped(again))
            _say(lines)
            if reason:
                errors[one] = MessError(reason)
        return errors


def _analyse_here(store: Store, encoder: str, how: How, *, kept: KeptStates) -> MessError | None:
    """Return the error, if any, so that the other encoders are done, too."""
    try:
        analyse(store, encoder, how, kept=kept, say=typer.echo)
    except MessError as error:
        kept.by_track.clear()
        return error
    return None


def _begin_beside(threads: int) -> None:
    """Share the cores, leave the terminal to the parent, and end when it is gone."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
    print_lines_only()
    follow_parent()


def _analyse_beside(encoder: str, how: How) -> tuple[list[str], str]:
    """Return what is to be said, and the error, if any: not every error can be sent."""
    lines: list[str] = []
    try:
        with redirect_stdout(io.StringIO()):  # the progress
            analyse(Store(), encoder, how, kept=KeptStates(), say=lines.append)
    except MessError as error:
        return lines, str(error)
    return lines, ""


def analyse(
    store: Store, encoder: str, how: How, *, kept: KeptStates, say: Callable[[str], object]
) -> None:
    """Probe, index and evaluate what is not up to date, and mend what else is damaged."""
    dataset, force, tracking, verbose = how.dataset, how.force, how.tracking, how.verbose
    _, _, probe, index, evaluation = survey(store, dataset, encoder, whole=("probe", "index"))
    paths = store.artifact_paths(dataset, encoder)
    if force or probe.state != "ready":
        found = run_probing(
            dataset=dataset, encoder=encoder, store=store, tracking=tracking, kept=kept
        )
        kept.by_track.clear()
        if not verbose:
            _each(say, probe_lines(found, paths["probe"][0]))
    if verbose:
        print_best(store.discoveries.read(dataset, encoder))
    # Probes that are kept for recordings that came later give way to those of all.
    if force or index.state != "ready" or _is_older(store, dataset, encoder):
        build_index(dataset=dataset, encoder=encoder, store=store)
        say(f"index: {describe_index(store.indices.read_record(dataset, encoder))}")
    store.indices.tidy(dataset, encoder)
    store.passages.tidy(dataset, encoder)
    if force or {probe.state, index.state, evaluation.state} != {"ready"}:
        judged = evaluate(dataset=dataset, encoder=encoder, store=store, tracking=tracking)
        if not verbose:
            _each(say, evaluation_lines(judged, paths["evaluate"][0]))
    if verbose:
        print_evaluation(store.evaluations.read(dataset, encoder))
    _each(say, mend_damaged(store, dataset, encoder, tracking=tracking))


def _is_older(store: Store, dataset: str, encoder: str) -> bool:
    """Tell whether recordings were placed in an index after its coordinates were fitted."""
    return store.indices.read_record(dataset, encoder).fitted is not None


def _each(say: Callable[[str], object], lines: Iterable[str]) -> None:
    for line in lines:
        say(line)


def _say(lines: Iterable[str]) -> None:
    _each(typer.echo, lines)


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
    failed, done, useless = bring_up_to_date(
        dataset=dataset,
        encoders=encoders,
        workers=workers,
        force=force,
        tracking=mlflow,
        verbose=verbose,
    )
    there = [one for one in encoders if one not in useless]
    _say(closing_lines(Store(), dataset=dataset, encoders=there))
    if failed or useless:
        raise incomplete(failed, done=done, encoders=useless)


if __name__ == "__main__":
    run_script(command)
