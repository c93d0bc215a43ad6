"""A process that reads recordings for another one: ``python -m pipelines.reading_process SOCKET``.

`pipelines.reading` starts it and keeps the other end of the socket. A request is a JSON message
with a path and sample rates. The answer is a JSON message, and a file for each rate with the
samples: in memory, or on disk if the recording is long. The process ends when the socket does.
"""

import json
import os
import socket
import sys
import tempfile
from contextlib import suppress
from typing import Any

import numpy as np

from mess.audio.decoding import Signal, decode_at, scratch_dir
from mess.errors import MessError

MESSAGE_BYTES = 1 << 17
_NICE = 5  # the process that feeds the GPU goes first


def serve(connection: socket.socket) -> None:
    """Answer requests until there is nobody who asks."""
    with suppress(ConnectionError, BrokenPipeError):  # the other process is gone
        connection.send(b"ready")
        while request := connection.recv(MESSAGE_BYTES):
            answer, files = _answer(json.loads(request))
            try:
                socket.send_fds(connection, [json.dumps(answer).encode()], files)
            finally:
                for file in files:
                    os.close(file)


def _answer(request: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
    files: list[int] = []
    try:
        signals = decode_at(request["path"], request["rates"])
        found = []
        for signal in signals.values():
            files.append(_file(signal))
            about = {"sample_rate": signal.sample_rate, "mean": signal.mean, "std": signal.std}
            found.append(about | {"notes": list(signal.notes)})
        return {"signals": found}, files
    except MessError as error:
        problem: dict[str, Any] = {"problem": str(error)}
    except MemoryError:
        problem = {"memory": True}
    except OSError as error:
        problem = {"system": [error.errno, error.strerror, error.filename]}
    for file in files:
        os.close(file)
    return problem, []


def _file(signal: Signal) -> int:
    """Return a file with the samples, open at its descriptor."""
    if isinstance(signal.samples, np.memmap):  # too long for memory
        with tempfile.TemporaryFile(prefix="mess-", dir=scratch_dir()) as on_disk:
            file = os.dup(on_disk.fileno())
    else:
        file = os.memfd_create("mess-samples")
    try:
        with os.fdopen(file, "wb", closefd=False) as handle:
            handle.write(np.ascontiguousarray(signal.samples).data)
    except OSError:
        os.close(file)
        raise
    return file


if __name__ == "__main__":
    with suppress(OSError):
        os.nice(_NICE)
    with socket.socket(fileno=int(sys.argv[1])) as own_end:
        serve(own_end)
