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
from collections.abc import Callable, Container, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

from mess.datasets import Dataset, Track, load_dataset
from mess.errors import AudioError, MessError, shown_path
from mess.records.base import DoesNotFit
from mess.records.manifest import (
    AudioIdentity,
    FailedEntry,
    TrackLabels,
)
from mess.storage.manifest import Entry, Header, Manifest
from mess.storage.store import Store
from pipelines.progress import Progress, progress

Prepared = TypeVar("Prepared")
_Waiting = tuple[Track, "list[Step[Prepared, Entry]]", Future[tuple[AudioIdentity, Prepared]]]


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


@dataclass(frozen=True, kw_only=True)
class Source(TrackLabels, AudioIdentity):
    """The identity and the labels of a track: the parts of an entry that all steps share."""


@dataclass
class Step(Generic[Prepared, Entry]):
    """One thing that is made of every track.

    Attributes
    ----------
    manifest : Manifest
        Open for writing; closed by the batch.
    begin : callable
        Begins a prepared track, perhaps before the one before it is finished. Returns what finishes
        it: (identity and labels of the track) → the entry of the manifest. It writes the files.
    has_files : callable
        (track id, manifest entry) → whether the files are there and undamaged.
    end : callable
        Called when all tracks are finished, while no other process may write.
    """

    manifest: Manifest[Any, Entry]  # of any kind: a step reads no header
    begin: Callable[[Track, Prepared], Callable[[Source], Entry]]
    has_files: Callable[[str, Entry], bool]
    end: Callable[[], None] = lambda: None
    summary: BatchSummary = field(default_factory=BatchSummary)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What of a dataset a step looks at; by default all of it, down to every byte.

    Attributes
    ----------
    recordings : Dataset or None
        As they were listed; None where the step lists them itself.
    leave : frozenset of str
        Tracks that stay as they are, whatever has become of their files.
    thorough : bool
        Whether the files of finished tracks are read and compared with their checksums. Else it is
        enough that they are there.
    """

    recordings: Dataset | None = None
    leave: frozenset[str] = frozenset()
    thorough: bool = True

    def listed(self, dataset: str, store: Store) -> Dataset:
        """Return the recordings."""
        return self.recordings or load_dataset(dataset, root=store.audio_dir(dataset))


ALL = Scope()


def audio_identity(track: Track) -> AudioIdentity:
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
    return AudioIdentity(size=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=digest)


def same_audio(track: Track, entry: AudioIdentity) -> AudioIdentity | None:
    """Return the identity of a track whose audio is that of an entry, None if it is another.

    A file is read only if its size or time is not that of the entry.
    """
    try:
        stat = track.path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (entry.size, entry.mtime_ns):
            return entry
        identity = audio_identity(track)
    except (OSError, MessError):
        return None
    return identity if identity.sha256 == entry.sha256 else None


def labels_of(dataset: Dataset, track: Track) -> TrackLabels:
    """Return what later steps need to know of a track when its audio is elsewhere.

    Raises
    ------
    MessError
        If the dataset (of another package, say) has a label of a wrong type.
    """
    try:
        return TrackLabels.of(
            path=_relative(track.path, dataset),
            midi=_relative(track.midi_path, dataset) if track.midi_path else None,
            composer=track.composer,
            work=track.work_key,
            title=track.title,
            extra=dict(track.extra),
        )
    except (DoesNotFit, TypeError) as error:
        raise MessError(
            f"dataset {dataset.name!r}: the track {track.id!r} cannot be recorded ({error}); "
            "mend the code that lists the dataset"
        ) from error


def run_batch(
    dataset: Dataset,
    manifest: Manifest[Header, Entry],
    *,
    stage: str,
    workers: int,
    prepare: Callable[[Track], Prepared],
    finish: Callable[[Track, Prepared, Source], Entry],
    has_files: Callable[[str, Entry], bool],
    end: Callable[[], None] = lambda: None,
    leave: Container[str] = (),
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
    finish, has_files, end : callable
        See `Step`.
    leave : container of str
        See `Scope`.

    Returns
    -------
    BatchSummary
    """

    def begin(track: Track, prepared: Prepared) -> Callable[[Source], Entry]:
        return partial(finish, track, prepared)

    step = Step(manifest, begin, has_files, end)
    run_steps(
        dataset,
        [step],
        stage=stage,
        workers=workers,
        prepare=lambda track, _: prepare(track),
        leave=leave,
    )
    return step.summary


