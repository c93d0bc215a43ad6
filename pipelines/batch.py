"""Steps over all tracks of a dataset: resume, bad files, interruption, summary.

Some threads read and measure a bounded number of tracks ahead. The main thread finishes one track
at a time, in the order of the dataset. It records a track as soon as the files are written.
If the process is stopped, only the tracks in work are lost.

A step may *begin* a track before it finishes it, on a GPU. Then the next track, if it is read, is
begun before the current one is finished. So the GPU computes while files are written.
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar

from mess.datasets import Dataset, Track
from mess.errors import AudioError, MessError, shown_path
from mess.storage.manifest import Entry, Manifest
from pipelines.progress import Progress, progress

Prepared = TypeVar("Prepared")


@dataclass
class BatchSummary:
    """How many tracks a step made and skipped, why others failed, and what is doubtful."""

    made: int = 0
    skipped: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    noted: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the counts on a line, then a line for each failure and each doubt."""
        lines = [f"{self.made} made, {self.skipped} up to date, {len(self.failed)} failed"]
        lines += [f"  failed: {reason}" for reason in self.failed.values()]
        lines += [f"  note: {doubt}" for doubt in self.noted.values()]
        return "\n".join(lines)


@dataclass
class Step(Generic[Prepared]):
    """One thing that is made of every track.

    Attributes
    ----------
    manifest : Manifest
        Open for writing; closed by the batch.
    begin : callable
        Begins a prepared track, perhaps before the one before it is finished. Returns what finishes
        it: a function that writes its files and returns what the manifest should remember of them.
    has_files : callable
        (track id, manifest entry) → whether the files are there and undamaged.
    """

    manifest: Manifest
    begin: Callable[[Track, Prepared], Callable[[], Entry]]
    has_files: Callable[[str, Entry], bool]
    summary: BatchSummary = field(default_factory=BatchSummary)


def audio_identity(track: Track) -> Entry:
    """Return size, time and hash of a track's audio, by which a change is noticed."""
    try:
        stat = track.path.stat()
        with track.path.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
    except PermissionError:
        raise AudioError(track.path, "cannot be read", "change its permissions") from None
    except OSError as error:
        raise AudioError(
            track.path, f"cannot be read ({error.strerror})", "copy it again"
        ) from None
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": digest}


def describe(dataset: Dataset, track: Track) -> Entry:
    """Return what later steps need to know of a track when its audio is elsewhere."""
    return {
        "path": _relative(track.path, dataset),
        "midi": _relative(track.midi_path, dataset) if track.midi_path else None,
        "composer": track.composer,
        "work": track.work_key,
        "title": track.title,
        "extra": dict(track.extra),
    }


def run_batch(
    dataset: Dataset,
    manifest: Manifest,
    *,
    stage: str,
    workers: int,
    prepare: Callable[[Track], Prepared],
    finish: Callable[[Track, Prepared], Entry],
    has_files: Callable[[str, Entry], bool],
) -> BatchSummary:
    """Bring every track of a dataset up to date.

    Parameters
    ----------
    dataset : Dataset
    manifest : Manifest
        Open for writing; closed here.
    stage : str
        What is being done, for the progress bar.
    workers : int
        Threads that prepare tracks.
    prepare : callable
        Track → anything; runs in a thread; a `MessError` fails this track alone.
    finish : callable
        Writes the files; returns what the manifest should remember of them.
    has_files : callable
        (track id, manifest entry) → whether the files are there and undamaged.

    Returns
    -------
    BatchSummary
    """

    def begin(track: Track, prepared: Prepared) -> Callable[[], Entry]:
        return partial(finish, track, prepared)

    step = Step(manifest, begin, has_files)
    run_steps(
        dataset, [step], stage=stage, workers=workers, prepare=lambda track, _: prepare(track)
    )
    return step.summary


