"""MLflow's own pages, as a process on this machine that outlives the dashboard.

It listens on 127.0.0.1 alone. It inherits a lock, as a job does, and its port is on disk: every
browser and every later server finds it, and a crash leaves nothing to clean.
"""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec

from mess.errors import MessError, MissingDependency
from mess.records.job import ServerRecord
from mess.storage.locks import hold, is_held
from mess.storage.mlflow import ServerFiles
from mess.storage.store import Store
from mess.tracking.mlflow_client import forget_absolute_paths
from mess.tracking.reading import RecordedRun
from mess.tracking.recording import is_own, tracking_uri

_GRACE_SECONDS = 5.0
_children: list[subprocess.Popen[bytes]] = []  # kept to be reaped


@dataclass(frozen=True)
class Server:
    """A running ``mlflow ui``.

    Attributes
    ----------
    address : str
    pid : int
    ready : bool
        Whether it answers yet; it takes some seconds.
    """

    address: str
    pid: int
    ready: bool

    def link(self, run: RecordedRun) -> str:
        """Return the address of a run."""
        return f"{self.address}/#/experiments/{run.experiment}/runs/{run.id}"


def find(store: Store) -> Server | None:
    """Return the server that runs, None if none does."""
    _children[:] = [child for child in _children if child.poll() is None]
    files = ServerFiles(store.root)
    record = files.read() if is_held(files.lock) else None
    if record is None:
        return None
    address = f"http://127.0.0.1:{record.port}"
    return Server(address, record.pid, _answers(address))


def start(store: Store) -> None:
    """Start ``mlflow ui`` on a free port, unless one runs.

    Raises
    ------
    MissingDependency
        If MLflow is not installed.
    MessError
        If the data root cannot be written.
    """
    if find_spec("mlflow") is None:
        raise MissingDependency("mlflow", "ml")
    files = ServerFiles(store.root)
    try:
        _start(store, files)
    except OSError as error:
        raise MessError(
            f"{files.folder}: cannot be written ({error.strerror}): make room or change its "
            "permissions"
        ) from None


def _start(store: Store, files: ServerFiles) -> None:
    lock = hold(files.lock, patience=0.1)
    if lock is None:
        return
    if is_own(store):
        with suppress(sqlite3.Error):  # MLflow says what is wrong with its store
            forget_absolute_paths(store.mlflow_db)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with lock, files.open_log() as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
                *("--host", "127.0.0.1", "--port", str(port)),
                # As the dashboard's own guard: its own names and pages, in no frame.
                *("--allowed-hosts", f"127.0.0.1:{port},localhost:{port}"),
                *("--cors-allowed-origins", f"http://127.0.0.1:{port},http://localhost:{port}"),
                *("--x-frame-options", "DENY"),
                *("--backend-store-uri", tracking_uri(store)),
                *("--artifacts-destination", store.mlflow_artifacts.absolute().as_uri()),
            ],
            cwd=files.folder,  # what it writes on its own account lies here
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(),
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )
        _children.append(process)
        files.write(ServerRecord(pid=process.pid, port=port, started=time.time()))


def stop(store: Store) -> None:
    """End the server."""
    server = find(store)
    if server is None:
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):  # of the second: what is left of its group
        with suppress(ProcessLookupError):
            os.killpg(server.pid, sign)
        until = time.monotonic() + _GRACE_SECONDS
        while is_held(ServerFiles(store.root).lock) and time.monotonic() < until:
            time.sleep(0.1)
    _children[:] = [child for child in _children if child.poll() is None]


def last_line(store: Store) -> str:
    """Return the last line of its log, for a server that did not stay."""
    lines = ServerFiles(store.root).read_log().strip().splitlines()
    return lines[-1] if lines else ""


def _environment() -> dict[str, str]:
    """Return the environment, with the record's address left out and no word to others."""
    kept = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    return kept | {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # eight processes that runs do not need
    }


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=0.5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False
