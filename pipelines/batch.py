"""Steps over all tracks of a dataset: resume, bad files, interruption, summary.

An engine (`pipelines.engine`, `pipelines.ray_engine`) computes what is made of the tracks, on this
machine or on others. This process alone writes: it takes one track at a time, in the order of the
dataset, and records it as soon as the files are written. If the process is stopped, only the tracks
in work are lost.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any, TypeVar

from mess.datasets import Dataset, Track
from mess.errors import MessError
from mess.records.manifest import (
    FailedEntry,
)
from mess.storage.manifest import Entry, Header, Manifest
from pipelines.engine import Engine, audio_identity
from pipelines.keeping import Keeping
from pipelines.progress import progress
from pipelines.recordings import labels_of, same_audio
from pipelines.steps import ALL, Scope, Step

Computed = TypeVar("Computed")


def run_steps(
    dataset: Dataset,
    steps: Sequence[Step[Computed, Entry]],
    *,
    stage: str,
    engine: Engine[Computed],
    scope: Scope = ALL,
    writers: int = 0,
) -> None:
    """Bring every track up to date in several steps that share its preparation.

    Each step goes on by its own manifest, as if it were alone, and its ``summary`` says what it
    did.

    Parameters
    ----------
    dataset : Dataset
    steps : sequence of Step
    stage : str
        What is being done, for the progress bar.
    engine : Engine
        Computes what each step keeps. A `MessError` or a `MemoryError` fails a track alone.
    scope : Scope
    writers : int
        Threads that wait for what was begun of a track, and write its files, while this thread
        begins the next ones. With 0, a track is written before the next one is computed.
    """
    todo: list[tuple[Track, list[str]]] = []
    by_name = {step.name: step for step in steps}
    for step in steps:
        for gone in set(step.manifest.tracks) - {track.id for track in dataset}:
            if gone not in scope.leave:
                step.manifest.put_away(gone)
    by_size = [_by_size(step.manifest) for step in steps]
    for track in dataset:
        if track.id in scope.leave:
            continue
        lacking = []
        for step, known in zip(steps, by_size, strict=True):
            if _refresh(dataset, track, step.manifest, step.has_files):
                step.summary.skipped += 1
            elif _take(dataset, track, step, known):
                step.summary.skipped += 1
                step.summary.known += 1
            else:
                lacking.append(step.name)
        if lacking:
            todo.append((track, lacking))

    with ExitStack() as ending:
        for step in steps:
            ending.callback(step.manifest.close)
        shown = ending.enter_context(progress(stage, len(todo)))
        keeping = Keeping(dataset, by_name, writers=writers)
        ending.callback(keeping.stop)
        for track, outcomes in ending.enter_context(closing(engine.compute(todo))):
            keeping.begin(track, outcomes)
            while keeping.waiting > writers:
                keeping.record(shown, scope)
        while keeping.waiting:
            keeping.record(shown, scope)
        for step in steps:
            _drop_away(step, forget=scope.forget)
            step.end()


def _refresh(
    dataset: Dataset,
    track: Track,
    manifest: Manifest[Header, Entry],
    has_files: Callable[[str, Entry], bool],
) -> bool:
    """Tell whether a track is up to date; a new title or file time is taken over."""
    entry = manifest.tracks.get(track.id)
    if entry is None or isinstance(entry, FailedEntry) or not has_files(track.id, entry):
        return False
    identity = same_audio(track, entry)
    if identity is None:
        return False
    fresh = entry.updated(identity, labels_of(dataset, track))
    if fresh != entry:
        manifest.record(track.id, fresh)
    return True


def _by_size(manifest: Manifest[Any, Entry]) -> dict[int, list[tuple[str, Entry]]]:
    """Return the entries of tracks that are there or away, by the size of their audio."""
    found: defaultdict[int, list[tuple[str, Entry]]] = defaultdict(list)
    for track, entry in (manifest.done() | manifest.away).items():
        found[entry.size].append((track, entry))
    return found


def _take(
    dataset: Dataset,
    track: Track,
    step: Step[Computed, Entry],
    by_size: Mapping[int, list[tuple[str, Entry]]],
) -> bool:
    """Take over what was made of the same audio, under another name or before it was gone."""
    try:
        alike = by_size.get(track.path.stat().st_size, [])
        identity = audio_identity(track) if alike else None
    except (OSError, MessError):
        return False  # reading it will say why
    for old, entry in alike:
        if identity and entry.sha256 == identity.sha256 and step.take(old, track, entry):
            step.manifest.record(track.id, entry.updated(identity, labels_of(dataset, track)))
            return True
    return False


def _drop_away(step: Step[Computed, Entry], *, forget: bool) -> None:
    """Remove what was made of recordings that are gone, if it is there under another name, too."""
    there = {entry.sha256 for entry in step.manifest.done().values()}
    for track, entry in list(step.manifest.away.items()):
        if forget or entry.sha256 in there:
            step.drop(track)
            del step.manifest.away[track]