def run_steps(
    dataset: Dataset,
    steps: Sequence[Step[Prepared, Entry]],
    *,
    stage: str,
    workers: int,
    prepare: Callable[[Track, Sequence[Step[Prepared, Entry]]], Prepared],
    leave: Container[str] = (),
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
    leave : container of str
        See `Scope`.
    """
    todo: list[tuple[Track, list[Step[Prepared, Entry]]]] = []
    for step in steps:
        for gone in set(step.manifest.tracks) - {track.id for track in dataset}:
            if gone not in leave:
                del step.manifest.tracks[gone]
    for track in dataset:
        if track.id in leave:
            continue
        lacking = []
        for step in steps:
            if _refresh(dataset, track, step.manifest, step.has_files):
                step.summary.skipped += 1
            else:
                lacking.append(step)
        if lacking:
            todo.append((track, lacking))

    def work(track: Track, lacking: list[Step[Prepared, Entry]]) -> tuple[AudioIdentity, Prepared]:
        return audio_identity(track), prepare(track, lacking)

    with ExitStack() as closing:
        for step in steps:
            closing.callback(step.manifest.close)
        shown = closing.enter_context(progress(stage, len(todo)))
        pool = closing.enter_context(ThreadPoolExecutor(max(1, workers)))
        waiting: deque[_Waiting[Prepared, Entry]] = deque()
        upcoming = iter(todo)
        try:
            begun: _Begun[Prepared, Entry] | None = None
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
            for step in steps:
                step.end()
        finally:
            for _, _, future in waiting:
                future.cancel()


@dataclass
class _Begun(Generic[Prepared, Entry]):
    """A track that was begun, and what finishes it in each step."""

    track: Track
    steps: list[tuple[Step[Prepared, Entry], Callable[[], Entry]]]


def _begin(
    dataset: Dataset,
    step: Step[Prepared, Entry],
    track: Track,
    future: "Future[tuple[AudioIdentity, Prepared]]",
) -> Callable[[], Entry]:
    """Begin a track; what goes wrong is raised when the track is finished."""
    try:
        identity, prepared = future.result()
        finish = step.begin(track, prepared)
        return partial(finish, Source.of(identity, labels_of(dataset, track)))
    except Exception as problem:
        return partial(_raise, problem)


def _raise(problem: Exception) -> NoReturn:
    raise problem


def _settle(
    dataset: Dataset,
    track: Track,
    step: Step[Prepared, Entry],
    finish: Callable[[], Entry],
    shown: Progress,
) -> None:
    try:
        entry = finish()
        step.manifest.record(track.id, entry)
        step.summary.made += 1
        if entry.notes:
            step.summary.noted[track.id] = f"{shown_path(track.path)}: {'; '.join(entry.notes)}"
    except (MessError, MemoryError) as problem:
        error = problem if isinstance(problem, MessError) else _too_large(track)
        reason = str(error).replace(f"{dataset.root}{os.sep}", "")  # the root may move
        step.manifest.record(track.id, FailedEntry.of(labels_of(dataset, track), error=reason))
        step.summary.failed[track.id] = str(error)
        shown.say(f"failed: {error}")


def _too_large(track: Track) -> AudioError:
    return AudioError(
        track.path, "needs more memory than is free", "cut it into parts or use fewer workers"
    )


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


def _relative(path: Path, dataset: Dataset) -> str:
    try:
        return path.relative_to(dataset.root).as_posix()
    except ValueError:
        return str(path)
