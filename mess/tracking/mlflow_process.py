"""Ask MLflow's client, which runs in another process, and never wait longer than some seconds."""

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
from mess.tracking.mlflow_client import sqlite_path, without_password

_OPEN_SECONDS = 120.0  # importing MLflow and making a new store: 6 s on a machine at rest
_ANSWER_SECONDS = 20.0


class MlflowProcess:
    """A process that answers for one tracking store; it starts with the first question.

    Parameters
    ----------
    uri : str
        MLflow's tracking URI.
    artifacts : str
        The folder of the artifacts where the store is that of the data root, else "".
    write : bool
        Whether runs are recorded; a reader changes nothing.
    """

    def __init__(self, uri: str, *, artifacts: str = "", write: bool) -> None:
        self.uri = uri
        self._settings = {"uri": uri, "artifacts": artifacts, "write": write}
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[Callable[[], None]] | None = None

    def ask(self, what: str, **fields: Any) -> Any:
        """Return what a method of `mess.tracking.mlflow_client.Client` returns.

        Raises
        ------
        MessError
            If the store does not do it, or not within seconds.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self.close()  # what is left of one that died
                self._start()
            return self._exchange({"do": what, **fields}, seconds=_ANSWER_SECONDS)

    def later(self, work: Callable[[], None]) -> None:
        """Do a piece of work in a thread, after those that were handed over before."""
        if self._work is None:
            self._work = queue.SimpleQueue()
            threading.Thread(target=_work_off, args=(self._work,), daemon=True).start()
        self._work.put(work)

    def close(self) -> None:
        """Let the process end, once it has done what it was told."""
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
                start_new_session=True,  # Ctrl-C is for the work; this process ends after it
            )
        except OSError as error:
            raise MessError(f"MLflow cannot be started ({error.strerror})") from None
        self._exchange(None, seconds=_OPEN_SECONDS)

    def _exchange(self, request: dict[str, Any] | None, *, seconds: float) -> Any:
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
    """Return the environment, in which this package is found from any folder."""
    here = str(Path(__file__).parents[2])
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
