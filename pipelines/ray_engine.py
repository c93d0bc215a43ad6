"""The engine that computes on a Ray cluster, with Ray Data.

Task: decode and encode recordings on many machines. Without a GPU, each actor of a pool keeps the
encoders and reads its recordings itself: they need not travel. For GPUs, tasks on processors decode
and an actor on each GPU encodes. Ray bounds what is in work by the memory of the cluster. Work of a
node or process that dies is done again elsewhere. The driver (this process) gets the tracks in the
order of the dataset, and it alone writes, so the artifacts are those of the local engine.

The machines of a cluster read the recordings by the same paths or addresses as the driver. Ray is
imported when a cluster is asked for, and not before: it is the extra ``ray``.
"""

import logging
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from mess.datasets import Track
from mess.errors import MessError, MissingDependency, shown_path
from mess.records.manifest import AudioIdentity
from pipelines.engine import Outcome, Outcomes, Todo, audio_identity, raise_error

Read = TypeVar("Read")
Computed = TypeVar("Computed")
Result = TypeVar("Result")
_STORE_BYTES = 1 << 30  # of shared memory, where Ray is started on this machine alone
_ATTEMPTS = 4  # at a recording whose process dies: it may be what kills it
_BLOCKS = 10_000  # parts of the work, at most: one recording each, if there are no more


@dataclass(frozen=True)
class _Failed:
    """Why something was not computed. An error may not survive the way between processes."""

    reason: str
    memory: bool = False
    all_tracks: bool = False  # no other track can be computed, either

    @classmethod
    def of(cls, error: Exception) -> "_Failed":
        return cls(str(error), memory=isinstance(error, MemoryError))


@dataclass(frozen=True)
class _Item:
    """A track on its way: what is wanted, what was read, what was computed for each step."""

    number: int
    track: Track
    lacking: list[str]
    identity: AudioIdentity | None = None
    read: Any = None
    made: dict[str, Any] = field(default_factory=dict)  # or a `_Failed`


class Cluster:
    """A Ray cluster that this process is connected with. Made by `ray_cluster`."""

    def __init__(self) -> None:
        import ray

        resources = ray.cluster_resources()
        self.nodes = sum(1 for node in ray.nodes() if node["Alive"])
        self.processors = int(resources.get("CPU", 0))
        self.gpus = int(resources.get("GPU", 0))

    def device(self, wanted: str, network: bool) -> str:
        """Return "cuda" or "cpu": where actors compute. ``network`` says if a GPU is of use."""
        if wanted not in ("auto", "cpu", "cuda"):
            raise MessError(f"device {wanted!r}: there are auto, cpu, cuda")
        if wanted == "cuda" and not self.gpus:
            raise MessError("device 'cuda': the Ray cluster has no GPU; use --device cpu")
        return "cuda" if wanted == "cuda" or (self.gpus and wanted == "auto" and network) else "cpu"

    def run(self, function: Callable[[], Result], *, gpu: bool) -> Result:
        """Return what a function returns on a machine of the cluster.

        Raises
        ------
        MessError
            As the function does.
        """
        import ray

        remote = ray.remote(num_cpus=0 if gpu else 1, num_gpus=1 if gpu else 0)(_told)
        with _clear_errors():
            told = ray.get(remote.remote(function))
        if isinstance(told, _Failed):
            raise MessError(told.reason)
        return told


def _told(function: Callable[[], Result]) -> Result | _Failed:
    try:
        return function()
    except MessError as error:
        return _Failed.of(error)


@contextmanager
def ray_cluster() -> Iterator[Cluster]:
    """Connect with a Ray cluster while the block runs.

    It is the one that ``RAY_ADDRESS`` names, else one that runs on this machine. Where there is
    none, Ray is started on this machine until the block ends.

    Raises
    ------
    MissingDependency
        If Ray is not installed.
    MessError
        If the cluster that is named cannot be reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    try:
        import ray
        import ray.data
    except ImportError:
        raise MissingDependency("ray (needed for --engine ray)", "ray") from None
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    ours = not ray.is_initialized()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if ours:
            _connect()
            for number, handler in handlers.items():  # Ray sets its own: it ends without a word
                with suppress(ValueError):  # in a thread, neither Ray nor we can
                    signal.signal(number, handler)
        cluster = Cluster()
        print(
            f"ray: {_count(cluster.nodes, 'machine')}, {_count(cluster.processors, 'processor')}, "
            f"{_count(cluster.gpus, 'GPU')}",
            file=sys.stderr,
            flush=True,
        )
        yield cluster
    finally:
        if ours:
            ray.shutdown()


def _connect() -> None:
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    named = os.environ.get("RAY_ADDRESS")
    try:
        host, _, port = (named or "").rpartition(":")
        if port.isdigit():  # Ray itself waits for minutes
            socket.create_connection((host.rpartition("/")[2], int(port)), timeout=10).close()
        ray.init(address=named or "auto", **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        if named:
            raise MessError(
                f"no Ray cluster answers at {named} (RAY_ADDRESS): start one by `ray start "
                f"--head`, or correct the address ({str(error).splitlines()[0]})"
            ) from None
        ray.init(
            address="local", include_dashboard=False, object_store_memory=_STORE_BYTES, **quiet
        )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


class RayEngine(Generic[Read, Computed]):
    """Computes on a cluster. Functions and classes that it gets are sent to other processes.

    Parameters
    ----------
    cluster : Cluster
    root : Path
        The folder of the recordings. Other machines get whole paths.
    read : callable
        (track, names of the steps that lack it) → what is read of it.
    load : callable, optional
        Called once in each actor; returns (track, name of a step, what was read) → what is
        computed. Without it, what was read is the computed, and there are no actors.
    gpu : bool
        Whether each actor has a GPU.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        root: Path,
        read: Callable[[Track, Sequence[str]], Read],
        load: Callable[[], Callable[[Track, str, Read], Computed]] | None = None,
        gpu: bool = False,
    ) -> None:
        self._cluster, self._root = cluster, root
        self._read, self._load, self._gpu = read, load, gpu

    def compute(self, todo: Todo) -> Outcomes[Computed]:
        """Yield every track in its order; see `pipelines.engine.Engine`."""
        if not todo:
            return
        import ray

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True
        items = [
            {"item": _Item(number, _elsewhere(track), list(lacking))}
            for number, (track, lacking) in enumerate(todo)
        ]
        rows = ray.data.from_items(items, override_num_blocks=min(len(items), _BLOCKS))
        with _clear_errors():
            for row in self._planned(rows, _counter()).iter_rows():
                item: _Item = row["item"]
                track, lacking = todo[item.number]
                yield track, {name: self._outcome(item, track, name) for name in lacking}

    def _planned(self, rows: Any, counter: Any) -> Any:
        """Return the plan: tasks that read, actors that compute, or actors that do both."""
        from ray.data import ActorPoolStrategy

        how = {"read": self._read, "counter": counter}
        if self._load is None or self._gpu:
            rows = rows.map(_read_item, fn_kwargs=how, num_cpus=1)
        if self._load is None:
            return rows
        most = self._cluster.gpus if self._gpu else self._cluster.processors
        return rows.map(
            _Actor,
            fn_constructor_kwargs={**how, "load": self._load, "reads": not self._gpu},
            compute=ActorPoolStrategy(min_size=1, max_size=max(1, most)),
            num_cpus=0 if self._gpu else 1,
            num_gpus=1 if self._gpu else 0,
        )

    def _outcome(self, item: _Item, track: Track, name: str) -> Outcome[Computed]:
        made = item.made.get(name, item.read)
        if not isinstance(made, _Failed):
            identity = item.identity
            assert identity is not None  # noqa: S101 (read before anything is made)
            return lambda: (identity, made)
        if made.memory:
            return partial(raise_error, MemoryError())
        error = MessError(made.reason.replace(str(item.track.path), str(track.path)))
        if made.all_tracks:
            raise error
        return partial(raise_error, error)


