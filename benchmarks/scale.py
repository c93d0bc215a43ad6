"""Print what an index of segments costs: ``python -m benchmarks.scale``.

    python -m benchmarks.scale --rows 1000 100000 --store memory
    python -m benchmarks.scale --rows 10000000 --store disk --folder /tmp
    python -m benchmarks.scale --rows 1000000 --store memory disk lance

Every index is built in a process of its own, and asked in another one, so that each has a peak
of memory of its own. A query is timed three times; its least time counts, and of these the median
over the queries of a kind is printed. Recall is that of the ten best, against all rows. All of it
lies in a folder that is removed.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import plain
from mess.records.index import Column, ListsRecord, SearchPlan, SegmentSearch
from mess.search.coordinate_index import CoordinateIndex
from mess.search.passages.recall import EPSILON, KINDS, draw_query
from mess.search.passages.rows import RowsInMemory, RowsOnDisk
from mess.search.passages.segment_index import (
    SegmentIndex,
    build_on_disk,
    build_segment_index,
    open_coordinates,
)
from mess.search.ranking import Query, SearchSpace, total_scores
from mess.storage.inverted_lists import Spool
from mess.storage.passages import ListsFile

STORES = ("memory", "disk", "lance")
COLUMNS, OVERALL = 12, 32
_AT_ONCE = 200_000
_QUERIES = 20
_TIMES = 3
_LARGE = 2_000_000


def peak() -> float:
    """Return the peak of this process's memory in GB."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1e6


def columns() -> list[Column]:
    """Return the columns of the made-up segments."""
    return [Column(str(number), "probe") for number in range(COLUMNS)]


def spool_rows(folder: Path, n: int) -> RowsOnDisk:
    """Make segments up on disk, so that few are in memory."""
    spool = Spool(folder, COLUMNS + OVERALL)
    for number, first in enumerate(range(0, n, _AT_ONCE)):
        x, overall = plain.segment_coordinates(min(_AT_ONCE, n - first), seed=number)
        spool.append(np.hstack([x, overall]))
    return RowsOnDisk(spool, COLUMNS)


def build(store: str, n: int, folder: Path) -> dict[str, float]:
    """Build an index in ``folder``; return seconds, GB of memory and of disk."""
    began = time.perf_counter()
    rows = spool_rows(folder, n)
    made = time.perf_counter() - began
    began = time.perf_counter()
    if store == "lance":
        from mess.search.passages.lance import build_lance

        build_lance(folder / "lance", rows)
    else:
        lists = ListsFile(folder, "")
        if store == "disk":
            parts, search = build_on_disk(rows, columns(), lists=lists, queries=_QUERIES)
        else:
            x, overall = (np.concatenate(part) for part in zip(*_read(rows), strict=True))
            rows = RowsInMemory(x, overall)  # type: ignore[assignment]
            parts, search = build_segment_index(x, overall, columns(), queries=_QUERIES)
        for name, content in parts.items():
            (folder / name).write_bytes(content)
        (folder / "search.json").write_text(json.dumps(asdict(search)))
    found = {"made": made, "seconds": time.perf_counter() - began, "memory": peak()}
    found["disk"] = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 1e9
    return found


def _read(rows: RowsOnDisk) -> list[tuple[Any, Any]]:
    return [(x, overall) for _, x, overall in rows.blocks()]


def ask(store: str, n: int, folder: Path) -> dict[str, Any]:
    """Ask an index in ``folder``; return GB of memory, and of each kind its recall and ms."""
    if store == "lance":
        return _ask_lance(folder)
    began = time.perf_counter()
    content = json.loads((folder / "search.json").read_text())
    lists = content["lists"] and ListsRecord(**content["lists"])
    plans = {kind: SearchPlan(**plan) for kind, plan in content["kinds"].items()}
    search = SegmentSearch(rows=n, kinds=plans, epsilon=content["epsilon"], lists=lists)
    parts = {
        one.name: one.read_bytes() for one in folder.glob("passages.*") if one.suffix != ".ivfdata"
    }
    on_disk = ListsFile(folder, "")
    index = SegmentIndex(open_coordinates(parts, search, columns(), lists=on_disk), parts, search)
    del parts
    opened = time.perf_counter() - began
    space = SearchSpace(index.coordinates, None, n)

    def query(one: Any) -> object:
        terms = [part.term for part in one]
        space.parts(Query(terms, [(one[0].at, 1.0)]))
        return index.best(one, k=10, exclude=[(0, 60)])

    # A query that reads ten million rows is asked once.
    once = {kind for kind, plan in plans.items() if plan.way == "all" and n > _LARGE}
    kinds = _time(index.coordinates, query, once=once)
    for kind, found in kinds.items():
        plan = plans.get(kind)
        found["recall"] = 1.0 if plan is None else plan.recall
        found["way"] = "all" if plan is None else f"{plan.way} {plan.step}"
    return {"opened": opened, "memory": peak(), "kinds": kinds}


