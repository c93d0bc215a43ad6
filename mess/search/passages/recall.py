"""Recall: choose how each kind of query is answered, by queries like those that people ask.

For each kind of query (which terms have weight, and whether a weight is negative), the results of
an approximate search are compared with those of the exact search. A row counts as correct if its
score is within `EPSILON` of the exact tenth score, because many segments are equal up to rounding.
The fastest search with sufficient recall is chosen on some queries. Its recall is reported on
others. If it is too low there, twice as much is read, and the recall is reported on yet others. If
no approximate search suffices, all rows are read.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mess.records.index import SearchPlan, Way
from mess.search.coordinate_index import Block, ColumnWeights, CoordinateIndex
from mess.search.ranking import Part, Query, SearchSpace, Term, total_scores

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
_CHOSEN = 0.995  # recall required of the choice, so that other queries reach `WANTED`
EPSILON = 1e-5  # tolerance of a score; weights sum to 1
_TOP = 10
_STEPS: dict[str, tuple[int, ...]] = {
    "cells": (16, 64, 128, 256, 512, 1024, 2048, 4096),
    "columns": (16_000, 64_000, 256_000),
    "scan": (250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000),
}


class SegmentSearcher(Protocol):
    """An index that `measure_recall` can measure."""

    coordinates: CoordinateIndex

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways in which it can be read in part."""
        ...

    def search(
        self,
        parts: Sequence[Part],
        *,
        k: int,
        way: str,
        step: int,
        exclude: Sequence[tuple[int, int]] = (),
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return rows and scores, best first."""
        ...

    def blocks(self) -> Iterator[tuple[NDArray[np.int64], Block]]:
        """Yield the numbers and the coordinates of all rows."""
        ...


def kind_of(parts: Sequence[Part]) -> str:
    """Return the kind of a query."""
    unlike = any(part.weight < 0 for part in parts)
    used: set[int] = set()
    overall = False
    for part in parts:
        own = part.term.column_weights
        if own is not None and own.overall:
            overall = True
        elif own is not None:
            used.update(own.columns.tolist())
    if not overall:
        if unlike and len(used) > 1:
            return "aspects, some unlike"
        few = "one aspect" if len(used) == 1 else "two or three aspects"
        return few if len(used) <= 3 else "several aspects"
    what = "overall and aspects" if used else "overall"
    return what + ((", some unlike" if used else ", unlike") if unlike else "")


def draw_query(
    kind: str, coordinates: CoordinateIndex, *, rng: np.random.Generator
) -> tuple[list[Part], int]:
    """Return a query of one kind from a row drawn at random, and the row."""
    row, columns = int(rng.integers(coordinates.n)), len(coordinates.columns)
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
    terms = [
        Term(
            str(column),
            weights[column] / total,
            ColumnWeights(str(column), np.array([column]), np.ones(1)),
            None,
            (),
        )
        for column in np.flatnonzero(weights)
    ]
    if of_overall:
        terms.append(Term("overall", of_overall / total, coordinates.overall, None, ()))
    return SearchSpace(coordinates, None, coordinates.n).parts(Query(terms, [(row, 1.0)])), row


def measure_recall(
    ways: SegmentSearcher, *, seed: int = 0, queries: int = 60
) -> dict[str, SearchPlan]:
    """Choose the fastest search with sufficient recall for each kind of query.

    Parameters
    ----------
    ways : SegmentSearcher
    seed : int
    queries : int
        How many choose, and how many measure.
    """
    plans = {}
    for number, kind in enumerate(KINDS):
        rng = np.random.default_rng([seed, number])
        if len(ways.coordinates.columns) < _FEWEST_COLUMNS[kind]:
            continue
        choose, tenth = _draw(kind, ways, queries, rng=rng)
        _, all_rows = _recall(ways, "all", 0, choose[:2], tenth[:2])
        best: tuple[Way, int, float] = ("all", 0, all_rows)
        for tried in (one for one in _ways_of(kind) if one in ways.ways):
            for most in _STEPS[tried]:
                recall, spent = _recall(ways, tried, most, choose, tenth)
                if recall >= _CHOSEN:
                    best = min(best, (tried, most, spent), key=lambda choice: choice[2])
                    break
                if spent > best[2]:
                    break
        way, step, spent = best
        recall = 1.0  # of all rows, which need no second draw
        while way != "all":
            recall, spent = _recall(ways, way, step, *_draw(kind, ways, queries, rng=rng))
            if recall >= WANTED:
                break
            step *= 2  # the choice was lucky: more is read
            if step > _STEPS[way][-1]:
                way, step, recall, spent = "all", 0, 1.0, all_rows
        plans[kind] = SearchPlan(
            way=way,
            step=step,
            recall=round(recall, 4),
            milliseconds=round(1e3 * spent, 3),
            queries=queries,
        )
    return plans


def _draw(
    kind: str, ways: SegmentSearcher, queries: int, *, rng: np.random.Generator
) -> tuple[list[tuple[list[Part], int]], NDArray[np.float64]]:
    """Draw queries of a kind; return them and the exact tenth best score of each."""
    drawn = [draw_query(kind, ways.coordinates, rng=rng) for _ in range(queries)]
    best = np.full((queries, _TOP), -np.inf)
    for rows, block in ways.blocks():  # all queries, block by block: each is read once
        for number, (parts, row) in enumerate(drawn):
            scores = total_scores(parts, block)
            scores[rows == row] = -np.inf
            best[number] = np.partition(np.append(best[number], scores), -_TOP)[-_TOP:]
    return drawn, best.min(axis=1)


def _ways_of(kind: str) -> tuple[Way, ...]:
    if "overall" in kind:
        return ("scan",)
    return ("cells", "scan") if "unlike" in kind else ("columns", "cells", "scan")


def _recall(
    ways: SegmentSearcher,
    way: str,
    step: int,
    drawn: Sequence[tuple[Sequence[Part], int]],
    tenth: NDArray[np.float64],
) -> tuple[float, float]:
    """Return recall and the median seconds of a query."""
    right, times = 0, []
    for (parts, row), least in zip(drawn, tenth, strict=True):
        began = time.perf_counter()
        rows, scores = ways.search(parts, k=_TOP + 1, way=way, step=step)
        times.append(time.perf_counter() - began)
        right += min(int((scores[rows != row] >= least - EPSILON).sum()), _TOP)
    return right / (_TOP * len(drawn)), float(np.median(times))
