"""What a Ray cluster costs and survives: ``python -m benchmarks.cluster [--recordings 200]``.

Everything runs on this machine: a cluster is made of processes, and a machine of it is killed.
Short tones are extracted by ``spectral``, a small part of what another encoder costs, so that what
is measured is the cluster's own. Each process has one thread, also that of the local engine.
"""

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from threadpoolctl import threadpool_limits

from mess.audio.decoding import decode_at
from mess.datasets import Track
from mess.storage.store import Store
from pipelines.extract_features import extract_all
from pipelines.ray_engine import RayEngine, ray_cluster

RATE, SECONDS = 22_050, 30.0
_MEMORY = 200 << 20


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SystemExit(f"not as it must be: {otherwise}")


def _write_recordings(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    time_ = np.arange(round(SECONDS * RATE)) / RATE
    rng = np.random.default_rng(0)
    paths = []
    for number in range(count):
        wave = 0.3 * np.sin(2 * np.pi * (200 + 5 * number) * time_)
        wave += 0.01 * rng.standard_normal(wave.size)
        paths.append(folder / f"{number:04}.flac")
        soundfile.write(paths[-1], wave.astype(np.float32), RATE)
    return paths


@contextmanager
def _cluster(*, machines: int, gpus: int = 0) -> Iterator[Any]:
    """A cluster whose processors, one each, are on machines of their own."""
    from ray.cluster_utils import Cluster

    how = {"object_store_memory": _MEMORY}
    made = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **how}
    )
    add: Callable[[], Any] = lambda: made.add_node(num_cpus=1, num_gpus=gpus, **how)  # noqa: E731
    made.workers, made.add_worker = [add() for _ in range(machines)], add
    os.environ["RAY_ADDRESS"] = made.address
    try:
        with ray_cluster():
            yield made
    finally:
        del os.environ["RAY_ADDRESS"]
        made.shutdown()


class _Runs:
    """Extracts the same recordings into one folder after another."""

    def __init__(self, folder: Path, recordings: Path) -> None:
        self._folder, self._recordings, self._count = folder, recordings, 0

    def extract(self, **how: Any) -> tuple[float, dict[str, bytes]]:
        """Return the seconds that an extraction took, and every file that it made."""
        self._count += 1
        store = Store(self._folder / f"run{self._count}")
        store.link_audio("tones", self._recordings)
        began = time.perf_counter()
        made = extract_all(dataset="tones", encoders=["spectral"], store=store, **how)["spectral"]
        seconds = time.perf_counter() - began
        _must(not made.failed, f"{made.failed}")
        folder = store.root / "processed" / "features"
        return seconds, {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }


def _lose_a_machine(cluster: Any, *, at: int) -> Callable[[], None]:
    """Kill a machine of a cluster when so many recordings are written; return what ends that."""
    features = type(Store().features)
    write, written = features.write, 0

    def counted(*args: Any, **what: Any) -> Any:
        nonlocal written
        written += 1
        if written == at:
            cluster.remove_node(cluster.workers.pop(), allow_graceful=False)
        return write(*args, **what)

    features.write = counted  # type: ignore[method-assign]

    def stop() -> None:
        features.write = write  # type: ignore[method-assign]

    return stop


def _read_or_die(track: Track, _: object) -> float:
    """Read a recording; the third one kills the process that reads it."""
    if track.id == "2":
        os.kill(os.getpid(), signal.SIGKILL)
    return decode_at(track.path, (RATE,))[RATE].duration


def _survives_a_deadly_recording(paths: list[Path]) -> str:
    """Return what is said of a recording whose process always dies; the others are read."""
    todo = [(Track(id=str(n), path=path), ["read"]) for n, path in enumerate(paths[:6])]
    with ray_cluster() as cluster:
        engine = RayEngine[float, float](cluster, root=paths[0].parent, read=_read_or_die)
        said = ""
        for track, outcomes in engine.compute(todo):
            try:
                _must(outcomes["read"]()[1] == SECONDS, track.id)
            except Exception as error:
                _must(track.id == "2", f"{error}")
                said = str(error)
    return said.rpartition("/")[2]


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=200)
    count = parser.parse_args().recordings
    print(f"{os.cpu_count()} cores; {count} recordings of {SECONDS:g} s, spectral")
    with tempfile.TemporaryDirectory() as name, threadpool_limits(1):
        folder = Path(name)
        paths = _write_recordings(folder / "recordings", count)
        runs = _Runs(folder, folder / "recordings")
        plain, wanted = runs.extract(workers=1)
        print(f"local engine, one reading thread: {plain:.1f} s", flush=True)
        began = time.perf_counter()
        with _cluster(machines=1):
            print(f"a cluster is started: {time.perf_counter() - began:.1f} s", flush=True)
            first, made = runs.extract(engine="ray")
            _must(made == wanted, "other bytes")
            second, made = runs.extract(engine="ray")
            _must(made == wanted, "other bytes")
        print(
            f"one machine with one processor: {first:.1f} s, again {second:.1f} s: "
            f"{1000 * (second - plain) / count:+.0f} ms a recording; the same bytes",
            flush=True,
        )
        with _cluster(machines=2) as cluster:
            seconds, made = runs.extract(engine="ray")
            _must(made == wanted, "other bytes")
            print(f"two machines: {seconds:.1f} s; the same bytes", flush=True)
            stop = _lose_a_machine(cluster, at=count // 4)
            seconds, made = runs.extract(engine="ray")
            stop()
            _must(made == wanted, "other bytes")
            print(f"two machines, one of them killed: {seconds:.1f} s; the same bytes", flush=True)
            print(f"a deadly recording: {_survives_a_deadly_recording(paths)}", flush=True)
        with _cluster(machines=1, gpus=1):  # a GPU in name: spectral needs none
            seconds, made = runs.extract(engine="ray", device="cuda")
            _must(made == wanted, "other bytes")
            print(f"tasks read, an actor with a GPU encodes: {seconds:.1f} s; the same bytes")


if __name__ == "__main__":
    main()
