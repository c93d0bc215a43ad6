"""What benchmarks measure, and how: the sound, the least and the median of some times."""

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 44_100
MERT_TFLOP_PER_MINUTE = 1.31  # of the 95M shape, in 5 s segments


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    value: str
    against: str
    ratio: str


def seconds(work: Callable[[], object], *, runs: int = 3, warm: bool = True) -> float:
    """Return the median wall time of ``work``."""
    if warm:
        work()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def least(work: Callable[[Any], object], items: Sequence[Any], *, runs: int = 5) -> float:
    """Return the median over items of the least time of each: what else ran is no cost of it."""
    times = [[] for _ in items]  # type: list[list[float]]
    for _ in range(runs):
        for own, item in zip(times, items, strict=True):
            began = time.perf_counter()
            work(item)
            own.append(time.perf_counter() - began)
    return statistics.median(map(min, times))


def music(length: float, *, seed: int = 0) -> NDArray[np.float32]:
    """Return stereo plucked notes, the workload of all rows on audio."""
    rng = np.random.default_rng(seed)
    out = np.zeros((round(length * RATE), 2), dtype=np.float32)
    note = np.arange(round(0.8 * RATE)) / RATE
    for onset in np.arange(0, length - 0.8, 0.2):
        pitch = 220 * 2 ** (rng.integers(0, 25) / 12)
        sound = sum(np.sin(2 * np.pi * pitch * h * note) / h for h in range(1, 6))
        start = round(onset * RATE)
        out[start : start + note.size] += (
            rng.uniform(0.02, 0.12) * np.exp(-5 * note) * sound
        ).astype(np.float32)[:, None] * rng.uniform(0.5, 1, 2).astype(np.float32)
    return out


def cost(work: Callable[[], object]) -> str:
    """Return the wall time of one run, the processor time of all threads, and the peak memory."""
    used = time.process_time()
    wall = seconds(work, runs=1, warm=False)
    used = time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return f"{wall:.2f} s, {used:.2f} s of processors, {peak:.2f} GB peak"
