"""Recall: choose how each kind of query is answered, by queries like those that people ask.

For each kind of query (which terms have weight, and whether a weight is negative), the results of
an approximate search are compared with those of the exact search. A row counts as correct if its
score is within `EPSILON` of the exact tenth score, because many segments are equal up to rounding.
The fastest search with sufficient recall is chosen on one half of the queries. Its recall is
reported on the other half. If no approximate search suffices, all rows are read.
"""

import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mess.records.index import SearchPlan, Way

KINDS = (
    "one aspect",
    "two or three aspects",
    "several aspects",
    "aspects, some unlike",
    "overall",
    "overall, unlike",
    "overall and aspects",
    "overall and aspects, some unlike",
)
_FEWEST_COLUMNS = dict(zip(KINDS, (1, 2, 4, 2, 0, 0, 1, 1), strict=True))
_COLUMNS = {
    "one aspect": (1, 1),
    "two or three aspects": (2, 3),
    "several aspects": (4, 99),
    "aspects, some unlike": (2, 99),
}
WANTED = 0.99  # promised recall of the ten best
_CHOSEN = 0.995  # recall required on the choosing half, so that the other half reaches `WANTED`
EPSILON = 1e-5  # tolerance of a score; weights sum to 1
_TOP = 10
_STEPS: dict[str, tuple[int, ...]] = {
    "cells": (16, 64, 128, 256, 512, 1024, 2048, 4096),
    "scan": (250, 500, 1000, 2000, 4000, 8000, 16_000),
    "both": (250, 500, 1000, 2000, 4000, 8000),
}
_BLOCK = 100_000

Floats = NDArray[np.float32]


class SegmentSearcher(Protocol):
    """An index that `measure_recall` can measure."""

    def search(
        self,
        query: Floats,
        *,
        k: int,
        way: str,
        step: int,
        exclude: Sequence[tuple[int, int]] = (),
    ) -> tuple[NDArray[np.int64], Floats]:
        """Return rows and scores, best first."""
        ...


def kind_of(query: Floats, *, columns: int, unlike: bool) -> str:
    """Return the kind of a query.

    Parameters
    ----------
    query : ndarray [shape=(2 · columns + m,)]
    columns : int
    unlike : bool
        Whether a weight is negative or the query has disliked points.
    """
    used = int(((query[:columns] != 0) | (query[columns : 2 * columns] != 0)).sum())
    overall = bool(query[2 * columns :].any())
    if not overall:
        if unlike and used > 1:
            return "aspects, some unlike"
        few = "one aspect" if used == 1 else "two or three aspects"
        return few if used <= 3 else "several aspects"
    what = "overall and aspects" if used else "overall"
    return what + ((", some unlike" if used else ", unlike") if unlike else "")


def draw_query(
    kind: str, x: Floats, overall: Floats, *, rng: np.random.Generator
) -> tuple[Floats, int]:
    """Return a query of one kind from a row drawn at random, and the row.

    Parameters
    ----------
    kind : str
    x : ndarray [shape=(n, columns)]
    overall : ndarray [shape=(n, m)]
    rng : Generator
    """
    row, columns = int(rng.integers(len(x))), x.shape[1]
    weights, of_overall = np.zeros(columns), 0.0
    if "aspect" in kind:
        fewest, most = _COLUMNS.get(kind, (1, columns))
        count = int(rng.integers(fewest, min(most, columns) + 1))
        chosen = rng.choice(columns, count, replace=False)
        weights[chosen] = rng.uniform(0.1, 1, len(chosen))
        if "unlike" in kind:
            sign = rng.choice([-1.0, 1.0], len(chosen))
            sign[0] = -1
            weights[chosen] *= sign
        if kind == "one aspect":
            weights *= rng.choice([-1.0, 1.0])
    if "overall" in kind:
        of_overall = rng.uniform(0.2, 1)
        if "unlike" in kind and (kind == "overall, unlike" or rng.random() < 0.5):
            of_overall = -of_overall
    total = np.abs(weights).sum() + abs(of_overall)
    weights, of_overall = weights / total, of_overall / total
    return (
        np.concatenate([weights * x[row], -weights / 2, of_overall * overall[row]]).astype(
            np.float32
        ),
        row,
    )