def _elsewhere(track: Track) -> Track:
    """Return a track by its whole path: other processes work in other folders."""
    midi = track.midi_path
    return replace(track, path=track.path.absolute(), midi_path=midi and midi.absolute())


class _Counter:
    """Counts how often each recording was begun, at each stage."""

    def __init__(self) -> None:
        self._attempts: Counter[tuple[str, int]] = Counter()

    def count(self, stage: str, number: int) -> int:
        self._attempts[stage, number] += 1
        return self._attempts[stage, number]


def _counter() -> Any:
    """Return a counter that lives as long as this process, on the same machine."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0, scheduling_strategy=here)(_Counter).remote()


def _given_up(item: _Item, stage: str, counter: Any) -> _Failed | None:
    """Count an attempt at a recording; return why it is the last, if it is one too many.

    Ray does the work of a dead process again, for ever. So a recording that kills its process would
    keep the run from ending.
    """
    import ray

    if ray.get(counter.count.remote(stage, item.number)) <= _ATTEMPTS:
        return None
    path = shown_path(item.track.path)
    return _Failed(
        f"{path}: its process died {_ATTEMPTS} times; leave it out, or give processes more memory"
    )


def _read_item(
    row: dict[str, _Item], *, read: Callable[[Track, Sequence[str]], Any], counter: Any
) -> dict[str, _Item]:
    item = row["item"]
    if failed := _given_up(item, "read", counter):
        return {"item": replace(item, read=failed)}
    try:
        identity = audio_identity(item.track)
        return {"item": replace(item, identity=identity, read=read(item.track, item.lacking))}
    except (MessError, MemoryError) as error:
        return {"item": replace(item, read=_Failed.of(error))}


class _Actor:
    """Keeps what computes, for one recording after another."""

    def __init__(
        self,
        *,
        load: Callable[[], Callable[[Track, str, Any], Any]],
        read: Callable[[Track, Sequence[str]], Any],
        reads: bool,
        counter: Any,
    ) -> None:
        self._read, self._reads, self._counter = read, reads, counter
        try:
            self._compute: Callable[[Track, str, Any], Any] | _Failed = load()
        except MessError as error:
            self._compute = replace(_Failed.of(error), all_tracks=True)

    def __call__(self, row: dict[str, _Item]) -> dict[str, _Item]:
        compute = self._compute
        if self._reads:
            row = _read_item(row, read=self._read, counter=self._counter)
        item = row["item"]
        if isinstance(compute, _Failed):
            return {"item": replace(item, read=compute)}
        if not self._reads and (failed := _given_up(item, "compute", self._counter)):
            return {"item": replace(item, read=failed)}
        if isinstance(item.read, _Failed):
            return {"item": item}
        made: dict[str, Any] = {}
        for name in item.lacking:
            try:
                made[name] = compute(item.track, name, item.read)
            except (MessError, MemoryError) as error:
                made[name] = _Failed.of(error)
        return {"item": replace(item, read=None, made=made)}


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Turn what the cluster itself could not do into one line; a defect keeps its traceback."""
    from ray import exceptions

    gone = (
        exceptions.RayActorError,
        exceptions.WorkerCrashedError,
        exceptions.NodeDiedError,
        exceptions.ObjectLostError,
        exceptions.OutOfMemoryError,
        exceptions.RaySystemError,
    )
    try:
        yield
    except gone as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise MessError(
            f"ray: the cluster could not do the work ({first}): see what `ray status` says; "
            "what was finished is kept, and the same command goes on"
        ) from None
