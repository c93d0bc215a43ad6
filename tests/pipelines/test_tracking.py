"""Every discovery is an MLflow run, a sweep is a parent with children, and neither is required."""

import importlib.util
import itertools
import json
import os
import shutil
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from layouts import write_smd

from mess.records.discovery import DiscoveryRecord
from mess.storage.store import Store
from mess.targets import TARGETS
from mess.tracking.recording import start_run
from pipelines.compute_targets import compute_dataset_targets
from pipelines.extract_features import extract_features
from pipelines.run_probing import ProbeSettings, run_probing, sweep

pytestmark = pytest.mark.skipif(find_spec("mlflow") is None, reason="MLflow is of the extra 'ml'")

# What is computed is nothing to what is recorded of it.
QUICK = ProbeSettings(
    folds=3, permutations=19, bootstrap=29, repeats=1, controls=False, frames="off"
)


@pytest.fixture(scope="module")
def no_uri() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield


@pytest.fixture(scope="module")
def store(empty_mlflow: Path, tmp_path_factory: pytest.TempPathFactory, no_uri: None) -> Store:
    """A library with one run and one sweep."""
    store = Store(tmp_path_factory.mktemp("tracked") / "data")
    write_smd(store.audio_dir("smd"), seconds=3.0)
    shutil.copy(empty_mlflow, store.mlflow_db)
    extract_features(dataset="smd", encoder="spectral", store=store)
    compute_dataset_targets(dataset="smd", store=store)
    run_probing(
        dataset="smd",
        encoder="spectral",
        settings=replace(QUICK, alpha=2.0, folds=4, seed=3),
        store=store,
    )
    settings = [
        replace(QUICK, alpha=alpha, folds=folds)
        for alpha, folds in itertools.product([0.1, 1.0], [3, 4])
    ]
    sweep(dataset="smd", encoder="spectral", settings=settings, store=store)
    return store


@pytest.fixture
def own(store: Store, tmp_path: Path) -> Store:
    """A copy of it, in which a test may record."""
    shutil.copytree(store.root, tmp_path / "data")
    return Store(tmp_path / "data")


def runs(uri: str) -> list[Any]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name("mess")
    return client.search_runs([found.experiment_id]) if found else []


