"""Engines: where and in which order the tracks of a dataset are computed.

Task: compute something of many recordings. An engine gets the tracks that are to be done and yields
them in the same order, each with what was computed for every step that lacks it. It reads audio and
writes nothing: `pipelines.batch` writes the files and keeps the manifests.

`LocalEngine` computes on this machine. Some threads read and measure a bounded number of tracks
ahead. A step may *begin* a track before its result is asked for, on a GPU. Then the next track, if
it is read, is begun before the current one is finished: the GPU computes while files are written.
`pipelines.ray_engine` computes on a cluster.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Generic, NoReturn, Protocol, TypeVar

from mess.datasets import Track
from mess.errors import AudioError
from mess.records.manifest import AudioIdentity

Prepared = TypeVar("Prepared")
Computed = TypeVar("Computed")

_HASHED_BYTES = 1 << 22  # at a time: few, because each waits for the other threads' Python

Todo = Sequence[tuple[Track, list[str]]]  # the tracks to do, and the steps that lack each
# Waits for what was computed of a track for a step, or raises what went wrong.
Outcome = Callable[[], tuple[AudioIdentity, Computed]]
Outcomes = Generator[tuple[Track, dict[str, Outcome[Computed]]], None, None]


class Engine(Protocol[Computed]):
    """Computes tracks somewhere."""

    def compute(self, todo: Todo) -> Outcomes[Computed]:
        """Yield every track in its order, with the outcome for each step that lacks it."""
        ...


class LocalEngine(Generic[Prepared, Computed]):
    """Computes on this machine.

    Parameters
    ----------
    prepare : callable
        (track, names of the steps that lack it) → what ``begin`` takes; runs in a thread.
    workers : int
        Threads that prepare tracks.
    begin : callable, optional
        (track, name of a step, what was prepared) → a function that returns what is computed.
        By default the prepared is the computed.
    """

    def __init__(
        self,
        *,
        prepare: Callable[[Track, Sequence[str]], Prepared],
        workers: int,
        begin: Callable[[Track, str, Prepared], Callable[[], Computed]] | None = None,
    ) -> None:
        self._prepare, self._workers = prepare, max(1, workers)
        self._begin = begin

    def compute(self, todo: Todo) -> Outcomes[Computed]:
        """Yield every track in its order; see `Engine`."""
        with ThreadPoolExecutor(self._workers) as pool:
            waiting: deque[tuple[Track, list[str], Future[tuple[AudioIdentity, Prepared]]]]
            waiting = deque()
            upcoming = iter(todo)
            begun: tuple[Track, dict[str, Outcome[Computed]]] | None = None
            try:
                while True:
                    for track, lacking in islice(upcoming, self._workers + 1 - len(waiting)):
                        waiting.append((track, lacking, pool.submit(self._read, track, lacking)))
                    # Begin the next track; but if it is not yet read, do not wait for it.
                    following = None
                    if waiting and (begun is None or waiting[0][2].done()):
                        track, lacking, future = waiting.popleft()
                        outcomes = {name: self._start(track, name, future) for name in lacking}
                        following = track, outcomes
                    if begun is not None:
                        yield begun
                    elif following is None:
                        return
                    begun = following
            finally:
                for _, _, future in waiting:
                    future.cancel()

    def _read(self, track: Track, lacking: list[str]) -> tuple[AudioIdentity, Prepared]:
        return audio_identity(track), self._prepare(track, lacking)

    def _start(
        self, track: Track, name: str, future: "Future[tuple[AudioIdentity, Prepared]]"
    ) -> Outcome[Computed]:
        """Begin a track; what goes wrong is raised when its outcome is asked for."""
        try:
            identity, prepared = future.result()
            if self._begin is None:
                whole: Any = prepared
                return lambda: (identity, whole)
            result = self._begin(track, name, prepared)
        except Exception as problem:
            return partial(raise_error, problem)
        return lambda: (identity, result())


def raise_error(problem: Exception) -> NoReturn:
    """Raise an error: an outcome that is known before it is asked for."""
    raise problem


def size_and_time(path: Path) -> tuple[int, int] | None:
    """Return the size of a file and when it was written, in ns; None if it cannot be had."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def audio_identity(track: Track) -> AudioIdentity:
    """Return size, time and hash of a track's audio, by which a change is noticed."""
    try:
        stat = track.path.stat()
        with track.path.open("rb") as handle:
            digest = hashlib.sha256()
            while block := handle.read(_HASHED_BYTES):
                digest.update(block)
    except PermissionError:
        raise AudioError(track.path, "cannot be read", "change its permissions") from None
    except OSError as error:
        raise AudioError(
            track.path, f"cannot be read ({error.strerror})", "copy it again"
        ) from None
    return AudioIdentity(size=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=digest.hexdigest())
