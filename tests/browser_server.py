"""A real dashboard and the Chromium that looks at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PATIENCE = 120.0  # seconds; a limit costs time only where it fails, and a machine may be slow
Serve = Callable[[Path], tuple[subprocess.Popen[bytes], str]]  # the fixture `served`
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP *.test 127.0.0.1",  # names that somebody else owns
]


def chromium() -> str | None:
    """Return a Chromium that is on this machine."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def serve(
    root: Path, log: Path, *, every: float = 0.25, port: int = 0, hosts: str = ""
) -> tuple[subprocess.Popen[bytes], str]:
    """Start the dashboard, on a free port if none is given; return process and address.

    It answers by then. ``hosts`` are trusted beside the names of this machine.
    """
    for _ in range(1 if port else 3):  # somebody may take a free port before the dashboard does
        process, address = _start(root, log, every=every, port=port, hosts=hosts)
        if process.poll() is None:
            return process, address
    raise AssertionError(f"the dashboard did not start:\n{log.read_text()}")


def _start(
    root: Path, log: Path, *, every: float, port: int, hosts: str
) -> tuple[subprocess.Popen[bytes], str]:
    """Start the dashboard; it answers by then, or has ended."""
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
        port = free.getsockname()[1]
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", "dashboard/Home.py"),
                *("--server.port", str(port), "--server.headless", "true"),
            ],
            cwd=REPOSITORY,
            env=os.environ | {"MESS_DATA": str(root), "MESS_HOSTS": hosts},
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    for _ in range(round(PATIENCE / every)):
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=5)  # noqa: S310
            return process, address
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(every)
    process.kill()
    process.wait()
    return process, address
