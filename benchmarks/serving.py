"""Measure how many questions a second the API answers.

    python -m benchmarks.serving

A library of 1,276 tracks is made up and served by `mess serve`, a process of its own. Four
connections of another process ask for recommendations, with all validated aspects, as fast as they
can. Beside it stand the bare search, in one thread of one process, and the same server with a
handler that answers nothing: the most that any answer can reach.
"""

import argparse
import http.client
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from benchmarks.synthetic import Shape, write_library
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.serving.endpoints import PREFIX
from mess.storage.store import Store

TRACKS, CONNECTIONS, SECONDS = 1276, 4, 10.0
WANTED = 200  # recommendations a second
_EMPTY = """
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route
from mess.serving.guard import Guard
from pipelines.serve import listen
bound = listen("127.0.0.1", 0)
print(f"http://127.0.0.1:{bound.getsockname()[1]}", flush=True)
app = Starlette(routes=[Route("/", lambda request: Response(b""))], middleware=[Middleware(Guard)])
uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning")).run(sockets=[bound])
"""


@contextmanager
def started(arguments: Sequence[str], *, root: Path) -> Iterator[tuple[str, int]]:
    """Start a server by a command whose first line is its address; yield that and its process."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=os.environ | {"MESS_DATA": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process.stdout.readline().strip(), process.pid  # type: ignore[union-attr]
    finally:
        process.terminate()
        process.wait(30)


def asked(address: str, paths: Sequence[str], *, seconds: float) -> float:
    """Return how many answers a second the connections get; every answer must be a good one."""
    end = time.perf_counter() + seconds

    def go_on(first: int) -> int:
        connection, count = http.client.HTTPConnection(urlsplit(address).netloc), 0
        while time.perf_counter() < end:
            connection.request("GET", paths[(first + count) % len(paths)])
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 200:
                raise RuntimeError(content.decode())
            count += 1
        connection.close()
        return count

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        counts = list(pool.map(go_on, range(0, 101 * CONNECTIONS, 101)))
    return sum(counts) / seconds


def busy(pid: int) -> float:
    """Return the processor time of a process in seconds, of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def searched(store: Store, shape: Shape, *, seconds: float) -> tuple[float, float]:
    """Return how many searches a second one thread does without a server, and its time for each."""
    recommender = LayerBasedRecommender(shape.dataset, shape.encoder, store=store)
    weights = dict.fromkeys(recommender.get_available_aspects(), 1.0)
    end, count, began = time.perf_counter() + seconds, 0, time.process_time()
    while time.perf_counter() < end:
        track = recommender.track_ids[count % TRACKS]
        recommender.multi_aspect_recommendation(track, weights, 5)
        count += 1
    return count / seconds, (time.process_time() - began) / count


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each measurement")
    seconds = parser.parse_args().seconds
    shape = Shape(tracks=TRACKS, layers=2, dim=8, names_only=True)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "data")
        write_library(store, shape)
        of = {"dataset": shape.dataset, "encoder": shape.encoder}
        ids = list(store.features.manifest(shape.dataset, shape.encoder).done())
        paths = [f"{PREFIX}/recommend?{urlencode({**of, 'track': one})}" for one in ids]
        bare, alone = searched(store, shape, seconds=seconds)
        with started(["-m", "pipelines.cli", "serve", "--port", "0"], root=store.root) as server:
            address, pid = server
            connection = http.client.HTTPConnection(urlsplit(address).netloc)
            connection.request("GET", f"{PREFIX}/aspects?{urlencode(of)}")
            aspects = json.loads(connection.getresponse().read())["aspects"]
            count = sum(one["validated"] for one in aspects)
            before = busy(pid)
            rate = asked(address, paths, seconds=seconds)
            each = (busy(pid) - before) / (rate * seconds)
        with started(["-c", _EMPTY], root=store.root) as server:
            ceiling = asked(server[0], ["/"], seconds=seconds)
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; "
        f"{TRACKS:,} tracks, {count} aspects, 5 results, {CONNECTIONS} connections\n"
    )
    print("| what | a second | against |\n| --- | --- | --- |")
    print(f"| recommendations by `mess serve` | {rate:.0f} | {WANTED} wanted |")
    print(f"| the bare search, one thread | {bare:.0f} | {rate / bare:.2f} of it is served |")
    print(
        f"| processor time for each | {1e3 * each:.1f} ms | {1e3 * alone:.1f} ms of bare search |"
    )
    print(f"| a handler that answers nothing | {ceiling:.0f} | {rate / ceiling:.2f} of it |")


if __name__ == "__main__":
    main()
