"""Metrics of a ranking: faithfulness to a known number, leakage, and retrieval of a work.

Task: a *ranking* gives, for a query, a score to every track; a higher score means more similar. A
number is known for every track. Judge whether tracks with high scores have similar numbers.

Conventions
-----------
* The |Δ| of a tempo is in octaves, up to whole octaves (`mess.search.tempo`).
* Tracks of the query's own work are left out, except in retrieval, which looks for them.
* Faithfulness is the Spearman correlation between rank and |Δ|, the absolute difference of the
  number between query and track. Its sign is such that 1 is perfect; 0 is chance. It is averaged
  over queries.
* The top-10 ratio is the mean |Δ| of the ten highest tracks over the mean |Δ| of all tracks: 0 is
  perfect, 1 is chance. One minus the ratio is how far a slider *moves* a number.

Examples
--------
>>> import numpy as np
>>> value = np.arange(12.0)
>>> judge = Judge(value[:, None], np.arange(12))
>>> judge(lambda row: -np.abs(value - value[row])).spearman
array([1.])
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mess.probing.metrics import average_ranks
from mess.records.evaluation import Retrieval
from mess.search.tempo import octaves_apart

Array = NDArray[np.float64]
Ranking = Callable[[int], NDArray[np.floating[Any]]]
TOP = 10
_MIN_TRACKS = 3


@dataclass(frozen=True)
class Judgement:
    """The metrics of a ranking for each known number.

    Attributes
    ----------
    spearman : ndarray [shape=(t,)]
        Faithfulness; NaN if no query has enough tracks to compare with.
    top_ratio : ndarray [shape=(t,)]
    """

    spearman: Array
    top_ratio: Array


class Judge:
    """Known numbers of tracks, by which a ranking is judged.

    Parameters
    ----------
    values : ndarray [shape=(n, t)]
        NaN where a number is unknown; such a track is neither query nor candidate for it.
    works : ndarray [shape=(n,)]
    queries : ndarray, optional
        Rows of the queries; by default all rows.
    octaves : sequence of int
        The columns that hold tempi, which are compared up to whole octaves.
    """

    def __init__(
        self,
        values: Array,
        works: NDArray[Any],
        *,
        queries: NDArray[np.int64] | None = None,
        octaves: Sequence[int] = (),
    ) -> None:
        self._queries = np.arange(len(values)) if queries is None else queries
        self._others = [np.flatnonzero(works != works[query]) for query in self._queries]
        self._columns = values.shape[1]
        # Computed once, because it does not depend on the ranking.
        self._known: list[list[_Known]] = []
        for query, others in zip(self._queries, self._others, strict=True):
            apart = np.abs(values[others] - values[query])
            for column in octaves:
                apart[:, column] = octaves_apart(values[others, column], values[query, column])
            self._known.append(_compare(apart))

    def __call__(self, ranking: Ranking) -> Judgement:
        """Judge a ranking by every number."""
        shape = len(self._queries), self._columns
        spearman, top, usual = (np.full(shape, np.nan) for _ in range(3))
        everything = zip(self._queries, self._others, self._known, strict=True)
        for index, (query, others, of_query) in enumerate(everything):
            scores = np.asarray(ranking(int(query)), dtype=np.float64)[others]
            for known in of_query:
                own = scores[known.rows]
                best = np.argsort(-own, kind="stable")[:TOP]
                spearman[index, known.columns] = _scaled(average_ranks(own)) @ known.ranks
                top[index, known.columns] = known.apart[best].mean(axis=0)
                usual[index, known.columns] = known.usual
        return Judgement(_mean(spearman), _mean(top) / _mean(usual))


class _Known(NamedTuple):
    """The numbers that are known in the same rows and vary there, compared with one query.

    Attributes
    ----------
    columns : ndarray [shape=(c,)]
    rows : ndarray [shape=(m,)]
        Rows of the other tracks.
    apart : ndarray [shape=(m, c)]
        |Δ|.
    ranks : ndarray [shape=(m, c)]
        The ranks of −|Δ|, centred and scaled to length 1.
    usual : ndarray [shape=(c,)]
        The mean |Δ|.
    """

    columns: NDArray[np.int64]
    rows: NDArray[np.int64]
    apart: Array
    ranks: Array
    usual: Array


def _compare(apart: Array) -> list[_Known]:
    found = []
    for columns, known in _alike(np.isfinite(apart)):
        rows = np.flatnonzero(known)
        if len(rows) < _MIN_TRACKS:
            continue
        columns = columns[np.ptp(apart[np.ix_(rows, columns)], axis=0) > 0]
        of_rows = apart[np.ix_(rows, columns)]
        ranks = [_scaled(average_ranks(-of_rows[:, number])) for number in range(len(columns))]
        if ranks:
            found.append(
                _Known(columns, rows, of_rows, np.stack(ranks, axis=1), of_rows.mean(axis=0))
            )
    return found


def _scaled(ranks: Array) -> Array:
    """Return ranks, centred and scaled to length 1; 0 where all are equal."""
    centred: Array = ranks - ranks.mean()
    length = float(np.sqrt(centred @ centred))
    return centred / length if length > 0 else centred


def _alike(known: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Group the columns that are known in the same rows; return columns and rows."""
    patterns: dict[bytes, list[int]] = {}
    for column in range(known.shape[1]):
        patterns.setdefault(known[:, column].tobytes(), []).append(column)
    return [(np.array(columns), known[:, columns[0]]) for columns in patterns.values()]


def _mean(values: Array) -> Array:
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.divide(total, known.sum(axis=0), out=np.full(len(total), np.nan), where=known.any(0))


def find_same_work(
    ranking: Ranking,
    works: NDArray[Any],
    *,
    copies: NDArray[Any] | None = None,
    depths: tuple[int, ...] = (1, 5, 10),
) -> Retrieval | None:
    """Retrieve the other recordings of each track's work; None if no work has two.

    Parameters
    ----------
    ranking : callable
    works : ndarray [shape=(n,)]
    copies : ndarray [shape=(n,)], optional
        A label that copies of one recording share. Copies of the query are left out, because
        retrieving them is trivial.
    depths : tuple of int

    References
    ----------
    J. S. Downie, M. Bay, A. F. Ehmann, M. C. Jones: Audio cover song identification: MIREX
    2006-2007 results and analyses. ISMIR 2008 (MRR and recall for retrieval of a work).
    """
    reciprocal, retrieved_works = [], set()
    recall: dict[int, list[float]] = {depth: [] for depth in depths}
    copies = np.arange(len(works)) if copies is None else copies
    for query in range(len(works)):
        itself = copies == copies[query]
        same = (works == works[query]) & ~itself
        if not same.any():
            continue
        scores = np.array(ranking(query), dtype=np.float64)
        scores[itself] = -np.inf
        order = np.argsort(-scores, kind="stable")[: len(works) - int(itself.sum())]
        hits = same[order]
        reciprocal.append(1.0 / (1 + int(np.argmax(hits))))
        for depth in depths:
            recall[depth].append(float(hits[:depth].sum()) / min(depth, int(same.sum())))
        retrieved_works.add(works[query])
    if not reciprocal:
        return None
    return Retrieval(
        mrr=float(np.mean(reciprocal)),
        recall={depth: float(np.mean(values)) for depth, values in recall.items()},
        queries=len(reciprocal),
        works=len(retrieved_works),
    )
