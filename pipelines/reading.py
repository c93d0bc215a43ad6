"""Processes that read recordings, for a GPU that threads cannot keep busy.

Threads of one process take turns at Python. Sixteen that decode, and one that feeds a GPU, wait for
each other most of the time. So where a GPU computes, recordings are read by processes
(`pipelines.reading_process`), one for each thread that asks. Samples come back as files in memory
that are mapped, not copied. They need Linux (`os.memfd_create`). Elsewhere, and if no process can
be started, threads read.

What goes wrong is raised here as the process said it. If a recording ends the process itself, that
is told as a fault of the recording, and the next one gets another process.
"""

import json
import mmap
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from mess.audio.addresses import Address
from mess.audio.decoding import Signal, decode_at
from mess.errors import AudioError, MessError
from pipelines.reading_process import MESSAGE_BYTES

_END_SECONDS = 10.0  # for a process to end, when it is told so


class ReadingProcesses:
    """Processes that read recordings; as many as threads ask at a time.

    Examples
    --------
    >>> import numpy as np, soundfile
    >>> time = np.arange(6 * 24_000) / 24_000
    >>> soundfile.write("tone.wav", 0.3 * np.sin(2 * np.pi * 440 * time), 24_000)
    >>> with ReadingProcesses() as processes:
    ...     processes.read(Path("tone.wav"), [16_000])[16_000].duration
    6.0
    """

    def __init__(self) -> None:
        self._idle: list[_Process] = []
        self._guard = threading.Lock()
        self._possible = hasattr(os, "memfd_create")

    def __enter__(self) -> "ReadingProcesses":
        """Return itself: processes are started when they are needed."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        with self._guard:
            ending, self._idle = self._idle, []
        for process in ending:
            process.close()
        for process in ending:
            process.wait()

    def read(self, path: str | Path, rates: Iterable[int]) -> dict[int, Signal]:
        """Return a recording at each rate, as `mess.audio.decoding.decode_at` does.

        Raises
        ------
        AudioError
            If the process ends while it reads.
        MessError, MemoryError, OSError
            As `decode_at`.
        """
        if isinstance(path, Address):  # it knows what was listed of it
            return decode_at(path, rates)
        process = self._take()
        if process is None:
            return decode_at(path, rates)
        try:
            found = process.read(path, rates)
        except EOFError:
            process.close()
            process.wait()
            raise AudioError(
                path, "ended the process that read it", "convert or export it again"
            ) from None
        except BaseException:
            self._put_back(process)
            raise
        self._put_back(process)
        return found

    def _take(self) -> "_Process | None":
        with self._guard:
            if self._idle:
                return self._idle.pop()
        if self._possible:
            process = _Process()
            if process.starts():
                return process
            process.close()
            process.wait()
            self._possible = False
        return None

    def _put_back(self, process: "_Process") -> None:
        with self._guard:
            self._idle.append(process)


class _Process:
    """One process, and this end of its socket."""

    def __init__(self) -> None:
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "pipelines.reading_process"),
                    str(other.fileno()),
                ],
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
                env=os.environ | _environment(),
                start_new_session=True,  # Ctrl-C is for the process that asks
            )

    def starts(self) -> bool:
        """Wait until it can be asked; False if it cannot be started."""
        try:
            return bool(self._socket.recv(MESSAGE_BYTES))
        except ConnectionError:
            return False

    def read(self, path: str | Path, rates: Iterable[int]) -> dict[int, Signal]:
        """Ask, and wait; an EOFError if the process is gone."""
        request = json.dumps({"path": str(path), "rates": list(rates)}).encode()
        files: list[int] = []
        try:
            self._socket.send(request)
            answer, files, *_ = socket.recv_fds(self._socket, MESSAGE_BYTES, 64)
        except ConnectionError:
            answer = b""
        if not answer:
            raise EOFError
        try:
            return _signals(json.loads(answer), files)
        finally:
            for file in files:
                os.close(file)

    def close(self) -> None:
        """Let the process end."""
        self._socket.close()

    def wait(self) -> None:
        """Wait until it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
            return
        self._process.kill()
        self._process.wait()


def _environment() -> dict[str, str]:
    """Return what a process needs to run the same code, on one processor."""
    code = os.pathsep.join(folder or str(Path.cwd()) for folder in sys.path)
    return {"PYTHONPATH": code, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _signals(answer: dict[str, Any], files: list[int]) -> dict[int, Signal]:
    if "problem" in answer:
        raise MessError(answer["problem"])
    if "memory" in answer:
        raise MemoryError
    if "system" in answer:
        raise OSError(*answer["system"])
    found = {}
    for about, file in zip(answer["signals"], files, strict=True):
        mapped = mmap.mmap(file, 0, access=mmap.ACCESS_READ)
        about["notes"] = tuple(about["notes"])
        samples = np.frombuffer(mapped, dtype=np.float32)
        found[about["sample_rate"]] = Signal(samples=samples, **about)
    return found
