"""MLflow may be damaged, locked, newer, away or slow: the work is done, and one line says so.

And the data root may be moved: nothing in it holds its own path.
"""

import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from layouts import SMD_IDS, write_smd
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from dashboard.jobs import queue as jobs
from dashboard.server import mlflow_server
from mess.records.discovery import ProbeSettings
from mess.storage.store import Store
from mess.tracking.reading import read_discovery_of, read_metrics, read_runs, server_address
from mess.tracking.recording import start_run
from pipelines.cli import build_app
from pipelines.options import INCOMPLETE
from pipelines.run_all import run_all
from pipelines.run_probing import run_probing

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(find_spec("mlflow") is None, reason="MLflow is of the extra 'ml'"),
]

QUICK = ProbeSettings(
    folds=3, permutations=0, bootstrap=10, repeats=1, controls=False, frames="off"
)


@pytest.fixture(scope="module", autouse=True)
def no_uri() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, no_uri: None) -> tuple[Path, Path]:
    """A root on which everything ran, with a bad recording, moved; and then one run more."""
    folder = tmp_path_factory.mktemp("moving")
    before, after = folder / "the old place", folder / "the new place"
    audio = write_smd(before / "audio" / "smd", seconds=3.0)
    next(audio.rglob(f"*{SMD_IDS[0]}*.wav")).write_bytes(b"no audio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESS_DATA", str(before))
        assert not run_all(dataset="smd", encoder="spectral")
        job = ["extract", "--dataset", "smd", "--encoder", "spectral"]
        jobs.add(Store(before), dataset="smd", command=job)
        while jobs.active_jobs(Store(before)):
            time.sleep(0.05)
    before.rename(after)
    run_probing(dataset="smd", encoder="spectral", settings=QUICK, store=Store(after))
    return before, after


