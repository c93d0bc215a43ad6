"""Measure the proxy targets on every track of a dataset.

python pipelines/compute_targets.py --dataset smd
"""

import math
from collections.abc import Iterable

import typer

from mess.audio import SEGMENT_SECONDS, decode
from mess.datasets import Track, load_dataset
from mess.manifest import Entry
from mess.store import Store
from mess.targets import TARGET_SAMPLE_RATE, TARGETS, TARGETS_VERSION, TargetValues, compute_targets
from pipelines.batch import Summary, run_batch
from pipelines.options import (
    WORKERS,
    DatasetOption,
    ForceOption,
    WorkersOption,
    interrupted,
    run_script,
)


def compute_dataset_targets(
    *, dataset: str, store: Store | None = None, workers: int = WORKERS, force: bool = False
) -> Summary:
    """Bring the proxy targets of a dataset up to date.

    Parameters
    ----------
    dataset : str
    store : Store, optional
    workers : int
        Threads that measure.
    force : bool
        Redo every track.

    Returns
    -------
    Summary
        Tracks that failed are named in it, with the reason.
    """
    store = store or Store()
    recordings = load_dataset(dataset, root=store.audio_dir(dataset))
    header = {
        "dataset": dataset,
        "targets": list(TARGETS),
        "sample_rate": TARGET_SAMPLE_RATE,
        "segment_seconds": SEGMENT_SECONDS,
        "code_version": TARGETS_VERSION,
    }
    manifest = store.resume_targets(dataset, header=header, force=force)

    def measure(track: Track) -> TargetValues:
        return compute_targets(decode(track.path, TARGET_SAMPLE_RATE))

    def keep(track: Track, values: TargetValues) -> Entry:
        plain = {
            "track": {name: _defined([value])[0] for name, value in values.track.items()},
            "segments": {name: _defined(row) for name, row in values.segments.items()},
        }
        store.write_target_values(dataset, track.id, plain)
        return {}

    summary = run_batch(
        recordings,
        manifest,
        stage=f"measure {dataset}",
        workers=workers,
        prepare=measure,
        finish=keep,
        has_files=lambda track_id, _: store.has_target_values(dataset, track_id),
    )
    store.gather_targets(dataset, manifest)
    return summary


def _defined(values: Iterable[float]) -> list[float | None]:
    """Replace NaN, which JSON does not know, by None."""
    return [float(value) if math.isfinite(value) else None for value in values]


def command(
    dataset: DatasetOption, workers: WorkersOption = WORKERS, force: ForceOption = False
) -> None:
    """Measure the 15 proxy targets on a dataset; running again goes on."""
    try:
        summary = compute_dataset_targets(dataset=dataset, workers=workers, force=force)
    except KeyboardInterrupt:
        raise interrupted() from None
    typer.echo(f"targets: {summary}")
    if summary.failed:
        raise typer.Exit(1)


if __name__ == "__main__":
    run_script(command)