def measure_recall(
    x: Floats, overall: Floats, ways: SegmentSearcher, *, seed: int = 0, queries: int = 100
) -> dict[str, SearchPlan]:
    """Choose the fastest search with sufficient recall for each kind of query.

    Parameters
    ----------
    x : ndarray [shape=(n, columns)]
    overall : ndarray [shape=(n, m)]
    ways : SegmentSearcher
        An index of the same rows.
    seed : int
    queries : int
        Number of queries that choose, and number that measure.
    """
    plans = {}
    for number, kind in enumerate(KINDS):
        rng = np.random.default_rng([seed, number])
        if x.shape[1] < _FEWEST_COLUMNS[kind]:
            continue
        drawn = [draw_query(kind, x, overall, rng=rng) for _ in range(2 * queries)]
        tenth = _exact_tenth(x, overall, drawn)
        choose, test = drawn[:queries], drawn[queries:]
        _, spent = _recall(ways, "all", 0, choose[:5], tenth[:5])
        best: tuple[Way, int, float] = ("all", 0, spent)
        for way in _ways_of(kind):
            for step in _STEPS[way]:
                recall, spent = _recall(ways, way, step, choose, tenth[:queries])
                if recall >= _CHOSEN:
                    best = min(best, (way, step, spent), key=lambda choice: choice[2])
                    break
                if spent > best[2]:
                    break
        recall, spent = _recall(ways, best[0], best[1], test, tenth[queries:])
        plans[kind] = SearchPlan(
            way=best[0],
            step=best[1],
            recall=round(recall, 4),
            milliseconds=round(1e3 * spent, 3),
            queries=queries,
        )
    return plans


def _ways_of(kind: str) -> tuple[Way, ...]:
    if "overall" not in kind:
        return "cells", "scan"
    return ("scan", "both") if "aspects" in kind else ("scan",)


def _recall(
    ways: SegmentSearcher,
    way: str,
    step: int,
    drawn: Sequence[tuple[Floats, int]],
    tenth: NDArray[np.float64],
) -> tuple[float, float]:
    """Return recall and the median seconds of a query."""
    right, times = 0, []
    for (query, row), least in zip(drawn, tenth, strict=True):
        began = time.perf_counter()
        rows, scores = ways.search(query, k=_TOP + 1, way=way, step=step)
        times.append(time.perf_counter() - began)
        right += min(int((scores[rows != row] >= least - EPSILON).sum()), _TOP)
    return right / (_TOP * len(drawn)), float(np.median(times))


def _exact_tenth(
    x: Floats, overall: Floats, drawn: Sequence[tuple[Floats, int]]
) -> NDArray[np.float64]:
    """Return the tenth best score of each query over all rows but its own."""
    columns = x.shape[1]
    asked = np.stack([query for query, _ in drawn], axis=1)
    best = np.full((0, len(drawn)), -np.inf, dtype=np.float32)
    for first in range(0, len(x), _BLOCK):
        rows = slice(first, first + _BLOCK)
        scores = x[rows] @ asked[:columns] + np.square(x[rows]) @ asked[columns : 2 * columns]
        scores += overall[rows] @ asked[2 * columns :]
        for number, (_, row) in enumerate(drawn):
            if first <= row < first + len(scores):
                scores[row - first, number] = -np.inf
        top = min(_TOP, len(scores))
        best = np.concatenate([best, np.partition(scores, -top, axis=0)[-top:]])
    return np.asarray(np.sort(best, axis=0)[-min(_TOP, len(best))], dtype=np.float64)