@pytest.fixture
def store(places: tuple[Path, Path], tmp_path: Path) -> Store:
    """A copy of that root's record alone."""
    shutil.copy(places[1] / "mlflow.db", tmp_path / "mlflow.db")
    return Store(tmp_path)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on standard error."""
    (line,) = capsys.readouterr().err.splitlines()
    return line


def _experiments() -> None:
    """Draw the page Experiments: Streamlit runs this text as a script."""
    from dashboard.pages.experiments import main

    main()


def test_a_moved_root_writes_at_its_new_place(places: tuple[Path, Path]) -> None:
    before, after = places
    assert not before.exists()
    runs = read_runs(Store(after))
    assert [run.kind for run in runs] == ["probe", "evaluate", "probe"]
    for run in runs[::2]:
        assert read_discovery_of(Store(after), run).dataset == "smd"
    assert len(list((after / "mlartifacts").rglob("*.json"))) == 3


def test_no_artifact_holds_the_path_of_its_root(places: tuple[Path, Path]) -> None:
    before, after = places
    files = [path for path in after.rglob("*") if path.is_file() and path.suffix != ".log"]
    assert len(files) > 50
    for path in files:
        content = path.read_bytes()
        assert not any(str(place).encode() in content for place in (before, after)), path
    failed = Store(after).features.manifest("smd", "spectral").failed()[SMD_IDS[0]]
    assert failed.startswith(f"wav/{SMD_IDS[0]}") or SMD_IDS[0] in failed.split(":")[0]
    (job,) = jobs.ended_jobs(Store(after))
    assert SMD_IDS[0] in job.message


def test_a_store_that_an_older_version_made_forgets_its_place(store: Store) -> None:
    old = "file:///once/mlartifacts/data/mlartifacts"
    with sqlite3.connect(store.mlflow_db) as db:
        db.execute("UPDATE experiments SET artifact_location = ? WHERE name = 'mess'", (old,))
        db.execute("UPDATE runs SET artifact_uri = ? || '/' || run_uuid || '/artifacts'", (old,))
    db.close()
    with start_run("probe again", store=store) as run:
        run.record("found.json", {"a": 1})
    with sqlite3.connect(store.mlflow_db) as db:
        uris = db.execute("SELECT run_uuid, artifact_uri FROM runs").fetchall()
        ((latest,),) = db.execute("SELECT run_uuid FROM runs WHERE name = 'probe again'")
    db.close()
    assert len(uris) == 4
    assert {uri for _, uri in uris} == {f"mlflow-artifacts:/{run}/artifacts" for run, _ in uris}
    assert b"once" not in store.mlflow_db.read_bytes()
    (found,) = store.mlflow_artifacts.rglob("found.json")
    assert found.parts[-3] == latest


def test_a_newer_mlflow_costs_a_line_and_no_result(
    places: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "newer")
    shutil.copytree(places[1], store.root)
    monkeypatch.setenv("MESS_DATA", str(store.root))
    with sqlite3.connect(store.mlflow_db) as db:
        db.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    db.close()
    command = (
        "probe --dataset smd --encoder spectral --folds 4 --repeats 1 --permutations 0 "
        "--bootstrap 10 --no-controls --frames off"
    )
    ended = CliRunner().invoke(build_app(), command.split(), catch_exceptions=False)
    assert ended.exit_code == INCOMPLETE, ended.stderr  # one recording of these is damaged
    assert store.discoveries.read("smd", "spectral").settings.folds == 4
    (line,) = (line for line in ended.stderr.splitlines() if line.startswith("warning: "))
    assert f"{store.mlflow_db}: was written by another version of MLflow" in line
    assert "this run is not recorded in MLflow, its results are kept (--no-mlflow" in line


@pytest.mark.parametrize("kind", ["locked", "damaged", "cannot be written"])
def test_a_store_that_cannot_be_used_is_one_line_within_seconds(
    kind: str, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    other = sqlite3.connect(store.mlflow_db)
    if kind == "locked":
        other.execute("BEGIN EXCLUSIVE")
    elif kind == "damaged":
        store.mlflow_db.write_bytes(store.mlflow_db.read_bytes()[: 1 << 17])
    else:
        store.mlflow_db.unlink()
        store.mlflow_db.mkdir()
    began = time.monotonic()
    with start_run("probe x", store=store) as run:
        run.params({"a": 1})
    other.close()
    assert time.monotonic() - began < 60
    assert kind in (line := said(capsys)) and "--no-mlflow" in line


def test_a_store_that_fails_in_the_middle_is_one_line(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    done = []
    with start_run("probe x", store=store) as run:
        run.params({"a": 1})
        run.wait()
        store.mlflow_db.write_bytes(b"no database" * 1000)
        run.metrics({"b": 2.0})
        run.record("c.json", {})
        done.append(run)
    assert done
    assert "is damaged" in (line := said(capsys))
    assert "the record of this run is not whole in MLflow, its results are kept" in line


def test_a_run_whose_process_is_killed_is_marked_so(store: Store) -> None:
    program = (
        "import os, signal, sys; from mess.storage.store import Store\n"
        "from mess.tracking.recording import start_run\n"
        "with start_run('probe killed', store=Store(sys.argv[1])) as run:\n"
        "    run.wait(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(store.root)], check=False)
    assert ended.returncode == -signal.SIGKILL
    until = time.monotonic() + 120
    while (run := read_runs(store)[0]).status == "RUNNING" and time.monotonic() < until:
        time.sleep(0.1)
    assert (run.name, run.status) == ("probe killed", "KILLED")


def test_a_tracking_server_is_written_to_and_read_from_and_may_be_gone(
    places: tuple[Path, Path],
    tmp_path: Path,
    empty_mlflow: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    away = Store(tmp_path / "away")
    away.root.mkdir()
    shutil.copy(empty_mlflow, away.mlflow_db)
    mlflow_server.start(away)
    until = time.monotonic() + 120
    while (server := mlflow_server.find(away)) is None or not server.ready:
        assert time.monotonic() < until, mlflow_server.last_line(away)
        time.sleep(0.1)
    store = Store(places[1])
    before = store.mlflow_db.read_bytes()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
    record = run_probing(dataset="smd", encoder="spectral", settings=QUICK, store=store)
    assert capsys.readouterr().err.count("warning") == 0
    (run,) = read_runs(store)
    assert (run.kind, run.status, run.params["folds"]) == ("probe", "FINISHED", "3")
    assert read_metrics(store, run.id)["r2/tempo/layer_00"] == pytest.approx(
        next(c.r2 for c in record.cells if (c.target, c.layer) == ("tempo", 0))
    )
    assert read_discovery_of(store, run).cells == record.cells
    assert list((away.root / "mlartifacts").rglob("spectral.json"))
    assert server_address(store) == server.address
    assert store.mlflow_db.read_bytes() == before
    monkeypatch.setenv("MESS_DATA", str(store.root))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # AppTest puts its own
    page = AppTest.from_function(_experiments, default_timeout=60)
    page.session_state["dataset"], page.session_state["encoder"] = "smd", "spectral"
    page.run()
    assert not page.exception and not page.warning
    (ticked,) = (one for one in page.multiselect if one.label == "Ticked runs")
    assert [name.rsplit(maxsplit=1)[-1] for name in ticked.options] == [f"({run.id[:8]})"]
    assert page.get("link_button")[-1].proto.url == server.address
    mlflow_server.stop(away)
    run_probing(dataset="smd", encoder="spectral", settings=QUICK, store=store)
    (line,) = (one for one in capsys.readouterr().err.splitlines() if "warning" in one)
    assert f"{server.address}: does not answer" in line and "--no-mlflow" in line


def test_a_server_that_accepts_and_never_answers_is_given_up(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"http://me:secret@127.0.0.1:{deaf.getsockname()[1]}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
        with start_run("probe x", store=store) as run:
            run.params({"a": 1})
    line = said(capsys)
    assert "does not answer" in line and "secret" not in line
