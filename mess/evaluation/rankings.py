"""How well a ranking follows a known number: faithfulness, leakage, and retrieval of a work.

Task: a *ranking* gives, for a query, a score of every track: the higher, the more alike. Judged is
whether tracks that rank high are indeed alike in a number that is known of each track.

Conventions
-----------
* |Δ| of a tempo is in octaves and lets whole octaves pass (`mess.search.tempo`).
* The query's own work never takes part, except in retrieval, which looks for it.
* Faithfulness is the Spearman correlation between rank and |Δ|, the absolute difference of the
  number between query and track, with the sign that makes 1 perfect and 0 chance; the mean over
  queries.
* The top-10 ratio is the mean |Δ| of the ten highest over the mean |Δ| of all: 0 is perfect, 1 is
  chance. One minus it is how far a slider *moves* a number.

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

from mess.search.tempo import octaves_apart

Array = NDArray[np.float64]
Ranking = Callable[[int], NDArray[np.floating[Any]]]
TOP = 10
_MIN_TRACKS = 3


@dataclass(frozen=True)
class Judgement:
    """What a ranking does to each number.

    Attributes
    ----------
    spearman : ndarray [shape=(t,)]
        NaN where no query has enough tracks to compare with.
    top_ratio : ndarray [shape=(t,)]
    """

    spearman: Array
    top_ratio: Array


class Judge:
    """Known numbers, by which any ranking can be judged.

    Parameters
    ----------
    values : ndarray [shape=(n, t)]
        NaN where a number is not known: neither query nor candidate for it.
    works : ndarray [shape=(n,)]
    queries : ndarray, optional
        Rows; by default all.
    octaves : sequence of int
        The columns that are tempos, for which whole octaves count as equal.
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
        # What does not depend on the ranking: |Δ|, and its ranks.
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
        for place, (query, others, apart, ranks) in enumerate(everything):
            scores = np.asarray(ranking(int(query)), dtype=np.float64)[others]
            for columns, known in _alike(np.isfinite(apart)):
                if known.sum() < _MIN_TRACKS:
                    continue
                difference = apart[np.ix_(known, columns)]
                best = np.argsort(-scores[known], kind="stable")[:TOP]
                varies = np.ptp(difference, axis=0) > 0
                own = _ranks(scores[known][:, None])
                spearman[place, columns] = np.where(
                    varies, (own * ranks[np.ix_(known, columns)]).sum(axis=0), np.nan
                )
                top[place, columns] = np.where(varies, difference[best].mean(axis=0), np.nan)
                usual[place, columns] = np.where(varies, difference.mean(axis=0), np.nan)
        return Judgement(_mean(spearman), _mean(top) / _mean(usual))


def _ranks(values: Array) -> Array:
    """Return ranks of the known values of each column, centred and of length 1; else 0."""
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=0, nan_policy="omit")
    centred = np.where(np.isfinite(ranks), ranks - _mean(ranks), 0.0)
    length = np.linalg.norm(centred, axis=0)
    return np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)


def _alike(known: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Return the columns that are known in the same rows, with those rows."""
    patterns: dict[bytes, list[int]] = {}
    for column in range(known.shape[1]):
        patterns.setdefault(known[:, column].tobytes(), []).append(column)
    return [(np.array(columns), known[:, columns[0]]) for columns in patterns.values()]


def _mean(values: Array) -> Array:
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.divide(total, known.sum(axis=0), out=np.full(len(total), np.nan), where=known.any(0))


@dataclass(frozen=True)
class Retrieval:
    """How well other recordings of a query's work are found.

    Attributes
    ----------
    mrr : float
        Mean over queries of 1 / rank of the first.
    recall : dict of int to float
        By k: the mean share of the other recordings among the k highest (of at most k).
    queries, works : int
    """

    mrr: float
    recall: dict[int, float]
    queries: int
    works: int


def find_same_work(
    ranking: Ranking,
    works: NDArray[Any],
    *,
    copies: NDArray[Any] | None = None,
    depths: tuple[int, ...] = (1, 5, 10),
) -> Retrieval | None:
    """Look for the other recordings of each track's work; None where no work has two.

    Parameters
    ----------
    ranking : callable
    works : ndarray [shape=(n,)]
    copies : ndarray [shape=(n,)], optional
        What copies of one recording have in common: to find a copy of the query is no success, so
        it does not take part.
    depths : tuple of int

    References
    ----------
    J. S. Downie, M. Bay, A. F. Ehmann, M. C. Jones: Audio cover song identification: MIREX
    2006-2007 results and analyses. ISMIR 2008 (MRR and recall for retrieval of a work).
    """
    reciprocal, found = [], set()
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
        found.add(works[query])
    if not reciprocal:
        return None
    return Retrieval(
        mrr=float(np.mean(reciprocal)),
        recall={depth: float(np.mean(values)) for depth, values in recall.items()},
        queries=len(reciprocal),
        works=len(found),
    )