def _time(
    coordinates: CoordinateIndex, query: Callable[[Any], object], *, once: Collection[str] = ()
) -> dict[str, Any]:
    """Return the median over queries of each kind, of the least of some times, in ms."""
    found: dict[str, Any] = {}
    for kind in KINDS:
        rng = np.random.default_rng(7)
        queries, times = (1, 1) if kind in once else (_QUERIES, _TIMES)
        drawn = [draw_query(kind, coordinates, rng=rng)[0] for _ in range(queries)]
        least = np.full(queries, np.inf)
        for _ in range(times):
            for number, one in enumerate(drawn):
                began = time.perf_counter()
                query(one)
                least[number] = min(least[number], time.perf_counter() - began)
        found[kind] = {"ms": 1e3 * float(np.median(least))}
    return found


def _ask_lance(folder: Path) -> dict[str, Any]:
    from mess.search.passages.lance import LanceSegments

    began = time.perf_counter()
    index = LanceSegments(folder / "lance", columns())
    opened = time.perf_counter() - began
    kinds = _time(index.coordinates, lambda one: index.best(one, k=10, exclude=[(0, 60)]))
    memory = peak()
    for kind, found in kinds.items():
        found["recall"] = _recall(index, kind)
        found["way"] = "IVF_PQ"
    return {"opened": opened, "memory": memory, "kinds": kinds}


def _recall(index: Any, kind: str) -> float:
    """Return the recall of the ten best, as `mess.search.passages.recall` measures it."""
    rng = np.random.default_rng(8)
    drawn = [draw_query(kind, index.coordinates, rng=rng) for _ in range(_QUERIES)]
    best = np.full((_QUERIES, 10), -np.inf)
    for rows, block in index.blocks():
        for number, (parts, row) in enumerate(drawn):
            scores = total_scores(parts, block)
            scores[rows == row] = -np.inf
            best[number] = np.partition(np.append(best[number], scores), -10)[-10:]
    right = 0
    for (parts, row), least in zip(drawn, best.min(axis=1), strict=True):
        scores = index.search(parts, k=10, exclude=[(row, row + 1)])[1]
        right += int((scores >= least - EPSILON).sum())
    return right / (10 * _QUERIES)


def main() -> None:
    """Print one line for each size and store, and one for each kind of query."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--store", choices=STORES, nargs="+", default=["memory", "disk"])
    parser.add_argument("--folder", type=Path, help="where there is room: 0.5 GB a million rows")
    parser.add_argument("--step", choices=("build", "ask"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        step = build if asked.step == "build" else ask
        print(json.dumps(step(asked.store[0], asked.rows[0], asked.folder)))
        return
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    print("| segments | store | built | peak | on disk | opened | peak of asking | slowest kind |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    details = []
    for n in asked.rows:
        for store in asked.store:
            with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
                built = _run("build", store, n, folder)
                found = _run("ask", store, n, folder)
            slowest = max(found["kinds"].items(), key=lambda one: one[1]["ms"])
            print(
                f"| {n:,} | {store} | {built['seconds']:.0f} s | {built['memory']:.2f} GB "
                f"| {built['disk']:.3f} GB | {found['opened']:.2f} s | {found['memory']:.2f} GB "
                f"| {slowest[1]['ms']:.1f} ms, {slowest[0]} |",
                flush=True,
            )
            details += [
                f"| {n:,} | {store} | {kind} | {one['recall']:.3f} | {one['ms']:.2f} ms "
                f"| {one['way']} |"
                for kind, one in found["kinds"].items()
            ]
    print("\n| segments | store | query | recall@10 | time | read |")
    print("| --- | --- | --- | --- | --- | --- |")
    print("\n".join(details))


def _run(step: str, store: str, n: int, folder: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.scale", "--step", step, "--store", store]
    command += ["--rows", str(n), "--folder", folder]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
