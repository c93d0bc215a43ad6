"""The MLflow client, as a separate process: ``python -m mess.tracking.mlflow_client SETTINGS``.

Each input line is a JSON object. The process answers with one line: the result, or ``problem``, a
line for people. `mess.tracking.mlflow_process` starts this process. So the import of MLflow, its
retries and its crashes do not affect the process that does the work. A tracking server that does
not answer is given up by ending this process. If the calling process ends, runs that are still open
are marked as killed.
"""

import json
import os
import socket
import sqlite3
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from mess.records.base import Json
from mess.records.run import RunRecord
from mess.storage.locks import wait_for_lock

EXPERIMENT = "mess"
ARTIFACTS = "mlflow-artifacts:/"  # relative to the server, so the data root may be moved
_IDLE_SECONDS = 300.0  # the process ends after so long without a request
_LOCK_SECONDS = 5.0
_HTTP = {  # the defaults of MLflow are 120 s and seven retries
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "6",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


class Client:
    """One tracking store, through MLflow's client.

    Parameters
    ----------
    uri : str
        MLflow's tracking URI.
    artifacts : str
        The folder of the artifacts if the store is that of the data root, else "".
    write : bool
        Whether runs are recorded; a reader does not change the store.
    """

    def __init__(self, uri: str, *, artifacts: str = "", write: bool) -> None:
        self._uri, self._write = uri, write
        self._artifacts = Path(artifacts) if artifacts else None
        self.open_runs: set[str] = set()
        path = sqlite_path(uri)
        self._folder = path.parent if path is not None and write else None
        if uri.startswith(("http://", "https://")):
            _check_server(uri)
        with _alone_in(self._folder):
            if path is not None:
                _check_sqlite(path, write=write)
                if write and self._artifacts is not None:
                    forget_absolute_paths(path)
            if self._artifacts is not None:
                os.chdir("/")  # MLflow writes the current folder into a new store
            from mlflow.tracking import MlflowClient

            self._client = MlflowClient(tracking_uri=uri)
        self._experiment: str | None = None

    def start(self, *, name: str, tags: dict[str, str], parent: str = "") -> str:
        """Start a run; return its id."""
        from mlflow.tracking.context.registry import resolve_tags

        if self._experiment is None:
            with _alone_in(self._folder):
                self._experiment = self._made_experiment()
        tags = {
            **resolve_tags({}),
            "mlflow.source.name": f"mess {name.partition(' ')[0]}",
            **({"mlflow.parentRunId": parent} if parent else {}),
            **tags,
        }
        run = self._client.create_run(self._experiment, run_name=name, tags=tags).info.run_id
        self.open_runs.add(run)
        return str(run)

    def params(self, *, run: str, values: dict[str, str]) -> None:
        """Record settings."""
        from mlflow.entities import Param

        self._client.log_batch(run, params=[Param(key, value) for key, value in values.items()])

    def metrics(self, *, run: str, values: dict[str, float]) -> None:
        """Record results."""
        from mlflow.entities import Metric

        now, most = int(time.time() * 1000), 1000  # MLflow's limit of a batch
        metrics = [Metric(key, value, now, 0) for key, value in values.items()]
        for first in range(0, len(metrics), most):
            self._client.log_batch(run, metrics=metrics[first : first + most])

    def record(self, *, run: str, name: str, value: Json) -> None:
        """Store a value with the run, as a JSON file."""
        if self._artifacts is None:
            self._client.log_dict(run, value, name)
            return
        from mess.storage.mlflow import write_run_file

        write_run_file(self._artifacts, run, name, value)

    def end(self, *, run: str, status: str) -> None:
        """End a run: FINISHED, FAILED or KILLED."""
        self._client.set_terminated(run, status)
        self.open_runs.discard(run)

    def runs(self) -> list[Json]:
        """Return every run of the experiment that is not deleted, the newest first."""
        experiment = self._client.get_experiment_by_name(EXPERIMENT)
        runs: list[Any] = []
        token: str | None = None
        while experiment is not None:
            page = self._client.search_runs(
                [experiment.experiment_id],
                max_results=1000,
                order_by=["attributes.start_time DESC", "attributes.run_id"],
                page_token=token,
            )
            runs += page
            token = page.token
            if not token:
                break
        return [_record(run).to_json() for run in runs]

    def metrics_of(self, *, run: str) -> dict[str, float]:
        """Return the last value of every metric of a run."""
        return dict(sorted(self._client.get_run(run).data.metrics.items()))

    def records_of(self, *, run: str) -> list[Json]:
        """Return the JSON files that were stored with a run."""
        records = []
        with TemporaryDirectory(prefix="mess-") as folder:
            for file in self._client.list_artifacts(run):
                if file.path.endswith(".json"):
                    path = self._client.download_artifacts(run, file.path, folder)
                    records.append(json.loads(Path(path).read_bytes()))
        return records

    def _made_experiment(self) -> str:
        experiment = self._client.get_experiment_by_name(EXPERIMENT)
        if experiment is not None:
            return str(experiment.experiment_id)
        location = None
        if self._artifacts is not None:
            location = ARTIFACTS
        elif (path := sqlite_path(self._uri)) is not None:
            location = (path.parent / "mlartifacts").as_uri()
        return str(self._client.create_experiment(EXPERIMENT, artifact_location=location))


@contextmanager
def _alone_in(folder: Path | None) -> Iterator[None]:
    """Hold the lock of a folder: two processes that make its store at once leave half of it."""
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        wait_for_lock(handle)
        yield
    finally:
        os.close(handle)


def sqlite_path(uri: str) -> Path | None:
    """Return the absolute path of an SQLite store, None for any other.

    >>> sqlite_path("sqlite:////tmp/mlflow.db").name
    'mlflow.db'
    """
    if not uri.startswith("sqlite:///"):
        return None
    name = uri.removeprefix("sqlite:///").partition("?")[0]
    return None if name.startswith("file:") else Path(name).absolute()


def forget_absolute_paths(path: Path) -> None:
    """Replace absolute paths in a store that an older version of MESS made.

    It recorded artifacts as ``file:///…/mlartifacts/…``. If the data root was moved, they would
    still be written to the old path. Only such addresses are replaced, by `ARTIFACTS`.
    """
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None)) as db:
        tables = {"experiments": "artifact_location", "runs": "artifact_uri"}
        for table, column in tables.items():
            if column not in {row[1] for row in db.execute(f"PRAGMA table_info({table})")}:
                return  # a new store, or a version of MLflow with another schema
        changed = 0
        db.execute("BEGIN IMMEDIATE")
        for table, column in tables.items():
            rows = db.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()  # noqa: S608
            for (old,) in rows:
                if str(old).startswith("file:") and "/mlartifacts/" in f"{old}/":
                    kept = f"{old}/".rpartition("/mlartifacts/")[2].rstrip("/")
                    update = f"UPDATE {table} SET {column} = ? WHERE {column} = ?"  # noqa: S608
                    changed += db.execute(update, (ARTIFACTS + kept, old)).rowcount
        db.execute("COMMIT")
        if changed:
            with suppress(
                sqlite3.Error
            ):  # another program is reading: the old bytes remain in the file
                db.execute("VACUUM")


