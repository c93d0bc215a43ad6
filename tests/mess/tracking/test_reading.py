"""The recorded runs are those that MLflow's own client tells; this process never imports it."""

import math
import shutil
import sqlite3
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from made_records import made_discovery

from mess.errors import ArtifactMissing, MessError
from mess.records.left_out import LeftOut
from mess.storage.store import Store
from mess.tracking.reading import (
    read_discovery_of,
    read_metrics,
    read_runs,
    runs_version,
    server_address,
)
from mess.tracking.recording import start_run

pytestmark = pytest.mark.skipif(find_spec("mlflow") is None, reason="MLflow is of the extra 'ml'")

RECORD = made_discovery(layer_names=["0"], target_names=["tempo"])


@pytest.fixture(scope="module")
def store(empty_mlflow: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store written by MLflow: a probe, a sweep of two, a failed evaluation, a deleted run."""
    store = Store(tmp_path_factory.mktemp("runs ü") / "data")
    store.root.mkdir()
    shutil.copy(empty_mlflow, store.mlflow_db)
    tags = {"dataset": "demo", "encoder": "spectral"}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with start_run("probe demo spectral", store=store, tags=tags) as run:
            run.params({"alpha": "auto", "folds": 10})
            run.metrics({"nested_r2/a": 0.25, "nested_r2/b": 0.75, "r2/a/layer_00": math.nan})
            run.record("spectral.json", RECORD.to_json())
        bad = f"{store.root}/audio/demo/a.wav: is empty; copy it again"
        with start_run("sweep demo spectral", store=store) as sweep:
            for folds in (3, 4):
                with start_run(
                    "probe demo spectral",
                    store=store,
                    tags=tags,
                    parent=sweep,
                    left_out=None if folds == 3 else LeftOut.among({"a": bad}, done=99),
                ) as run:
                    run.params({"folds": folds})
        with (
            pytest.raises(ZeroDivisionError),
            start_run("evaluate <b>x</b>", store=store, tags={"dataset": "<b>x</b>"}),
        ):
            raise ZeroDivisionError
        with start_run("probe gone", store=store):
            pass
    gone = read_runs(store)[0].id
    program = "import sys, mlflow; mlflow.MlflowClient(sys.argv[1]).delete_run(sys.argv[2])"
    uri = f"sqlite:///{store.mlflow_db}"
    subprocess.run([sys.executable, "-c", program, uri, gone], check=True)
    return store


def test_every_run_is_there_the_newest_first(store: Store) -> None:
    runs = read_runs(store)
    assert [(run.kind, run.status) for run in runs] == [
        ("evaluate", "FAILED"),
        ("probe", "FINISHED"),
        ("probe", "FINISHED"),
        ("sweep", "FINISHED"),
        ("probe", "FINISHED"),
    ]
    single = runs[-1]
    assert (single.dataset, single.encoder, single.params["folds"]) == ("demo", "spectral", "10")
    assert single.score == pytest.approx(0.5)
    assert single.started <= single.ended
    assert math.isnan(runs[0].score)
    assert runs[0].dataset == "<b>x</b>"
    assert [run.parent for run in runs] == ["", runs[3].id, runs[3].id, "", ""]


def test_a_run_without_some_recordings_is_incomplete_and_says_which(store: Store) -> None:
    runs = read_runs(store)
    outcomes = [run.outcome for run in runs]
    assert outcomes == ["FAILED", "INCOMPLETE", "FINISHED", "FINISHED", "FINISHED"]
    assert runs[1].left_out == (
        "99 of 100 recordings done; 1 could not be used: audio/demo/a.wav: is empty; copy it again"
    )
    assert runs[0].left_out == ""


def test_metrics_and_the_discovery_come_with_the_run(store: Store) -> None:
    single = read_runs(store)[-1]
    metrics = read_metrics(store, single.id)
    assert metrics["nested_r2/b"] == 0.75
    assert math.isnan(metrics["r2/a/layer_00"])
    assert read_discovery_of(store, single) == RECORD
    with pytest.raises(ArtifactMissing, match="the discovery of the run 'evaluate"):
        read_discovery_of(store, read_runs(store)[0])


def test_a_new_run_changes_the_version(store: Store) -> None:
    before = runs_version(store)
    assert before == runs_version(store)
    with start_run("probe later", store=store) as run:
        run.params({"a": 1})
    assert runs_version(store) != before


def test_mlflow_is_not_imported_and_nothing_is_written(store: Store) -> None:
    before = {path: path.stat().st_mtime_ns for path in store.root.rglob("*")}
    program = (
        "import sys\n"
        "from mess.storage.store import Store\n"
        "from mess.tracking.reading import read_runs\n"
        "assert read_runs(Store(sys.argv[1])); assert 'mlflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, str(store.root)], check=True)
    assert {path: path.stat().st_mtime_ns for path in store.root.rglob("*")} == before


def test_what_cannot_be_read_is_one_line(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = Store(tmp_path / "none")
    with pytest.raises(ArtifactMissing, match="mess probe"):
        read_runs(empty)
    assert not empty.root.exists()
    damaged = Store(tmp_path / "damaged")
    damaged.root.mkdir()
    damaged.mlflow_db.write_bytes(b"no database" * 1000)
    with pytest.raises(MessError, match="is damaged: move it away"):
        read_runs(damaged)
    other = Store(tmp_path / "other")
    other.root.mkdir()
    shutil.copy(store.mlflow_db, other.mlflow_db)
    with sqlite3.connect(other.mlflow_db) as db:
        db.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    db.close()
    with pytest.raises(MessError, match="another version of MLflow.*mlflow db upgrade sqlite:"):
        read_runs(other)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9/")
    with pytest.raises(MessError, match="^http://127.0.0.1:9/: does not answer") as caught:
        read_runs(store)
    assert "secret" not in str(caught.value)
    assert server_address(store) == "http://127.0.0.1:9"
    assert runs_version(store) == ()
