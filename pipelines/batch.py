"""Steps over all tracks of a dataset: resume, bad files, interruption, summary.

An engine (`pipelines.engine`, `pipelines.ray_engine`) computes what is made of the tracks, on this
machine or on others. This process alone writes: it takes one track at a time, in the order of the
dataset, and records it as soon as the files are written. If the process is stopped, only the tracks
in work are lost.
"""

import os
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from mess.datasets import Dataset, Track, load_dataset
from mess.errors import AddressError, AudioError, MessError, shown_path
from mess.records.base import DoesNotFit
from mess.records.manifest import (
    AudioIdentity,
    FailedEntry,
    TrackLabels,
)
from mess.storage.manifest import Entry, Header, Manifest
from mess.storage.store import Store
from pipelines.engine import Engine, LocalEngine, Outcome, audio_identity
from pipelines.progress import Progress, progress

Prepared = TypeVar("Prepared")
Computed = TypeVar("Computed")


@dataclass
class BatchSummary:
    """How many tracks a step made and skipped, why others failed, and what is doubtful.

    Among those that were skipped, ``known`` had another name or were gone for a while.
    """

    made: int = 0
    known: int = 0
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
class Step(Generic[Computed, Entry]):
    """One thing that is made of every track.

    Attributes
    ----------
    name : str
        By which an engine knows it.
    manifest : Manifest
        Open for writing; closed by the batch.
    keep : callable
        (track, what the engine computed, identity and labels of the track) → the entry of the
        manifest. It writes the files; maybe in a thread, while other tracks are written.
    admit : callable
        The entry → the entry as it is recorded. Called for one track after the other.
    has_files : callable
        (track id, manifest entry) → whether the files are there and undamaged.
    take : callable
        (id of a track of the same audio, track, manifest entry of the first) → whether its files
        are now those of the second, too. The ids may be equal.
    drop : callable
        Removes the files of a track id.
    end : callable
        Called when all tracks are finished, while no other process may write.
    """

    name: str
    manifest: Manifest[Any, Entry]  # of any kind: a step reads no header
    keep: Callable[[Track, Computed, Source], Entry]
    has_files: Callable[[str, Entry], bool]
    take: Callable[[str, Track, Entry], bool] = lambda *_: False
    drop: Callable[[str], None] = lambda _: None
    end: Callable[[], None] = lambda: None
    admit: Callable[[Entry], Entry] = lambda entry: entry
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
    forget : bool
        Whether what was made of recordings that are gone is removed. Else it is kept, in case they
        come back.
    thorough : bool
        Whether the files of finished tracks are read and compared with their checksums. Else it is
        enough that they are there.
    told : set of str or None
        Failures that were told already, if steps that share it are not to tell them twice.
    """

    recordings: Dataset | None = None
    leave: frozenset[str] = frozenset()
    forget: bool = False
    thorough: bool = True
    told: set[str] | None = None

    def listed(self, dataset: str, store: Store) -> Dataset:
        """Return the recordings."""
        return self.recordings or load_dataset(dataset, root=store.audio_dir(dataset))


ALL = Scope()


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
    scope: Scope = ALL,
) -> BatchSummary:
    """Bring every track of a dataset up to date in one step, on this machine.

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
        `Step.keep`.
    has_files, end : callable
        See `Step`.
    scope : Scope

    Returns
    -------
    BatchSummary
    """
    step = Step(stage, manifest, finish, has_files, end=end)
    engine = LocalEngine[Prepared, Prepared](
        prepare=lambda track, _: prepare(track), workers=workers
    )
    run_steps(dataset, [step], stage=stage, engine=engine, scope=scope)
    return step.summary


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
        keeping = _Keeping(dataset, by_name, writers=writers)
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


class _Keeping(Generic[Computed, Entry]):
    """Writes the files of tracks, in threads if there are any, and records them in their order."""

    def __init__(
        self, dataset: Dataset, steps: Mapping[str, Step[Computed, Entry]], *, writers: int
    ) -> None:
        self._dataset, self._steps = dataset, steps
        self._threads = ThreadPoolExecutor(writers) if writers else None
        self._waiting: deque[tuple[Track, dict[str, Callable[[], Entry]]]] = deque()

    @property
    def waiting(self) -> int:
        """How many tracks are begun and not yet recorded."""
        return len(self._waiting)

    def begin(self, track: Track, outcomes: Mapping[str, Outcome[Computed]]) -> None:
        """Let the files of a track be written as soon as it is computed."""
        kept: dict[str, Callable[[], Entry]] = {}
        for name, outcome in outcomes.items():
            keep = partial(self._keep, track, self._steps[name], outcome)
            kept[name] = self._threads.submit(keep).result if self._threads else keep
        self._waiting.append((track, kept))

    def _keep(self, track: Track, step: Step[Computed, Entry], outcome: Outcome[Computed]) -> Entry:
        identity, computed = outcome()
        return step.keep(track, computed, Source.of(identity, labels_of(self._dataset, track)))

    def record(self, shown: Progress, scope: Scope) -> None:
        """Record the track that was begun first, when its files are written."""
        track, kept = self._waiting.popleft()
        for name, made in kept.items():
            self._record_one(track, self._steps[name], made, shown, scope)
        shown.advance(track.id)

    def _record_one(
        self,
        track: Track,
        step: Step[Computed, Entry],
        made: Callable[[], Entry],
        shown: Progress,
        scope: Scope,
    ) -> None:
        try:
            entry = step.admit(made())
            step.manifest.record(track.id, entry)
            step.summary.made += 1
            if entry.notes:
                step.summary.noted[track.id] = f"{shown_path(track.path)}: {'; '.join(entry.notes)}"
        except AddressError:
            raise  # where the artifacts go: no fault of the recording
        except (MessError, MemoryError) as problem:
            error = problem if isinstance(problem, MessError) else _too_large(track)
            reason = str(error).replace(f"{self._dataset.root}{os.sep}", "")  # the root may move
            failed = FailedEntry.of(labels_of(self._dataset, track), error=reason)
            step.manifest.record(track.id, failed)
            step.summary.failed[track.id] = str(error)
            if scope.told is None or str(error) not in scope.told:
                shown.say(f"failed: {error}")
            if scope.told is not None:
                scope.told.add(str(error))

    def stop(self) -> None:
        """Wait until nothing is written any more; tracks that are not recorded are done again."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)


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


def _relative(path: Path, dataset: Dataset) -> str:
    try:
        return path.relative_to(dataset.root).as_posix()
    except ValueError:
        return str(path)
