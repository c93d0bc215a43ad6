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
from typing import Any

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
        # Computed once, because it does not depend on the ranking: |Δ|, and its ranks.
        self._apart: list[Array] = []
        self._ranks: list[Array] = []
        for query, others in zip(self._queries, self._others, strict=True):
            apart = np.abs(values[others] - values[query])
            for column in octaves:
                apart[:, column] = octaves_apart(values[others, column], values[query, column])
            self._apart.append(apart)
            self._ranks.append(_ranks(-apart))

    def __call__(self, ranking: Ranking) -> Judgement:
        """Judge a ranking by every number."""
        shape = len(self._queries), self._columns
        spearman, top, usual = (np.full(shape, np.nan) for _ in range(3))
        everything = zip(self._queries, self._others, self._apart, self._ranks, strict=True)
        for index, (query, others, apart, ranks) in enumerate(everything):
            scores = np.asarray(ranking(int(query)), dtype=np.float64)[others]
            for columns, known in _alike(np.isfinite(apart)):
                if known.sum() < _MIN_TRACKS:
                    continue
                difference = apart[np.ix_(known, columns)]
                best = np.argsort(-scores[known], kind="stable")[:TOP]
                varies = np.ptp(difference, axis=0) > 0
                own = _ranks(scores[known][:, None])
                spearman[index, columns] = np.where(
                    varies, (own * ranks[np.ix_(known, columns)]).sum(axis=0), np.nan
                )
                top[index, columns] = np.where(varies, difference[best].mean(axis=0), np.nan)
                usual[index, columns] = np.where(varies, difference.mean(axis=0), np.nan)
        return Judgement(_mean(spearman), _mean(top) / _mean(usual))


def _ranks(values: Array) -> Array:
    """Return the ranks of the known values of each column, centred and scaled to length 1."""
    if values.shape[1] == 1 and np.isfinite(values).all():
        ranks = average_ranks(values[:, 0])[:, None]
    else:
        from scipy.stats import rankdata

        ranks = rankdata(values, axis=0, nan_policy="omit")
    centred = np.where(np.isfinite(ranks), ranks - _mean(ranks), 0.0)
    length = np.linalg.norm(centred, axis=0)
    return np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)


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
