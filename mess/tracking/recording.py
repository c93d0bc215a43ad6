"""Recording runs in MLflow; without MLflow, a run has the same results.

The store is SQLite below the data root unless ``MLFLOW_TRACKING_URI`` names another one. Records
are sent to the MLflow client in another process (`mess.tracking.mlflow_process`) while the work
goes on. If the store fails, this costs one line on standard error and some seconds, but never the
work.
"""

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mess.errors import MessError, without_places
from mess.records.base import Json
from mess.records.left_out import TAG, LeftOut
from mess.storage.store import Store
from mess.tracking.mlflow_client import EXPERIMENT, sqlite_path
from mess.tracking.mlflow_process import MlflowProcess

__all__ = ["EXPERIMENT", "OpenRun", "is_own", "start_run", "tracking_uri"]


class OpenRun:
    """An open MLflow run; a no-op if tracking is off.

    Its methods never raise. All methods except `wait` return at once: records are sent in the
    background.

    Examples
    --------
    >>> OpenRun(None).metrics({"r2": 0.5})  # tracking is off: nothing happens
    """

    def __init__(self, process: MlflowProcess | None, name: str = "") -> None:
        self._process, self._name = process, name
        self._id = ""  # the id in MLflow; known after its first answer
        self._failed = False

    def params(self, values: Mapping[str, object]) -> None:
        """Record settings."""
        self._later("params", values={key: str(value) for key, value in values.items()})

    def metrics(self, values: Mapping[str, float | None]) -> None:
        """Record results; undefined results are left out."""
        self._later("metrics", values={k: float(v) for k, v in values.items() if v is not None})

    def record(self, name: str, value: Json) -> None:
        """Store a record as JSON with the run."""
        self._later("record", name=name, value=value)

    def _begin(self, tags: Mapping[str, str], parent: "OpenRun | None") -> None:
        def work() -> None:
            if parent is not None and parent._failed:
                self._failed = True  # already reported
                return
            above = parent._id if parent is not None else ""
            self._id = self._ask("start", name=self._name, tags=dict(tags), parent=above) or ""

        if self._process is not None:
            self._process.later(work)

    def _end(self, status: str) -> None:
        self._later("end", status=status)
        if status != "KILLED":  # after Ctrl-C, do not wait
            self.wait()

    def wait(self) -> None:
        """Wait until MLflow has all records, or has failed; it takes seconds at most."""
        if self._process is not None:
            told = threading.Event()
            self._process.later(told.set)
            told.wait()

    def _later(self, method: str, **fields: Any) -> None:
        if self._process is not None:
            self._process.later(lambda: self._ask(method, run=self._id, **fields))

    def _ask(self, method: str, **fields: Any) -> Any:
        if self._failed or self._process is None:
            return None
        try:
            return self._process.ask(method, **fields)
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
    """Return the tracking URI.

    Examples
    --------
    >>> tracking_uri(Store("."))
    'sqlite:////.../mlflow.db'
    """
    default = f"sqlite:///{store.mlflow_db.absolute().as_posix()}"
    return os.environ.get("MLFLOW_TRACKING_URI") or default


def is_own(store: Store) -> bool:
    """Tell whether the store is that of the data root.

    Examples
    --------
    >>> is_own(Store("."))
    True
    """
    path = sqlite_path(tracking_uri(store))
    return path is not None and path.resolve() == store.mlflow_db.resolve()


def client_process(store: Store, *, write: bool) -> MlflowProcess:
    """Return the client process of the store of a data root; the first request starts it."""
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
    left_out: LeftOut | None = None,
) -> Iterator[OpenRun]:
    """Record a run for the duration of the block; an error marks it as failed.

    A failure of MLflow is reported in one line on standard error; the block continues.

    Parameters
    ----------
    name : str
        The name in MLflow; its first word is the kind of run.
    store : Store
        The data root of the SQLite store and its artifacts.
    tags : mapping, optional
        Digests of the inputs of the run.
    enabled : bool
        False makes the run a no-op.
    parent : OpenRun, optional
        The sweep that the run belongs to.
    left_out : LeftOut, optional
        The recordings that it could not use; a tag of the run says so.

    Examples
    --------
    >>> with start_run("probe demo", store=Store("."), enabled=False) as run:
    ...     run.metrics({"r2": 0.5})  # recorded where ``enabled`` is True
    """
    if not enabled:
        yield OpenRun(None)
        return
    run = OpenRun(_writer(store), name)
    own = {"kind": name.partition(" ")[0]}
    if left_out is not None:
        told = left_out.rewritten(lambda why: without_places(why, store.root))
        own[TAG] = str(told)
    run._begin(own | dict(tags or {}), parent)
    status = "FAILED"
    try:
        yield run
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        run._end(status)


_writers: dict[str, MlflowProcess] = {}  # at most one: that of the last store


def _writer(store: Store) -> MlflowProcess:
    process = client_process(store, write=True)
    if process.uri not in _writers:
        for other in _writers.values():
            other.later(other.close)
        _writers.clear()
        _writers[process.uri] = process
    return _writers[process.uri]
