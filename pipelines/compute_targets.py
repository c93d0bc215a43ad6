"""Measure the proxy targets and curves of a dataset, and read its MIDI where there is one.

python pipelines/compute_targets.py --dataset smd
"""

import math
from collections.abc import Iterable
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

from mess.audio.decoding import SEGMENT_SECONDS, decode
from mess.audio.fingerprint import Marks, fingerprint
from mess.audio.moments import moment_grid
from mess.curves.frames import Beats
from mess.curves.phrases import phrase_columns
from mess.curves.registry import CURVES, CURVES_VERSION, compute_curves
from mess.curves.windows import Windows
from mess.datasets import Track
from mess.errors import MessError
from mess.records.targets import MeasuredValues, TargetsEntry, TargetsHeader
from mess.storage.curves import TrackBeats
from mess.storage.store import Store
from mess.targets import (
    ALL_TARGETS,
    TARGET_SAMPLE_RATE,
    Notes,
    TargetValues,
    analyse,
    compute_midi_targets,
    read_notes,
    targets_version,
)
from mess.targets.measuring import measure_targets
from pipelines.batch import run_steps
from pipelines.engine import Engine, LocalEngine, size_and_time
from pipelines.options import (
    WORKERS,
    DatasetOption,
    EngineName,
    EngineOption,
    ForceOption,
    ForgetOption,
    WorkersOption,
    checked_engine,
    incomplete,
    run_script,
)
from pipelines.ray_engine import RayEngine, ray_cluster
from pipelines.steps import ALL, BatchSummary, Scope, Source, Step


class Measured(NamedTuple):
    """What is measured of a track; ``notes`` and ``warning`` say what is doubtful of its files."""

    values: TargetValues
    curves: NDArray[np.float32]
    start: NDArray[np.float64]  # of each moment of the curves
    phrases: NDArray[np.float16]
    beats: Beats
    marks: Marks
    notes: tuple[str, ...]
    warning: str  # of its MIDI


def compute_dataset_targets(
    *,
    dataset: str,
    store: Store | None = None,
    workers: int = WORKERS,
    force: bool = False,
    engine: EngineName = "local",
    scope: Scope = ALL,
) -> BatchSummary:
    """Bring the proxy targets of a dataset up to date.

    Parameters
    ----------
    dataset : str
    store : Store, optional
    workers : int
        Threads that measure.
    force : bool
        Redo every track.
    engine : {"local", "ray"}
        Whether this machine measures, or a Ray cluster; both make the same.
    scope : Scope
        What of the dataset is looked at.

    Returns
    -------
    BatchSummary
        Tracks that failed are named in it, with the reason.
    """
    store = store or Store()
    recordings = scope.listed(dataset, store)
    header = TargetsHeader(
        dataset=dataset,
        targets=list(ALL_TARGETS),
        sample_rate=TARGET_SAMPLE_RATE,
        segment_seconds=SEGMENT_SECONDS,
        code_version=targets_version(),
        curves=list(CURVES),
        curves_version=CURVES_VERSION,
    )
    manifest = store.targets.resume(dataset, header=header, force=force)

    def keep(track: Track, measured: Measured, source: Source) -> TargetsEntry:
        if measured.warning:
            typer.echo(measured.warning, err=True)
        values = measured.values
        plain = MeasuredValues(
            track={name: _defined([value])[0] for name, value in values.track.items()},
            segments={name: _defined(row) for name, row in values.segments.items()},
        )
        checksums = store.targets.write(
            dataset, track.id, values=plain, descriptors=values.descriptors, marks=measured.marks
        )
        curves = store.curves.write(
            dataset,
            track.id,
            start=measured.start,
            values=measured.curves,
            phrases=measured.phrases,
            beats=TrackBeats(**vars(measured.beats)),
        )
        return TargetsEntry.of(
            source,
            checksums,
            curves_crc32=curves,
            midi_stat=_midi_stat(track),
            notes=list(measured.notes),
        )

    by_id = {track.id: track for track in recordings}
    lacking: set[str] = set()
    if not scope.thorough:
        lacking.update(store.targets.missing(dataset, manifest, whole=False))
        lacking.update(store.curves.missing(dataset, manifest, whole=False))

    def has_files(track_id: str, entry: TargetsEntry) -> bool:
        if entry.midi_stat != _midi_stat(by_id[track_id]):
            return False
        if not scope.thorough:
            return track_id not in lacking
        return store.targets.has(dataset, track_id, entry) and store.curves.has(
            dataset, track_id, entry
        )

    def take(old: str, track: Track, entry: TargetsEntry) -> bool:
        return (
            entry.midi_stat == _midi_stat(track)
            and store.targets.copy(dataset, old, track.id, entry)
            and store.curves.copy(dataset, old, track.id, entry)
        )

    def drop(track_id: str) -> None:
        store.targets.drop(dataset, track_id)
        store.curves.drop(dataset, track_id)

    step = Step(
        "targets",
        manifest,
        keep,
        has_files,
        take,
        drop,
        end=lambda: store.targets.gather(dataset, manifest),
    )
    with ExitStack() as ending:
        how: Engine[Measured]
        if engine == "ray":
            how = RayEngine(
                ending.enter_context(ray_cluster()), root=recordings.root, read=measure_track
            )
        else:
            how = LocalEngine[Measured, Measured](prepare=measure_track, workers=workers)
        run_steps(recordings, [step], stage=f"measure {dataset}", engine=how, scope=scope)
    return step.summary


def measure_track(track: Track, _: object = None) -> Measured:
    """Return what is measured of a track; nothing is written."""
    signal = decode(track.path, TARGET_SAMPLE_RATE)
    analysis = analyse(signal)
    values = measure_targets(analysis, signal)
    played, warning = _played(track)
    if played is not None:
        values.track.update(compute_midi_targets(played))
    windows = Windows.of(moment_grid(signal.samples.size, signal.sample_rate))
    return Measured(
        values=values,
        curves=compute_curves(analysis, windows, notes=played),
        start=windows.start,
        phrases=phrase_columns(analysis, windows),
        beats=Beats.of(analysis),
        marks=fingerprint(signal.samples, signal.sample_rate),
        notes=signal.notes,
        warning=warning,
    )


def _played(track: Track) -> tuple[Notes | None, str]:
    """Return the notes of a track's MIDI, and a warning; None if there are none to be read."""
    if track.midi_path is None:
        return None, ""
    try:
        return read_notes(track.midi_path), ""
    except MessError as error:
        return None, f"warning: {error}; its targets of performance stay undefined"


def _midi_stat(track: Track) -> tuple[int, int] | None:
    """Return the size and the time of a track's MIDI. They tell whether it has changed."""
    return size_and_time(track.midi_path) if track.midi_path else None


def _defined(values: Iterable[float]) -> list[float | None]:
    """Replace NaN, which JSON does not know, by None."""
    return [float(value) if math.isfinite(value) else None for value in values]


def command(
    dataset: DatasetOption,
    workers: WorkersOption = WORKERS,
    force: ForceOption = False,
    engine: EngineOption = "local",
    forget: ForgetOption = False,
) -> None:
    """Measure the proxy targets on a dataset, and read its MIDI; running again goes on."""
    summary = compute_dataset_targets(
        dataset=dataset,
        workers=workers,
        force=force,
        engine=checked_engine(engine),
        scope=Scope(forget=forget),
    )
    typer.echo(f"targets: {summary}")
    if summary.failed:
        raise incomplete(summary.failed, done=summary.made + summary.skipped)


if __name__ == "__main__":
    run_script(command)