def _check_sqlite(path: Path, *, write: bool) -> None:
    """Open a store with SQLite first, which reports an error at once; MLflow needs 100 s."""
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        target, uri = str(path), False
    else:
        target, uri = f"{path.as_uri()}?mode=ro", True
    db = sqlite3.connect(target, uri=uri, timeout=_LOCK_SECONDS, isolation_level=None)
    with closing(db):
        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if write:
            db.execute("BEGIN IMMEDIATE")
            db.execute(f"PRAGMA user_version = {int(version)}")  # begins a journal
            db.execute("ROLLBACK")


def _check_server(uri: str) -> None:
    """Connect to a tracking server first: MLflow retries several times and imports slowly."""
    parts = urlsplit(uri)
    host = parts.hostname or ""
    proxied = parts.scheme in getproxies() and not proxy_bypass(host)
    if not proxied:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((host, port), timeout=_LOCK_SECONDS).close()


def problem_of(error: BaseException, uri: str) -> str:
    """Return the problem of a store and its remedy, in one line."""
    text = " ".join(str(error).split())
    low = text.lower()
    where = str(sqlite_path(uri) or without_password(uri))
    if isinstance(error, ModuleNotFoundError):
        missing = (error.name or "mlflow").partition(".")[0]
        return f"{missing} is not installed: run `pip install -e '.[ml]'`"
    if "out-of-date database schema" in low or "can't locate revision" in low:
        return (
            f"{where}: was written by another version of MLflow than the {_version()} that is "
            f"installed: update MLflow, or, if it is the newer one, run `mlflow db upgrade {uri}`"
        )
    if "file is not a database" in low or "malformed" in low:
        return f"{where}: is damaged: move it away, and the next run begins a new record"
    if "database is locked" in low or "database table is locked" in low:
        return f"{where}: is locked by another program: try again when that is done"
    if "readonly database" in low or "unable to open database file" in low:
        return f"{where}: cannot be written: change its permissions"
    if "disk is full" in low or "no space left" in low:
        return f"{where}: no space is left: make room"
    unheard = isinstance(error, OSError) or "max retries" in low or "timed out" in low
    if uri.startswith(("http://", "https://")) and unheard:
        return f"{where}: does not answer: start that tracking server, or see MLFLOW_TRACKING_URI"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or where}: {error.strerror}"
    return f"{where}: {textwrap.shorten(text or type(error).__name__, 250, placeholder=' …')}"


