"""Writes what was computed of tracks, in threads where a GPU computes, and records it in order."""

import os
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar

from mess.datasets import Dataset, Track
from mess.errors import AddressError, AudioError, MessError, shown_path, told_of
from mess.records.manifest import (
    FailedEntry,
)
from mess.storage.manifest import Entry
from pipelines.engine import Outcome
from pipelines.progress import Progress
from pipelines.recordings import labels_of
from pipelines.steps import Scope, Source, Step

Computed = TypeVar("Computed")


class Keeping(Generic[Computed, Entry]):
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
            told = told_of(track.path, error)
            reason = told.replace(f"{self._dataset.root}{os.sep}", "")  # the root may move
            failed = FailedEntry.of(labels_of(self._dataset, track), error=reason)
            step.manifest.record(track.id, failed)
            step.summary.failed[track.id] = told
            if scope.told is None or told not in scope.told:
                shown.say(f"failed: {told}")
            if scope.told is not None:
                scope.told.add(told)

    def stop(self) -> None:
        """Wait until nothing is written any more; tracks that are not recorded are done again."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)


def _too_large(track: Track) -> AudioError:
    return AudioError(
        track.path, "needs more memory than is free", "cut it into parts or use fewer workers"
    )
