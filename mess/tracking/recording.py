"""The record of every run, in MLflow; a run without it is the same run.

The store is SQLite below the data root unless ``MLFLOW_TRACKING_URI`` names another. What is
recorded goes to MLflow's client in another process (`mess.tracking.mlflow_process`) while the work
goes on.
A store that does not take it costs one line on standard error and some seconds, never the work.
"""

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mess.errors import MessError
from mess.storage.store import Store
from mess.tracking.mlflow_client import EXPERIMENT, sqlite_path
from mess.tracking.mlflow_process import MlflowProcess

__all__ = ["EXPERIMENT", "OpenRun", "is_own", "start_run", "tracking_uri"]


class OpenRun:
    """An open MLflow run, or nothing at all when tracking is off.

    Its methods never raise and all but `wait` return at once: MLflow is told in the background.

    Examples
    --------
    >>> OpenRun(None).metrics({"r2": 0.5})  # tracking is off: nothing happens
    """

    def __init__(self, process: MlflowProcess | None, name: str = "") -> None:
        self._process, self._name = process, name
        self._id = ""  # as MLflow numbers it; known when it has answered
        self._failed = False

    def params(self, values: Mapping[str, Any]) -> None:
        """Record settings."""
        self._later("params", values={key: str(value) for key, value in values.items()})

    def metrics(self, values: Mapping[str, float | None]) -> None:
        """Record results; those that are undefined are left out."""
        self._later("metrics", values={k: float(v) for k, v in values.items() if v is not None})

    def record(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a value with the run, as a JSON file."""
        self._later("record", name=name, value=dict(value))

    def _begin(self, tags: Mapping[str, str], parent: "OpenRun | None") -> None:
        def work() -> None:
            if parent is not None and parent._failed:
                self._failed = True  # it was told
                return
            above = parent._id if parent is not None else ""
            self._id = self._ask("start", name=self._name, tags=dict(tags), parent=above) or ""

        if self._process is not None:
            self._process.later(work)

    def _end(self, status: str) -> None:
        self._later("end", status=status)
        if status != "KILLED":  # who stops the work does not wait
            self.wait()

    def wait(self) -> None:
        """Wait until MLflow knows all that it was told, or has failed: seconds at most."""
        if self._process is not None:
            told = threading.Event()
            self._process.later(told.set)
            told.wait()

    def _later(self, what: str, **fields: Any) -> None:
        if self._process is not None:
            self._process.later(lambda: self._ask(what, run=self._id, **fields))

    def _ask(self, what: str, **fields: Any) -> Any:
        if self._failed or self._process is None:
            return None
        try:
            return self._process.ask(what, **fields)
        except MessError as error:
            self._failed = True
            lost = "the record of this run is not whole" if self._id else "this run is not recorded"
            print(
                f"warning: {error}; {lost} in MLflow, its results are kept "
                "(--no-mlflow leaves MLflow out)",
                file=sys.stderr,
                flush=True,
            )
            return None


def tracking_uri(store: Store) -> str:
    """Return where runs are recorded.

    Examples
    --------
    >>> tracking_uri(Store("."))
    'sqlite:////.../mlflow.db'
    """
    default = f"sqlite:///{store.mlflow_db.absolute().as_posix()}"
    return os.environ.get("MLFLOW_TRACKING_URI") or default


def is_own(store: Store) -> bool:
    """Tell whether runs are recorded below the data root.

    Examples
    --------
    >>> is_own(Store("."))
    True
    """
    path = sqlite_path(tracking_uri(store))
    return path is not None and path.resolve() == store.mlflow_db.resolve()


def client_process(store: Store, *, write: bool) -> MlflowProcess:
    """Return a process that answers for the store of a data root; it starts when it is asked."""
    artifacts = str(store.mlflow_artifacts.absolute()) if is_own(store) else ""
    return MlflowProcess(tracking_uri(store), artifacts=artifacts, write=write)


@contextmanager
def start_run(
    name: str,
    *,
    store: Store,
    tags: Mapping[str, str] | None = None,
    enabled: bool = True,
    parent: OpenRun | None = None,
) -> Iterator[OpenRun]:
    """Record a run from the beginning of the block to its end; an error marks it as failed.

    What MLflow does not take is told in one line on standard error; the block goes on.

    Parameters
    ----------
    name : str
        Shown in MLflow's list; its first word is the kind of run.
    store : Store
        Where the SQLite store and its artifacts lie.
    tags : mapping, optional
        Digests of what the run read.
    enabled : bool
        False makes the run a no-op.
    parent : OpenRun, optional
        The run that this one is a part of.

    Examples
    --------
    >>> with start_run("probe demo", store=Store("."), enabled=False) as run:
    ...     run.metrics({"r2": 0.5})  # recorded where ``enabled`` is True
    """
    if not enabled:
        yield OpenRun(None)
        return
    run = OpenRun(_writer(store), name)
    run._begin({"kind": name.partition(" ")[0]} | dict(tags or {}), parent)
    status = "FAILED"
    try:
        yield run
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        run._end(status)


_writers: dict[str, MlflowProcess] = {}  # one at most: that of the store that was asked last


def _writer(store: Store) -> MlflowProcess:
    process = client_process(store, write=True)
    if process.uri not in _writers:
        for other in _writers.values():
            other.later(other.close)
        _writers.clear()
        _writers[process.uri] = process
    return _writers[process.uri]
