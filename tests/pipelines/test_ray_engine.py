"""A Ray cluster makes what this machine makes, also if one of its machines dies."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits
from tones import write_tone

from mess.errors import MessError, MissingDependency
from mess.storage.store import Store
from pipelines.compute_targets import compute_dataset_targets
from pipelines.extract_features import extract_all
from pipelines.ray_engine import ray_cluster

TRACKS = 12


def write_recordings(folder: Path, count: int) -> Path:
    """Write short tones, one file that is no audio, and a MIDI that is none."""
    for number in range(count):
        write_tone(folder / f"{number:02}.wav", 1.5, seed=number, frequency=200 + 30 * number)
    (folder / "01b.wav").write_bytes(b"RIFF but no more")
    (folder / "01.mid").write_bytes(b"MThd")
    return folder


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster whose only processor is on a machine of its own."""
    from ray.cluster_utils import Cluster

    how = {"object_store_memory": 100 << 20, "include_dashboard": False, "wait": False}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **how})
    made.workers = [made.add_node(num_cpus=1, object_store_memory=100 << 20, wait=False)]
    made.wait_for_nodes(timeout=120)  # by itself it waits half a minute, which a busy machine needs
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ADDRESS", made.address)
        with ray_cluster():
            yield made
    made.shutdown()


def store_of(root: Path, recordings: Path) -> Store:
    store = Store(root)
    store.link_audio("mine", recordings)
    return store


def artifacts(store: Store, kind: str) -> dict[str, bytes]:
    folder = store.root / "processed" / kind
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name[0] != "."  # the lock
    }


def test_a_cluster_that_loses_its_machine_makes_the_same_features(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = write_recordings(tmp_path / "recordings", TRACKS)
    local, other = (store_of(tmp_path / name, recordings) for name in ("local", "other"))
    with threadpool_limits(1):  # as in the processes of a cluster: threads round otherwise
        extract_all(dataset="mine", encoders=["spectral"], store=local, workers=2)
    written = 0
    write = type(other.features).write

    def write_and_lose(*args: Any, **what: Any) -> Any:
        nonlocal written
        written += 1
        if written == 4:  # all that is in work is lost, and the encoder with it
            cluster.remove_node(cluster.workers.pop(), allow_graceful=False)
            how = {"num_cpus": 1, "object_store_memory": 100 << 20}
            cluster.workers.append(cluster.add_node(**how, wait=False))  # the work waits for it
        return write(*args, **what)

    monkeypatch.setattr(type(other.features), "write", write_and_lose)
    made = extract_all(dataset="mine", encoders=["spectral"], store=other, engine="ray")["spectral"]
    assert (made.made, list(made.failed)) == (TRACKS, ["01b"])
    assert len(artifacts(other, "features")) == 4 * TRACKS + 1
    assert artifacts(other, "features") == artifacts(local, "features")


@pytest.mark.long
def test_a_cluster_measures_the_same_targets(
    cluster: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings = write_recordings(tmp_path / "recordings", 3)
    local, other = (store_of(tmp_path / name, recordings) for name in ("local", "other"))
    compute_dataset_targets(dataset="mine", store=local, workers=2)
    warned = capsys.readouterr().err
    made = compute_dataset_targets(dataset="mine", store=other, engine="ray")
    said = capsys.readouterr().err
    assert (made.made, list(made.failed)) == (3, ["01b"])
    for line in warned.replace(str(local.root), str(other.root)).splitlines():
        assert line in said  # what a worker warns of, too
    assert artifacts(other, "targets").keys() == artifacts(local, "targets").keys()
    tables = [store.targets.read("mine") for store in (local, other)]
    assert list(tables[0].index) == list(tables[1].index)
    np.testing.assert_allclose(tables[0], tables[1], rtol=1e-5)  # threads may round otherwise


def test_a_cluster_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    with (
        pytest.raises(MessError, match=rf"no Ray cluster answers at 127.0.0.1:{port} .*refused"),
        ray_cluster(),
    ):
        pass


def test_without_ray_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    store = store_of(tmp_path, write_recordings(tmp_path / "recordings", 1))
    with pytest.raises(MissingDependency, match=r"ray .* `pip install -e '.\[ray\]'`"):
        extract_all(dataset="mine", encoders=["spectral"], store=store, engine="ray")
    assert not (tmp_path / "processed").exists()