def pipes() -> set[str]:
    """Return the pipes that this process has open."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.add(str(path.readlink()))
    return {name for name in found if name.startswith("pipe:")}


def sqlite(store: Store) -> str:
    return f"sqlite:///{store.mlflow_db}"


def parent_of(run: Any) -> str | None:
    return run.data.tags.get("mlflow.parentRunId")


@pytest.fixture(scope="module")
def single(store: Store) -> Any:
    (found,) = (run for run in runs(sqlite(store)) if run.data.params.get("alpha") == "2.0")
    return found


def test_a_run_has_its_settings(single: Any) -> None:
    assert single.info.status == "FINISHED"
    assert single.data.params == {
        "dataset": "smd",
        "encoder": "spectral",
        "alpha": "2.0",
        "folds": "4",
        "samples": "None",
        "level": "track",
        "pooling": "mean",
        "seed": "3",
        "permutations": "19",
        "bootstrap": "29",
        "group_by": "('work', 'composer')",
        "repeats": "1",
        "controls": "False",
        "frames": "off",
        "own_split": "True",
    }


def test_a_run_has_the_digests_of_what_went_in(store: Store, single: Any) -> None:
    tags = single.data.tags
    assert (tags["dataset"], tags["encoder"]) == ("smd", "spectral")
    assert tags["features"] == store.features.manifest("smd", "spectral").digest()
    assert tags["targets"] == store.targets.manifest("smd").digest()


def record_of(run: Any, store: Store) -> DiscoveryRecord:
    folder = store.mlflow_artifacts / run.info.artifact_uri.removeprefix("mlflow-artifacts:/")
    (path,) = folder.rglob("*.json")
    return DiscoveryRecord.from_json(json.loads(path.read_text()))


def test_a_run_has_every_cell_as_metric_and_artifact(store: Store, single: Any) -> None:
    record = record_of(single, store)
    assert record.settings.alpha == 2.0
    scores = {
        f"r2/{cell.target}/layer_{cell.layer:02d}": cell.r2
        for cell in record.cells
        if cell.r2 is not None
    }
    assert len(record.cells) == len(record.layer_names) * len(TARGETS)
    metrics = single.data.metrics
    assert {key: metrics[key] for key in metrics if key.startswith("r2/")} == pytest.approx(scores)
    best = max(value for key, value in scores.items() if key.startswith("r2/spectral_centroid/"))
    assert metrics["best_r2/spectral_centroid"] == pytest.approx(best)


def test_artifacts_lie_below_the_data_root(store: Store, single: Any) -> None:
    assert record_of(single, store).cells
    assert not Path("mlruns").exists()
    assert not Path("mlartifacts").exists()


def test_a_sweep_is_a_parent_with_a_child_for_each_setting(store: Store) -> None:
    found = runs(sqlite(store))
    (parent,) = {parent_of(run) for run in found} - {None}
    children = [run for run in found if parent_of(run) == parent]
    assert len(found) == 6  # the single run, the parent, four children
    assert {(run.data.params["alpha"], run.data.params["folds"]) for run in children} == {
        ("0.1", "3"),
        ("0.1", "4"),
        ("1.0", "3"),
        ("1.0", "4"),
    }
    for run in children:
        assert record_of(run, store).settings.alpha == float(run.data.params["alpha"])
        assert run.data.metrics
    assert store.discoveries.read("smd", "spectral").settings.folds == 3


def test_without_mlflow_nothing_is_recorded(own: Store) -> None:
    before = len(runs(sqlite(own)))
    settings = [replace(QUICK, alpha=alpha) for alpha in (0.1, 1.0)]
    sweep(dataset="smd", encoder="spectral", settings=settings, store=own, tracking=False)
    assert len(runs(sqlite(own))) == before


def test_the_users_own_tracking_server_is_used(
    own: Store, tmp_path: Path, empty_mlflow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(runs(sqlite(own)))
    shutil.copy(empty_mlflow, tmp_path / "elsewhere.db")
    uri = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.chdir(tmp_path)  # without an artifact root of ours, MLflow takes the current one
    run_probing(dataset="smd", encoder="spectral", settings=QUICK, store=own)
    assert os.environ["MLFLOW_TRACKING_URI"] == uri
    assert len(runs(uri)) == 1
    assert len(runs(sqlite(own))) == before


@pytest.mark.long
def test_two_stores_in_one_process_keep_their_runs_apart(
    own: Store, tmp_path: Path, empty_mlflow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    before = len(runs(sqlite(own)))
    other = Store(tmp_path / "other")
    other.root.mkdir()
    shutil.copy(empty_mlflow, other.mlflow_db)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ResourceWarning)
        others = pipes()
        with start_run("first", store=other):
            pass
        first = pipes() - others
        with start_run("second", store=own):
            pass
        deadline = time.monotonic() + 60
        while pipes() & first and time.monotonic() < deadline:
            time.sleep(0.02)  # the first process ends
    assert not [str(one.message) for one in said if "unclosed file" in str(one.message)]
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert len(runs(sqlite(other))) == 1
    assert len(runs(sqlite(own))) == before + 1


def test_an_error_marks_the_run_as_failed(own: Store) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        start_run("broken", store=own, tags={"dataset": "x"}),
    ):
        raise ZeroDivisionError
    (broken,) = (run for run in runs(sqlite(own)) if run.info.run_name == "broken")
    assert broken.info.status == "FAILED"


def test_a_machine_without_mlflow_is_told_both_ways_out(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = f"sqlite:///{store.root / 'elsewhere.db'}"  # a store that no process answers for
    monkeypatch.setenv("MLFLOW_TRACKING_URI", elsewhere)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with start_run("x", store=store) as run:
        run.params({"a": 1})
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install -e '.[ml]'" in line and "--no-mlflow" in line
    with start_run("x", store=store, enabled=False) as run:
        run.params({"a": 1})
        run.metrics({"b": None})
        run.record("c.json", {"d": 2})
    assert capsys.readouterr().err == ""
