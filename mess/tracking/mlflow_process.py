"""Send requests to the MLflow client in another process, with a time limit of some seconds."""

import importlib.util
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from mess.errors import MessError
from mess.records.base import Json
from mess.tracking.mlflow_client import sqlite_path, without_password

_OPEN_SECONDS = 120.0  # to import MLflow and create a store; 6 s on an idle machine
_ANSWER_SECONDS = 20.0


class MlflowProcess:
    """The client process of one tracking store; the first request starts it.

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
        self.uri = uri
        self._settings = {"uri": uri, "artifacts": artifacts, "write": write}
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[Callable[[], None]] | None = None

    # Any: one pipe carries all methods, and each has its own arguments and result.
    def ask(self, method: str, **fields: Any) -> Any:
        """Call a method of `mess.tracking.mlflow_client.Client` and return its result.

        Raises
        ------
        MessError
            If the store reports a problem, or does not answer in time.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self.close()  # what is left of one that died
                self._start()
            return self._exchange({"do": method, **fields}, seconds=_ANSWER_SECONDS)

    def later(self, work: Callable[[], None]) -> None:
        """Run a function in a background thread, after those that were given before."""
        if self._work is None:
            self._work = queue.SimpleQueue()
            threading.Thread(target=_work_off, args=(self._work,), daemon=True).start()
        self._work.put(work)

    def close(self) -> None:
        """Close the input of the process; it ends after its pending requests."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
            threading.Thread(target=_see_off, args=(process,), daemon=True).start()

    def _start(self) -> None:
        if importlib.util.find_spec("mlflow") is None:
            raise MessError("mlflow is not installed: run `pip install -e '.[ml]'`")
        try:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "mess.tracking.mlflow_client"),
                    json.dumps(self._settings),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                env=_environment(),
                start_new_session=True,  # so that Ctrl-C does not end it before the work
            )
        except OSError as error:
            raise MessError(f"MLflow cannot be started ({error.strerror})") from None
        self._exchange(None, seconds=_OPEN_SECONDS)

    def _exchange(self, request: Json | None, *, seconds: float) -> Any:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("not started")
        late = threading.Timer(seconds, process.kill)
        late.daemon = True
        late.start()
        try:
            if request is not None:
                process.stdin.write(json.dumps(request) + "\n")
                process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            in_time = late.is_alive()
            late.cancel()
        try:
            answer = json.loads(line)
        except ValueError:
            process.kill()
            self.close()
            where = sqlite_path(self.uri) or without_password(self.uri)
            reason = "MLflow stopped without a word" if in_time else f"no answer in {seconds:.0f} s"
            raise MessError(f"{where}: {reason}") from None
        if "problem" in answer:
            if request is None:
                self.close()
            raise MessError(answer["problem"])
        return answer["value"]


def _see_off(process: "subprocess.Popen[str]") -> None:
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _work_off(work: "queue.SimpleQueue[Callable[[], None]]") -> None:
    while True:
        work.get()()


def _environment() -> dict[str, str]:
    """Return an environment in which this package is importable from any folder."""
    here = str(Path(__file__).parents[2])
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