def without_password(uri: str) -> str:
    """Return an address without its user name and password.

    >>> without_password("https://me:secret@mlflow.example/a")
    'https://mlflow.example/a'
    """
    scheme, separator, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}" if separator else uri


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    for name in ("mlflow", "mlflow-skinny"):
        with suppress(PackageNotFoundError):
            return version(name)
    return "version"


def _record(run: Any) -> RunRecord:  # a run of MLflow, which has no types
    scores = [value for key, value in run.data.metrics.items() if key.startswith("nested_r2/")]
    known = [value for value in scores if value == value]
    return RunRecord(
        id=run.info.run_id,
        name=run.info.run_name or "",
        experiment=str(run.info.experiment_id),
        status=run.info.status or "",
        started=run.info.start_time,
        ended=run.info.end_time,
        params=run.data.params,
        tags=run.data.tags,
        score=sum(known) / len(known) if known else None,
    )


def main(settings: Json) -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # packages may print; only answers go to the pipe
    for name, value in _HTTP.items():
        os.environ.setdefault(name, value)
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # the address is in the settings
    uri = str(settings["uri"])

    def answer(work: Callable[[], Any]) -> None:
        try:
            told = {"value": work()}
        except Exception as error:
            told = {"problem": problem_of(error, uri)}
        answers.write(json.dumps(told) + "\n")
        answers.flush()

    clients: list[Client] = []
    answer(lambda: clients.append(Client(**settings)))
    last = [time.monotonic()]
    threading.Thread(target=_end_when_idle, args=(clients, last), daemon=True).start()
    for line in sys.stdin:
        request = json.loads(line)
        method = getattr(clients[0], request.pop("do"))
        answer(lambda method=method, request=request: method(**request))  # type: ignore[misc]
        last[0] = time.monotonic()
    for client in clients:
        for run in sorted(client.open_runs):
            with suppress(Exception):
                client.end(run=run, status="KILLED")


def _end_when_idle(clients: list[Client], last: list[float]) -> None:
    while any(client.open_runs for client in clients) or (
        time.monotonic() - last[0] < _IDLE_SECONDS
    ):
        time.sleep(1.0)
    os._exit(0)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