def run_steps(
    dataset: Dataset,
    steps: "Sequence[Step[Prepared]]",
    *,
    stage: str,
    workers: int,
    prepare: "Callable[[Track, Sequence[Step[Prepared]]], Prepared]",
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
    workers : int
        Threads that prepare tracks.
    prepare : callable
        (track, the steps that lack it) → what their ``begin`` takes; runs in a thread; a
        `MessError` or a `MemoryError` fails this track alone.
    """
    todo: list[tuple[Track, list[Step[Prepared]]]] = []
    for step in steps:
        for gone in set(step.manifest.tracks) - {track.id for track in dataset}:
            del step.manifest.tracks[gone]
    for track in dataset:
        lacking = []
        for step in steps:
            if _refresh(dataset, track, step.manifest, step.has_files):
                step.summary.skipped += 1
            else:
                lacking.append(step)
        if lacking:
            todo.append((track, lacking))

    def work(track: Track, lacking: list[Step[Prepared]]) -> tuple[Entry, Prepared]:
        return audio_identity(track), prepare(track, lacking)

    with ExitStack() as closing:
        for step in steps:
            closing.callback(step.manifest.close)
        shown = closing.enter_context(progress(stage, len(todo)))
        pool = closing.enter_context(ThreadPoolExecutor(max(1, workers)))
        waiting: deque[tuple[Track, list[Step[Prepared]], Future[tuple[Entry, Prepared]]]] = deque()
        upcoming = iter(todo)
        try:
            begun: _Begun[Prepared] | None = None
            while True:
                for ahead, lacking in islice(upcoming, workers + 1 - len(waiting)):
                    waiting.append((ahead, lacking, pool.submit(work, ahead, lacking)))
                # Begin the next track; but if it is not yet read, do not wait for it.
                following = None
                if waiting and (begun is None or waiting[0][2].done()):
                    track, lacking, future = waiting.popleft()
                    following = _Begun(
                        track, [(one, _begin(dataset, one, track, future)) for one in lacking]
                    )
                if begun is not None:
                    for step, finish in begun.steps:
                        _settle(dataset, begun.track, step, finish, shown)
                    shown.advance(begun.track.id)
                elif following is None:
                    break
                begun = following
        finally:
            for _, _, future in waiting:
                future.cancel()


@dataclass
class _Begun(Generic[Prepared]):
    """A track that was begun, and what finishes it in each step."""

    track: Track
    steps: list[tuple[Step[Prepared], Callable[[], Entry]]]


def _begin(
    dataset: Dataset,
    step: Step[Prepared],
    track: Track,
    future: "Future[tuple[Entry, Prepared]]",
) -> Callable[[], Entry]:
    """Begin a track; what goes wrong is raised when the track is finished."""
    try:
        identity, prepared = future.result()
        finish = step.begin(track, prepared)
    except Exception as problem:
        return partial(_raise, problem)
    return lambda: identity | describe(dataset, track) | finish()


def _raise(problem: Exception) -> Entry:
    raise problem


def _settle(
    dataset: Dataset,
    track: Track,
    step: Step[Prepared],
    finish: Callable[[], Entry],
    shown: Progress,
) -> None:
    try:
        entry = finish()
        step.manifest.record(track.id, entry | {"status": "done"})
        step.summary.made += 1
        if entry.get("notes"):
            step.summary.noted[track.id] = f"{shown_path(track.path)}: {'; '.join(entry['notes'])}"
    except (MessError, MemoryError) as problem:
        error = problem if isinstance(problem, MessError) else _too_large(track)
        reason = str(error).replace(f"{dataset.root}{os.sep}", "")  # the root may move
        step.manifest.record(
            track.id, describe(dataset, track) | {"status": "failed", "error": reason}
        )
        step.summary.failed[track.id] = str(error)
        shown.say(f"failed: {error}")


def _too_large(track: Track) -> AudioError:
    return AudioError(
        track.path, "needs more memory than is free", "cut it into parts or use fewer workers"
    )


def _refresh(
    dataset: Dataset,
    track: Track,
    manifest: Manifest,
    has_files: Callable[[str, Entry], bool],
) -> bool:
    """Tell whether a track is up to date; a new title or file time is taken over."""
    entry = manifest.tracks.get(track.id, {})
    if entry.get("status") != "done" or not has_files(track.id, entry):
        return False
    try:
        stat = track.path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (entry["size"], entry["mtime_ns"]):
            identity = {key: entry[key] for key in ("size", "mtime_ns", "sha256")}
        else:
            identity = audio_identity(track)
    except (OSError, MessError):
        return False
    if identity["sha256"] != entry["sha256"]:
        return False
    fresh = entry | identity | describe(dataset, track)
    if fresh != entry:
        manifest.record(track.id, fresh)
    return True


def _relative(path: Any, dataset: Dataset) -> str:
    try:
        return str(path.relative_to(dataset.root).as_posix())
    except ValueError:
        return str(path)
