"""A real S3 server on this machine, and a way to it that can be cut."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import requests


class Wire:
    """Passes bytes on to a server, and cuts the connection when ``cuts`` says so."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.cuts: list[int] = []  # of the next long answers: the bytes after which each is cut
        self.cut = 0
        self.changes: tuple[bytes, bytes] | None = None  # in what is asked: old, new
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listening.accept()
            except OSError:
                return
            there = socket.create_connection(self._to)
            for pair in ((here, there, False), (there, here, True)):
                threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        passed = 0
        try:
            while data := source.recv(4096):
                passed += len(data)
                if answers and self.cuts and passed > self.cuts[0]:
                    self.cuts.pop(0)
                    self.cut += 1
                    break
                if self.changes and not answers:
                    data = data.replace(*self.changes)
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listening.close()


@contextmanager
def running_server() -> Iterator[int]:
    """Start an S3 server; yield its port."""
    from moto.server import ThreadedMotoServer

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    yield running.get_host_and_port()[1]
    running.stop()


@contextmanager
def wire_to(server: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Empty the server, and lead to it, with credentials that it knows nothing of."""
    made = Wire(server)
    requests.post(f"http://127.0.0.1:{server}/moto-api/reset", timeout=30)
    set_credentials(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{made.port}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield made
    made.close()


@contextmanager
def looking_at_credentials(server: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the server refuse the credentials while the block runs."""
    requests.post(f"http://127.0.0.1:{server}/moto-api/reset-auth", data="0", timeout=30)
    set_credentials(monkeypatch)
    try:
        yield
    finally:
        requests.post(f"http://127.0.0.1:{server}/moto-api/reset-auth", data="inf", timeout=30)


def set_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
