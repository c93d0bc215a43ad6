"""The runs that MLflow recorded are read from its own store, without MLflow."""

import math
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mess.errors import ArtifactMissing, MessError
from mess.runs import (
    read_discovery_of,
    read_metrics,
    read_runs,
    runs_version,
)
from mess.store import Store
from mess.tracking import start_run

pytest.importorskip("mlflow", reason="MLflow is of the extra 'ml'")

RECORD: dict[str, Any] = {"cells": [], "layer_names": ["0"], "target_names": ["tempo"]}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store written by MLflow: a probe, a sweep of two, a failed evaluation, a deleted run."""
    import mlflow

    store = Store(tmp_path_factory.mktemp("runs ü") / "data")
    tags = {"dataset": "demo", "encoder": "spectral"}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with start_run("probe demo spectral", store=store, tags=tags) as run:
            run.params({"alpha": "auto", "folds": 10})
            run.metrics({"nested_r2/a": 0.25, "nested_r2/b": 0.75, "r2/a/layer_00": math.nan})
            run.record("spectral.json", RECORD)
        with start_run("sweep demo spectral", store=store):
            for folds in (3, 4):
                with start_run("probe demo spectral", store=store, tags=tags, nested=True) as run:
                    run.params({"folds": folds})
        with (
            pytest.raises(ZeroDivisionError),
            start_run("evaluate <b>x</b>", store=store, tags={"dataset": "<b>x</b>"}),
        ):
            raise ZeroDivisionError
        with start_run("probe gone", store=store):
            gone = mlflow.active_run().info.run_id
        mlflow.delete_run(gone)
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


def test_metrics_and_the_discovery_come_with_the_run(store: Store, tmp_path: Path) -> None:
    single = read_runs(store)[-1]
    metrics = read_metrics(store, single.id)
    assert metrics["nested_r2/b"] == 0.75
    assert math.isnan(metrics["r2/a/layer_00"])
    assert read_discovery_of(store, single) == RECORD
    with pytest.raises(ArtifactMissing, match="the discovery of the run 'evaluate"):
        read_discovery_of(store, read_runs(store)[0])
    shutil.copytree(store.root, tmp_path / "moved")
    moved = Store(tmp_path / "moved")
    shutil.move(store.mlflow_artifacts, tmp_path / "away")
    try:
        assert read_discovery_of(moved, read_runs(moved)[-1]) == RECORD
    finally:
        shutil.move(tmp_path / "away", store.mlflow_artifacts)


def test_a_new_run_changes_the_version(store: Store) -> None:
    before = runs_version(store)
    assert before == runs_version(store)
    with start_run("probe later", store=store) as run:
        run.params({"a": 1})
    assert runs_version(store) != before


def test_mlflow_is_not_imported_and_nothing_is_written(store: Store) -> None:
    before = {path: path.stat().st_mtime_ns for path in store.root.rglob("*")}
    program = (
        "import sys; from mess.runs import read_runs; from mess.store import Store\n"
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
    with pytest.raises(MessError, match="cannot be read .*move it away"):
        read_runs(damaged)
    old = Store(tmp_path / "old")
    old.root.mkdir()
    shutil.copy(store.mlflow_db, old.mlflow_db)
    with sqlite3.connect(old.mlflow_db) as db:
        db.execute("ALTER TABLE latest_metrics RENAME COLUMN is_nan TO nan")
    db.close()
    with pytest.raises(MessError, match="not a store of MLflow 3.*lacks is_nan"):
        read_runs(old)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example")
    with pytest.raises(MessError, match="recorded at https://mlflow.example: open it there"):
        read_runs(store)
    assert runs_version(store) == ()
